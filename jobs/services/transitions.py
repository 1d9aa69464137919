"""The only writer of the states of jobs and attempts, of the history of jobs, and of what follows from a state."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from jobs.models import TERMINAL, TRANSITIONS, Attempt, AttemptState, GpuHold, Job, JobEvent, JobKind, JobState
from jobs.services import clock, tickets
from jobs.services.plain_sql import insertion, run_together
from jobs.services.racing import lane_ended
from jobs.times import times

IMPORT_RESULT = "jobs.tasks.import_result"

A = AttemptState
#: from -> the states that may follow
ATTEMPT_TRANSITIONS: dict[AttemptState, frozenset[AttemptState]] = {
    A.OFFERED: frozenset({A.RUNNING, A.DECLINED, A.OFFER_EXPIRED}),
    A.RUNNING: frozenset({A.UPLOADING, A.LOST, A.DONE}),
    A.UPLOADING: frozenset({A.LOST, A.DONE}),
    A.LOST: frozenset({A.RUNNING, A.UPLOADING, A.DONE}),
    A.DECLINED: frozenset(),
    A.OFFER_EXPIRED: frozenset(),
    A.DONE: frozenset(),
}
OFFER_JOB = "UPDATE jobs_job SET state = %s, reason_code = '', reason = %s WHERE id = %s AND state = %s"
#: in these an attempt's process may live, and its GPUs are nobody else's
HOLDING = (A.OFFERED, A.RUNNING)


class IllegalTransition(ValueError):
    """A job or an attempt cannot go from where it is to where it was sent."""


def transition(
    *,
    job: Job,
    to: JobState,
    event: str,
    attempt: Attempt | None = None,
    actor: User | None = None,
    code: str = "",
    reason: str = "",
    **changes: Any,
) -> Job:
    """Send a locked job on to another state, with its line of history, its ticket and the news of its end.

    Part of the transaction in which the job was locked. `changes` are columns of the job that change with it.
    Raises IllegalTransition.
    """
    before = JobState(job.state)
    if to not in TRANSITIONS[before]:
        raise IllegalTransition(f"{event}: job {job.pk} cannot go from {before} to {to}.")
    changes |= {"state": to, "reason_code": code, "reason": reason[:500]}
    if to in TERMINAL:
        changes["ended_at"] = clock.db_now()
    if not Job.objects.filter(pk=job.pk, state=before).update(**changes):
        raise IllegalTransition(f"{event}: job {job.pk} is no longer {before}.")
    for name, value in changes.items():
        setattr(job, name, value)
    _write_history(job, before, event, attempt=attempt, actor=actor, reason=reason)
    _settle_ticket(job)
    if job.is_over:
        _end(job, attempt)
    return job


def offer(*, attempt: Attempt, holds: Sequence[GpuHold], reason: str) -> Attempt:
    """Send a locked job that waits on to the host of a new attempt, with the GPUs that it is given.

    All rows are written at once, as hosts ask many times a second. Raises IllegalTransition, and IntegrityError where
    another attempt was given one of the GPUs at this very moment.
    """
    job, reason = attempt.job, reason[:500]
    line = _line(job, JobState.QUEUED, "offered", attempt=attempt, reason=reason)
    line.to_state = JobState.OFFERED
    counts = run_together(
        [
            (OFFER_JOB, [JobState.OFFERED.value, reason, job.pk, JobState.QUEUED.value]),
            insertion(attempt),
            *map(insertion, holds),
            insertion(line),
            tickets.holding(job, until=_out_of_reach_until(JobState.OFFERED)),
        ]
    )
    if not counts[0]:
        raise IllegalTransition(f"offered: job {job.pk} is no longer queued.")
    job.state, job.reason_code, job.reason = JobState.OFFERED, "", reason
    return attempt


def note(*, job: Job, event: str, attempt: Attempt | None = None, actor: User | None = None, reason: str = "") -> None:
    """A line of a job's history about something that left its state as it is."""
    _write_history(job, job.state, event, attempt=attempt, actor=actor, reason=reason)


def move_attempt(*, attempt: Attempt, to: AttemptState, **changes: Any) -> Attempt:
    """Send an attempt of a locked job on to another state; its GPUs are free as soon as its process cannot live.

    Raises IllegalTransition.
    """
    before = AttemptState(attempt.state)
    if to not in ATTEMPT_TRANSITIONS[before]:
        raise IllegalTransition(f"{attempt} cannot go from {before} to {to}.")
    changes["state"] = to
    if not Attempt.objects.filter(pk=attempt.pk, state=before).update(**changes):
        raise IllegalTransition(f"{attempt} is no longer {before}.")
    for name, value in changes.items():
        setattr(attempt, name, value)
    if before in HOLDING and to not in HOLDING:
        GpuHold.objects.filter(attempt=attempt).delete()
    return attempt


def _write_history(
    job: Job, before: str, event: str, *, attempt: Attempt | None, actor: User | None, reason: str
) -> None:
    _line(job, before, event, attempt=attempt, actor=actor, reason=reason).save(force_insert=True)


def _line(
    job: Job, before: str, event: str, *, attempt: Attempt | None, reason: str, actor: User | None = None
) -> JobEvent:
    return JobEvent(
        job=job,
        attempt=attempt,
        from_state=before,
        to_state=job.state,
        event=event,
        actor=actor,
        reason=reason[:500],
    )


def _settle_ticket(job: Job) -> None:
    """A queued job has one ticket, a running one keeps it out of reach, all others have none."""
    if job.state == JobState.QUEUED:
        tickets.free_ticket(job)
    elif job.state in {JobState.OFFERED, JobState.RUNNING}:
        tickets.hold_ticket(job, until=_out_of_reach_until(JobState(job.state)))
    else:
        tickets.drop_ticket(job)


def _out_of_reach_until(state: JobState) -> datetime:
    """Long enough not to ask the database for its time: the job's state decides, the ticket is there should it fail."""
    limits = times()
    offer_s = limits.offer_s if state == JobState.OFFERED else 0
    return timezone.now() + timedelta(seconds=offer_s + limits.lease_s + limits.grace_s)


def _end(job: Job, attempt: Attempt | None) -> None:
    """What follows when a job is over."""
    succeeded = job.state == JobState.SUCCEEDED
    Task.objects.create(
        id=uuid.uuid4().hex,
        name=f"job {job.pk}",
        func=tickets.FUNCTION,
        args=(job.pk,),
        cluster=tickets.QUEUE,
        started=job.started_at or job.created_at,
        stopped=job.ended_at,
        success=succeeded,
        attempt_count=job.attempts_used,
    )
    if job.owner is not None:
        notify(
            to=[job.owner],
            kind=NotificationKind.JOB,
            title=f"Job {job.pk} {ENDINGS[JobState(job.state)]}: {job.title}",
            text=job.reason,
            url=f"/jobs/{job.pk}/",
            data={"state": str(job.state), "job": job.pk, "attempt": str(attempt.pk) if attempt else None},
        )
    if succeeded and job.kind == JobKind.LLEM:
        transaction.on_commit(partial(async_task, IMPORT_RESULT, job.pk))
    if job.race_id is not None:
        # Here, because races cancel their lanes through this module.
        lane_ended(job=job)


ENDINGS = {
    JobState.SUCCEEDED: "has succeeded",
    JobState.FAILED: "has failed",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMED_OUT: "ran out of time",
}
