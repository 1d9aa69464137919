"""Write the full dump over synthetic results, and open it with the readers that people have.

    python -m benchmarks.dump [--rows 1000000] [--database sqlite|postgresql|both] [--python PYTHON] [--keep]

Prints the peak memory of the process that writes, its time, and the file's size. PYTHON is an interpreter that has
pandas and duckdb; a reader that is not installed there is skipped, with a word. Each run makes a database of its own
and drops it again, as benchmarks/leaderboard.py does. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.leaderboard import ENGINES, ROOT, postgresql_database, sqlite_database


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the full dump over synthetic results.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="published results to make")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with pandas and duckdb")
    parser.add_argument("--keep", action="store_true", help="keep the databases and files, and say where they are")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    return max(measure(engine, arguments) for engine in engines)


def measure(engine: str, arguments: argparse.Namespace) -> int:
    """Fill, write and read in a process each: peak memory is a figure of one process."""
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    database = postgresql_database if engine == "postgresql" else sqlite_database
    try:
        with database(home, arguments.keep) as url:
            environment = os.environ | {
                "DATABASE_URL": url,
                "LEMSITE_HOME": str(home),
                "LEMSITE_ENV": "development",
                "LEMSITE_ENV_FILE": os.devnull,
                "STORAGE_URL": "",
                "LOG_LEVEL": "ERROR",
                "DEBUG": "0",
                "REDIS_URL": "",
            }
            steps = [
                [sys.executable, "-m", "benchmarks.dump_timing", "fill", str(arguments.rows)],
                [sys.executable, "-m", "benchmarks.dump_timing", "write"],
                [arguments.python, str(ROOT / "benchmarks" / "dump_readers.py"), str(home / "files" / "dumps")],
            ]
            status = 0
            for step in steps:
                status = status or subprocess.run(step, cwd=ROOT, env=environment, check=False).returncode
            return status
    finally:
        if arguments.keep:
            print(f"Kept in {home}.")
        else:
            shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
