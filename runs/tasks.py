"""What runs in the background; every function is safe to run twice, and in several processes at once."""

from __future__ import annotations

import logging
import time
from functools import partial

from django.db import connections
from django.utils import timezone
from django_q.models import Schedule

from runs.models import Run
from runs.sealing import SILENCE, due_runs, seal, sweep, unswept_runs
from runs.services import end_silent_runs

logger = logging.getLogger(__name__)

SCHEDULE = "runs: seal what has ended"
#: a new run is begun only in this time of one task, which django-q ends after Q_CLUSTER's timeout; `manage.py
#: seal_runs` has no limit
WORK_FOR_S = 60.0


def seal_run(run_pk: int) -> None:
    """Seal one run as soon as it has ended; what is left of it goes with the next `seal_ended_runs`."""
    run = Run.objects.filter(pk=run_pk, ended_at__isnull=False).first()
    if run is not None:
        seal(run)


def seal_ended_runs(work_for_s: float = WORK_FOR_S) -> None:
    """Once a minute: close silent runs, seal what has ended, delete the rows of what was sealed before."""
    now = timezone.now()
    until = time.monotonic() + work_for_s
    end_silent_runs(before=now - SILENCE)
    for work, runs in ((seal, due_runs(now)), (partial(sweep, until=until), unswept_runs(now))):
        for run in list(runs):
            if time.monotonic() > until:
                return
            try:
                work(run)
            except Exception:
                # One run that cannot be sealed must not keep the others from it; it is tried again in a minute.
                logger.exception("Run %s could not be sealed", run.pk)


def ensure_schedules(using: str = "default") -> None:
    """After each migrate. Two schedules, should two processes migrate at once, do no more than one."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    if not Schedule.objects.using(using).filter(name=SCHEDULE).exists():
        Schedule.objects.using(using).create(
            name=SCHEDULE, func="runs.tasks.seal_ended_runs", schedule_type=Schedule.MINUTES, minutes=1
        )
