"""Fill a database with synthetic results and measure how fast /analysis/ answers, and how much it sends.

    python -m benchmarks.analysis [--rows 100000] [--database sqlite|postgresql|both] [--keep]

Databases are made and dropped as benchmarks/leaderboard.py does it. docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.leaderboard import ENGINES, measure


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure /analysis/ over synthetic results.")
    parser.add_argument("--rows", type=int, default=100_000, help="published results to make")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--repeat", type=int, default=20, help="requests per line of the table")
    parser.add_argument("--keep", action="store_true", help="keep the databases, and say where they are")
    arguments = parser.parse_args()
    engines = ENGINES if arguments.database == "both" else (arguments.database,)
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    try:
        return max([measure(engine, home, arguments, "benchmarks.analysis_timing") for engine in engines])
    finally:
        if not arguments.keep:
            shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
