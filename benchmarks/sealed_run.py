"""Measure what sealing a run costs, and what its page costs before and after.

    python -m benchmarks.sealed_run [--events 5000 1000000] [--database sqlite|postgresql|both] [--again]

Each run makes a database of its own and drops it again, as benchmarks/leaderboard.py does. docs/performance.md has the
figures.
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
    parser = argparse.ArgumentParser(description="Measure the sealing of a run and its page.")
    parser.add_argument("--events", type=int, nargs="+", default=[5_000, 1_000_000], help="events of each run to make")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--repeat", type=int, default=20, help="requests per page")
    parser.add_argument("--again", action="store_true", help="then a second run, to see whether it needs new space")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    options = [str(arguments.repeat), *(["again"] if arguments.again else [])]
    return max(measure(engine, events, options) for engine in engines for events in arguments.events)


def measure(engine: str, events: int, options: list[str]) -> int:
    """Run the measurement in a process of its own, since settings are read once and peak memory is one process's."""
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    database = postgresql_database if engine == "postgresql" else sqlite_database
    try:
        with database(home, False) as url:
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
            command = [sys.executable, "-m", "benchmarks.sealed_run_timing", str(events), *options]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
