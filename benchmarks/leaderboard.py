"""Fill a database with synthetic results and measure how fast the leaderboard answers.

    python benchmarks/leaderboard.py [--rows 1000000] [--database sqlite|postgresql|both] [--keep]

Each run makes a database of its own and drops it again: SQLite in a temporary folder; PostgreSQL on the server of
DATABASE_URL, or on postgresql://postgres@127.0.0.1:5432/ where that names none. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
# The script runs from any folder, without the project installed.
sys.path.insert(0, str(ROOT))

from benchmarks.fresh import begins_as_copy  # noqa: E402

DEFAULT_SERVER = "postgresql://postgres@127.0.0.1:5432/"
ENGINES = ("sqlite", "postgresql")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the leaderboard over synthetic results.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="published results to make")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--repeat", type=int, default=200, help="requests per line of the table")
    parser.add_argument("--keep", action="store_true", help="keep the databases, and say where they are")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    try:
        return max([measure(engine, home, arguments) for engine in engines])
    finally:
        if not arguments.keep:
            shutil.rmtree(home)


def measure(
    engine: str, home: Path, arguments: argparse.Namespace, module: str = "benchmarks.leaderboard_timing"
) -> int:
    """Run the measurement in a process of its own, since settings are read once."""
    database = postgresql_database if engine == "postgresql" else sqlite_database
    with database(home, arguments.keep) as url:
        environment = os.environ | {
            "DATABASE_URL": url,
            "LEMSITE_HOME": str(home),
            "LEMSITE_ENV": "development",
            "LEMSITE_ENV_FILE": os.devnull,
            "LOG_LEVEL": "ERROR",
            "DEBUG": "0",
            "REDIS_URL": "",
        }
        command = ["-m", module, str(arguments.rows), str(arguments.repeat)]
        status = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=False).returncode
        if arguments.keep:
            print(f"Kept. Measure again: DATABASE_URL={url} python {' '.join(command)}\n")
        return status


@contextmanager
def sqlite_database(home: Path, keep: bool) -> Iterator[str]:
    """A file in `home`, which is removed as a whole."""
    database = home / "leaderboard.sqlite3"
    begins_as_copy(database)
    yield f"sqlite:///{database}"


@contextmanager
def postgresql_database(home: Path, keep: bool) -> Iterator[str]:
    given = os.environ.get("DATABASE_URL", "")
    server = urlsplit(given if given.startswith("postgres") else DEFAULT_SERVER)
    name = sql.Identifier(f"lemsite_benchmark_{os.getpid()}")
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield server._replace(path=f"/lemsite_benchmark_{os.getpid()}").geturl()
        finally:
            if not keep:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


if __name__ == "__main__":
    sys.exit(main())
