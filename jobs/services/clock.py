"""The one clock that deadlines are compared with: the database's. Those of hosts are kept, and decide nothing."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def db_now() -> datetime:
    """The database's time. SQLite has none of its own: it is part of this process."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        # Not now(), which stands still while a transaction waits for a lock.
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def sql_now() -> str:
    """The same within a statement; NULL where the database has no time of its own."""
    return "clock_timestamp()" if connection.vendor == "postgresql" else "NULL"
