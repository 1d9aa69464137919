"""Which runs the history shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from runs.models import Lane, Run

PAGE_SIZE = 50
MAX_LANE_TYPES = 200


@dataclass(frozen=True, slots=True)
class RunFilter:
    q: str = ""
    model: str = ""
    #: a type of lane
    lane: str = ""
    #: live, finished, failed or stopped
    state: str = ""
    #: whether simulated runs are shown too
    simulated: bool = False

    def url(self, path: str, **more: str) -> str:
        values = {"q": self.q, "model": self.model, "lane": self.lane, "state": self.state}
        values |= {"simulated": "on" if self.simulated else "", **more}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    @property
    def is_empty(self) -> bool:
        return replace(self, simulated=False) == RunFilter()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next one begins behind it."""

    started_at: datetime
    pk: int

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for whatever no page has given out."""
        moment, _, number = text.rpartition("~")
        try:
            started_at, pk = datetime.fromisoformat(moment), int(number)
        except ValueError:
            return None
        is_possible = started_at.tzinfo is not None and 1 < started_at.year < 9999 and 0 < pk < 2**63
        return cls(started_at, pk) if is_possible else None

    def __str__(self) -> str:
        return f"{self.started_at.isoformat()}~{self.pk}"


def run_page(wanted: RunFilter, cursor: Cursor | None) -> tuple[list[Run], Cursor | None]:
    """One page, newest first, and where the next one begins."""
    runs = _shown(wanted)
    if cursor is not None:
        older = Q(started_at__lt=cursor.started_at) | Q(started_at=cursor.started_at, pk__lt=cursor.pk)
        runs = runs.filter(older)
    rows = list(runs.order_by("-started_at", "-pk").prefetch_related("lanes")[: PAGE_SIZE + 1])
    has_more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return rows, Cursor(rows[-1].started_at, rows[-1].pk) if has_more else None


def hidden_simulated(wanted: RunFilter) -> int:
    """How many simulated runs the same filters would show."""
    if wanted.simulated:
        return 0
    return _matching(wanted).filter(is_simulated=True).count()


def last_ended_run() -> Run | None:
    """The newest run that is over and was measured."""
    return Run.objects.real().filter(ended_at__isnull=False).order_by("-started_at", "-pk").first()


def lane_types() -> Sequence[str]:
    types = Lane.objects.exclude(type="").order_by("type").values_list("type", flat=True).distinct()
    return list(types[:MAX_LANE_TYPES])


def _shown(wanted: RunFilter) -> QuerySet[Run]:
    runs = _matching(wanted)
    return runs if wanted.simulated else runs.filter(is_simulated=False)


def _matching(wanted: RunFilter) -> QuerySet[Run]:
    runs: QuerySet[Run] = Run.objects.all()
    if wanted.q:
        runs = runs.filter(Q(label__icontains=wanted.q) | Q(key__icontains=wanted.q))
    if wanted.model:
        # SQLite keeps the list as JSON writes it, PostgreSQL as people read it.
        written = json.dumps(wanted.model)[1:-1]
        runs = runs.alias(models_text=Cast("models_named", TextField())).filter(
            Q(models_text__icontains=written) | Q(models_text__icontains=wanted.model)
        )
    if wanted.lane:
        runs = runs.filter(Exists(Lane.objects.filter(run=OuterRef("pk"), type=wanted.lane)))
    if wanted.state == "live":
        return runs.filter(ended_at=None)
    return runs.filter(ended_at__isnull=False, status=wanted.state) if wanted.state else runs
