"""Making the queue agree with the jobs again, whatever was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs.models import Job, JobEvent, JobKind, JobState
from jobs.services import clock
from jobs.services.artifacts import drop_stale
from jobs.services.leases import sweep
from jobs.services.locking import lock_job
from jobs.services.results import COMPARISONS, IMPORTED
from jobs.services.tickets import QUEUE, drop_ticket, issue_ticket
from jobs.services.transitions import IMPORT_RESULT, note

WITH_TICKET = (JobState.QUEUED, JobState.OFFERED, JobState.RUNNING)
#: a result that was not imported by then, nor said why, had its task lost
IMPORTED_WITHIN = timedelta(minutes=5)
#: and is then tried each time, for so long
IMPORT_TRIED_FOR = timedelta(days=1)
HALF_UPLOADED_KEPT = timedelta(days=7)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many of each had to be set right."""

    settled: int = 0
    tickets_issued: int = 0
    tickets_dropped: int = 0
    imports_repeated: int = 0
    comparisons_repeated: int = 0
    uploads_dropped: int = 0


def reconcile(now: datetime | None = None) -> Reconciled:
    """Settle what is over, give queued jobs their tickets back, take tickets of others away, repeat lost imports."""
    now = now or clock.db_now()
    return Reconciled(
        settled=sweep(now),
        tickets_issued=_issue_missing(),
        tickets_dropped=_drop_orphans(),
        imports_repeated=_repeat_imports(now),
        comparisons_repeated=_repeat_comparisons(now),
        uploads_dropped=drop_stale(before=now - HALF_UPLOADED_KEPT),
    )


def requeue_all() -> int:
    """New tickets for all jobs that wait, signed with the present SECRET_KEY; returns how many."""
    return sum(_issue_anew(pk) for pk in list(Job.objects.filter(state=JobState.QUEUED).values_list("pk", flat=True)))


@transaction.atomic
def _issue_anew(pk: int) -> bool:
    job = lock_job(pk)
    if job is None or job.state != JobState.QUEUED:
        return False
    drop_ticket(job)
    issue_ticket(job)
    return True


def _issue_missing() -> int:
    missing = Job.objects.filter(state=JobState.QUEUED).exclude(Exists(OrmQ.objects.filter(pk=OuterRef("ticket_id"))))
    return sum(_issue_if_missing(pk) for pk in list(missing.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _issue_if_missing(pk: int) -> bool:
    job = lock_job(pk)
    if job is None or job.state != JobState.QUEUED or OrmQ.objects.filter(pk=job.ticket_id).exists():
        return False
    issue_ticket(job)
    note(job=job, event="ticket_renewed", reason="Its place in the queue had been lost.")
    return True


def _drop_orphans() -> int:
    """Tickets that no waiting or running job has. One that is being ordered is seen with its ticket or not at all."""
    known = Job.objects.filter(ticket_id=OuterRef("pk"), state__in=WITH_TICKET)
    orphans = OrmQ.objects.filter(~Exists(known), key=QUEUE)
    deleted: int
    deleted, _ = OrmQ.objects.filter(pk__in=list(orphans.values_list("pk", flat=True)[:AT_ONCE])).delete()
    return deleted


def _repeat_imports(now: datetime) -> int:
    lost = Job.objects.filter(
        Q(submission=None, import_problem=""),
        state=JobState.SUCCEEDED,
        kind=JobKind.LLEM,
        ended_at__lt=now - IMPORTED_WITHIN,
        ended_at__gt=now - IMPORT_TRIED_FOR,
    ).exclude(pk__in=JobEvent.objects.filter(event=IMPORTED).values("job"))  # its owner has deleted it since
    return _ask_again(lost)


def _repeat_comparisons(now: datetime) -> int:
    """Reruns that were imported, and not held against what they repeat."""
    compared = JobEvent.objects.filter(job=OuterRef("pk"), event__in=COMPARISONS)
    # From its import on, as that may itself have been repeated.
    imported = JobEvent.objects.filter(
        job=OuterRef("pk"),
        event=IMPORTED,
        created_at__lt=now - IMPORTED_WITHIN,
        created_at__gt=now - IMPORT_TRIED_FOR,
    )
    lost = Job.objects.filter(Exists(imported), ~Exists(compared), verifies__isnull=False, submission__isnull=False)
    return _ask_again(lost.filter(state=JobState.SUCCEEDED))


def _ask_again(jobs: QuerySet[Job]) -> int:
    """The task does only what is missing."""
    pks = list(jobs.values_list("pk", flat=True)[:AT_ONCE])
    for pk in pks:
        async_task(IMPORT_RESULT, pk)
    return len(pks)
