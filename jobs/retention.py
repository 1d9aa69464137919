"""What of jobs is not kept for ever: logs and samples of old ones. The jobs, their history and their files stay."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from jobs.models import TERMINAL, AgentSession, Attempt, AttemptState, Decline, LogChunk, TelemetryBatch
from lemsite.lib.pruning import Rule, older_than
from runs.models import Run
from runs.sealing import forget

#: a host is asked again long before
DECLINES_KEPT = timedelta(days=30)


def old_records(now: datetime) -> QuerySet[Attempt]:
    """Attempts of jobs that ended long ago, with their log and samples."""
    before = older_than(settings.KEEP_JOB_RECORDS_DAYS, now)
    held = Q(log_bytes__gt=0) | Q(next_telemetry__gt=1)
    over = Attempt.objects.filter(held, state=AttemptState.DONE, records_dropped_at=None, job__state__in=TERMINAL)
    return over.filter(job__ended_at__lt=before) if before else over.none()


def drop_records(attempts: QuerySet[Attempt], until: float) -> int:
    dropped = 0
    for pk in list(attempts.values_list("pk", flat=True)):
        if time.monotonic() > until:
            break
        with transaction.atomic():
            # The mark and the rows together: the audit counts the rows of every attempt without a mark.
            if Attempt.objects.filter(pk=pk, records_dropped_at=None).update(records_dropped_at=timezone.now()):
                LogChunk.objects.filter(attempt=pk).delete()
                TelemetryBatch.objects.filter(attempt=pk).delete()
                dropped += 1
    return dropped


def old_sessions(now: datetime) -> QuerySet[AgentSession]:
    before = older_than(settings.KEEP_AGENT_SESSIONS_DAYS, now)
    over = AgentSession.objects.exclude(ended_at=None)
    return over.filter(ended_at__lt=before) if before else over.none()


def old_declines(now: datetime) -> QuerySet[Decline]:
    return Decline.objects.filter(created_at__lt=now - DECLINES_KEPT, job__state__in=TERMINAL)


def old_simulated_runs(now: datetime) -> QuerySet[Run]:
    """Demonstrations that nobody measured anything in; those of a race stay with it."""
    before = older_than(settings.KEEP_SIMULATED_RUNS_DAYS, now)
    simulated = Run.objects.filter(is_simulated=True, race=None, sealed_seq=F("last_seq"))
    return simulated.filter(ended_at__lt=before) if before else simulated.none()


def forget_runs(runs: QuerySet[Run], until: float) -> int:
    forgotten = 0
    for run in list(runs.order_by("pk")):
        if time.monotonic() > until:
            break
        forget(run)
        forgotten += 1
    return forgotten


RULES = (
    Rule("logs and samples of old jobs", old_records, drop_records),
    Rule("ended sessions of GPU hosts", old_sessions),
    Rule("hosts' refusals of jobs that are over", old_declines),
    Rule("simulated runs", old_simulated_runs, forget_runs),
)
