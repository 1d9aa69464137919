"""Long work that writes again and again leaves room for those who write once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

#: whoever waits for the lock of SQLite asks for it at least every 0.1 s (its busy handler)
MOST_S = 0.1


@contextmanager
def giving_way() -> Iterator[None]:
    """Around one transaction of many: on SQLite a pause follows, as long as it took, and 0.1 s at most.

    SQLite keeps no queue for its one writer: without a pause the next transaction has the lock before anyone who waits
    asks again, and a live event waits for seconds.
    """
    began = time.perf_counter()
    yield
    if settings.ON_SQLITE:
        time.sleep(min(time.perf_counter() - began, MOST_S))
