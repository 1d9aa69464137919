"""Fill a database with pending submissions and measure how fast the review queue opens.

    python -m benchmarks.admin_queue [--rows 10000] [--database sqlite|postgresql|both] [--repeat 20] [--keep]

Each run makes a database of its own and drops it again, as benchmarks/leaderboard.py does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.leaderboard import ENGINES, measure


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the review queue over pending submissions.")
    parser.add_argument("--rows", type=int, default=10_000, help="pending submissions to make")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--repeat", type=int, default=20, help="requests per line of the table")
    parser.add_argument("--keep", action="store_true", help="keep the databases, and say where they are")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    try:
        return max([measure(engine, home, arguments, "benchmarks.admin_queue_timing") for engine in engines])
    finally:
        if not arguments.keep:
            shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
