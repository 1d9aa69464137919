"""What is not kept for ever: rules that say which rows are due, and how they go without keeping others waiting."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from lemsite.lib.giving_way import giving_way

#: rows of one transaction: writers wait for it on SQLite
AT_ONCE = 500


def drop_rows(rows: QuerySet[Any], until: float = math.inf) -> int:
    """Delete the rows, a few in each transaction, until `until` on time.monotonic's clock; returns how many."""
    dropped, last = 0, None
    ordered = rows.order_by("pk").values_list("pk", flat=True)
    while time.monotonic() < until:
        pks = list((ordered if last is None else ordered.filter(pk__gt=last))[:AT_ONCE])
        if not pks:
            break
        with giving_way():
            # Asked again: what somebody needs since then stays.
            rows.order_by().filter(pk__in=pks).delete()
        dropped, last = dropped + len(pks), pks[-1]
    return dropped


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of rows that go after a while."""

    #: as the command shows it
    name: str
    due: Callable[[datetime], QuerySet[Any]]
    drop: Callable[[QuerySet[Any], float], int] = drop_rows


def older_than(days: int, now: datetime) -> datetime | None:
    """The moment before which things are too old; None where 0 days mean for ever."""
    return now - timedelta(days=days) if days else None
