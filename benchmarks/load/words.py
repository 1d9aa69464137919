"""How the benchmarks of live runs print what they measured, and where."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load.site import postgresql_database
from lemsite.lib.service_urls import SQLITE_PRAGMAS


def print_machine(engines: Sequence[str]) -> None:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {len(os.sched_getaffinity(0))} cores of {cpu}, {memory_gb:.0f} GB")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.release()}; load before: {load:.1f}")
    if "sqlite" in engines:
        print(f"SQLite {sqlite3.sqlite_version}, {SQLITE_PRAGMAS}")
    if "postgresql" in engines:
        print(f"PostgreSQL {_postgresql_version()}")
    print()


def _postgresql_version() -> str:
    import psycopg

    with postgresql_database() as url, psycopg.connect(url) as connection:
        version, synchronous = connection.execute(
            "SELECT current_setting('server_version'), current_setting('synchronous_commit')"
        ).fetchone() or ("", "")
    return f"{version}, synchronous_commit={synchronous}"


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in ascending order; the nearest rank, without interpolation."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
