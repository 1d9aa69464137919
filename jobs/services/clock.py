"""The one clock that deadlines are compared with: the database's. Those of hosts are kept, and decide nothing."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from jobs.times import times

logger = logging.getLogger(__name__)

#: more than clocks are put right by in normal service
SET_BY = timedelta(seconds=30)


def db_now() -> datetime:
    """The database's time. SQLite has none of its own: it is part of this process."""
    if connection.vendor != "postgresql":
        now = timezone.now()
    else:
        with connection.cursor() as cursor:
            # Not now(), which stands still while a transaction waits for a lock.
            cursor.execute("SELECT clock_timestamp()")
            now = cursor.fetchone()[0]
    _steps.look(now)
    return now


def was_set() -> bool:
    """Whether the clock was set, or the machine slept, within the last lease: what seems to be over then may not be,
    and every host that lives is heard of until it can be told."""
    return time.monotonic() < _steps.until


class _Steps:
    """Of this process: where the clock and the time that really passed part ways."""

    def __init__(self) -> None:
        self.until = float("-inf")
        self._last: tuple[datetime, float] | None = None

    def look(self, now: datetime) -> None:
        at, last = time.monotonic(), self._last
        self._last = (now, at)
        if last is None:
            return
        set_by = now - last[0] - timedelta(seconds=at - last[1])
        if abs(set_by) > SET_BY:
            logger.warning("The clock was set by %.0f s; no lease is ended for a while", set_by.total_seconds())
            self.until = at + times().lease_s


_steps = _Steps()


def sql_now() -> str:
    """The same within a statement; NULL where the database has no time of its own."""
    return "clock_timestamp()" if connection.vendor == "postgresql" else "NULL"
