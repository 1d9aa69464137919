"""What waits for a moderator: executions whose host went away, and those that the site does not know."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs.models import AttemptState, AuditRun, JobEvent, UnknownExecution, UnsettledAttempt

#: the line of a job's history that takes an execution out of the inbox
LOOKED_INTO = "looked_into"


def unsettled(now: datetime) -> QuerySet[UnsettledAttempt]:
    """Those whose lease is over, and the lost ones that no report has come of, unless somebody looked into them."""
    looked = JobEvent.objects.filter(job=OuterRef("job"), attempt=OuterRef("pk"), event=LOOKED_INTO)
    away = Q(state__in=(AttemptState.RUNNING, AttemptState.UPLOADING), lease_until__lt=now)
    orphaned = Q(state=AttemptState.LOST, verdict="") & ~Exists(looked)
    return UnsettledAttempt.objects.filter(away | orphaned)


def unknown() -> QuerySet[UnknownExecution]:
    return UnknownExecution.objects.filter(settled_at=None)


def latest_audit() -> AuditRun | None:
    return AuditRun.objects.first()
