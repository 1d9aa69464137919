"""What of live runs is not kept for ever: rows whose events are in a file, should another task have missed them."""

from __future__ import annotations

import time
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from lemsite.lib.pruning import Rule
from runs.models import ProgressEvent, Run
from runs.sealing import SWEPT_FOR, sweep


def unswept_runs(now: datetime) -> QuerySet[Run]:
    """Runs that were sealed long ago and still have rows, such as after a week without a background worker."""
    rows = ProgressEvent.objects.filter(run=OuterRef("pk"), seq__lte=OuterRef("sealed_seq"))
    return Run.objects.filter(Exists(rows), sealed_at__lte=now - SWEPT_FOR)


def sweep_runs(runs: QuerySet[Run], until: float) -> int:
    swept = 0
    for run in list(runs.order_by("pk")):
        if time.monotonic() > until:
            break
        sweep(run, until=until)
        swept += 1
    return swept


RULES = (Rule("sealed runs with rows left", unswept_runs, sweep_runs),)
