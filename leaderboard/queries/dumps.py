"""What the full dump reads: every public ranked result as of one moment, and the dumps that there are."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, Subquery, Value, When

from leaderboard.models import DataVersion, Dump, Result

#: rows that the database hands over at once
FETCHED_ROWS = 1_000
#: of SQLite's page cache while the dump is read
CACHE_KIB = -8_192


def dump_rows(paths: Sequence[str]) -> Generator[tuple[Any, ...], None, None]:
    """The values under `paths` of each ranked result, and as the last one the data version they belong to.

    One statement, read row by row: all of them are of one moment, whatever is published meanwhile, and the version,
    which stands in the same statement, is that moment's.
    """
    version = Subquery(DataVersion.objects.filter(pk=1).values("number")[:1])
    # Figures carried over from elsewhere stand under the terms of their source.
    licence = Case(When(source_name="", then=F("submission__licence")), default=Value(None))
    rows = Result.objects.ranked().annotate(row_licence=licence, version=version).order_by("pk")
    with _reading():
        yield from rows.values_list(*paths, "version").iterator(chunk_size=FETCHED_ROWS)


@contextmanager
def _reading() -> Iterator[None]:
    """PostgreSQL hands over rows as they are read only inside a transaction. A transaction of SQLite's would keep
    everybody else from writing, and its cursor needs none; but pages read once fill the cache of the connection."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            yield
        return
    former = _cache_size()
    _cache_size(CACHE_KIB)
    try:
        yield
    finally:
        _cache_size(former)


def _cache_size(size: int | None = None) -> int:
    """SQLite's, in pages, or in KiB where it is negative; set to `size` if that is given."""
    with connection.cursor() as cursor:
        if size is not None:
            cursor.execute(f"PRAGMA cache_size={size:d}")
        cursor.execute("PRAGMA cache_size")
        (found,) = cursor.fetchone()
    return int(found)


def dumps() -> QuerySet[Dump]:
    """The newest first."""
    return Dump.objects.order_by("-version")
