"""The measuring half of benchmarks/dump.py: `fill` makes the rows, `write` the dump."""

from __future__ import annotations

import os
import resource
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - settings first
from django.db import connection  # noqa: E402

from benchmarks.synthetic_results import fill, without_indexes  # noqa: E402
from leaderboard.models import Result  # noqa: E402
from leaderboard.services.dumps import make_dump  # noqa: E402
from leaderboard.services.ranking import bump_data_version  # noqa: E402

MAX_RSS_MB = 300


def fill_database(rows: int) -> None:
    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    call_command("load_catalogue", verbosity=0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for statement in ("PRAGMA synchronous=OFF", "PRAGMA foreign_keys=OFF", "PRAGMA cache_size=-500000"):
                cursor.execute(statement)
    without_indexes(Result)
    fill(rows)
    # Those that an ordered walk over ranked results could be tempted by; of the metrics' own, none.
    with connection.schema_editor() as editor:
        for index in Result._meta.indexes[:2]:
            editor.add_index(Result, index)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    bump_data_version()
    print(f"{connection.vendor}: {rows:,} results stored and indexed in {time.perf_counter() - started:.0f} s")


def write_dump() -> int:
    before = _peak_mb()
    started = time.perf_counter()
    dump = make_dump()
    seconds = time.perf_counter() - started
    peak = _peak_mb()
    print(
        f"{dump.rows:,} rows of data version {dump.data_version} in {seconds:.1f} s "
        f"({dump.rows / seconds:,.0f} rows/s), {dump.size_bytes / 1e6:.1f} MB, SHA-256 {dump.sha256[:12]}…\n"
        f"peak memory {peak:.0f} MB, of which {before:.0f} MB were the site before it began; limit {MAX_RSS_MB} MB"
    )
    return int(peak > MAX_RSS_MB)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill_database(int(sys.argv[2]))
    else:
        sys.exit(write_dump())
