"""Leases: how long the site believes that a host is at work, and what becomes of a job once it no longer does.

A host whose lease is over is shown as unreachable. After the grace its attempt is lost and the job waits for a host
again; should the old one come back before another has begun, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django_q.models import OrmQ

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from jobs.limits import ATTEMPTS_PER_JOB
from jobs.models import Attempt, AttemptState, Gpu, GpuHold, Job, JobKind, JobState
from jobs.services import clock
from jobs.services.directives import can_be_readopted, kill_at
from jobs.services.locking import lock_attempt
from jobs.services.transitions import move_attempt, note, transition
from jobs.times import times

#: renewed by the calls of their host
LEASED = (AttemptState.RUNNING, AttemptState.UPLOADING)
SWEPT_AT_ONCE = 100


def sweep(now: datetime | None = None) -> int:
    """Settle every offer, lease and wall limit that is over; returns how many. Not inside a transaction."""
    now = now or clock.db_now()
    if clock.was_set():
        return _shorten(now)
    return sweep_due(now) + sum(_overrun(pk, now) for pk in _overrun_attempts(now))


def sweep_due(now: datetime) -> int:
    """Settle the offers and leases that are over, each in a transaction of its own, so that one job is locked at a
    time. Cheap when there are none: every claim and heartbeat begins with it."""
    if clock.was_set():
        return 0
    due = Attempt.objects.filter(
        Q(state=AttemptState.OFFERED, offer_until__lt=now) | Q(state__in=LEASED, lease_until__lt=now - _grace())
    )
    return sum(_settle(pk, now) for pk in due.order_by().values_list("pk", flat=True)[:SWEPT_AT_ONCE])


def _shorten(now: datetime) -> int:
    """After the clock went back, offers, leases and waiting jobs would last for as much longer: none does."""
    lease, offer = (now + timedelta(seconds=seconds) for seconds in (times().lease_s, times().offer_s))
    leased = Attempt.objects.filter(state__in=LEASED, lease_until__gt=lease).update(lease_until=lease)
    offered = Attempt.objects.filter(state=AttemptState.OFFERED, offer_until__gt=offer).update(offer_until=offer)
    ahead = Job.objects.filter(state=JobState.QUEUED, kind=JobKind.LLEM, created_at__gt=now, available_at__gt=now)
    tickets = list(ahead.values_list("ticket_id", flat=True))
    OrmQ.objects.filter(pk__in=tickets).update(lock=now)
    return leased + offered + ahead.update(available_at=now)


def renew(*, attempts: Iterable[Attempt], now: datetime) -> None:
    """Extend the leases of attempts that run, and keep the tickets of their jobs out of reach for longer."""
    limits = times()
    until = now + timedelta(seconds=limits.lease_s)
    running = [attempt for attempt in attempts if attempt.state in LEASED]
    if not running:
        return
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in running], state__in=LEASED).update(lease_until=until)
    kept = [attempt.job.ticket_id for attempt in running if attempt.job.state == JobState.RUNNING]
    OrmQ.objects.filter(pk__in=kept).update(lock=until + _grace())


@transaction.atomic
def end_process(*, attempt: Attempt) -> Attempt:
    """The process of an attempt has ended: its GPUs are free, while its files are still on their way."""
    locked = lock_attempt(attempt.pk)
    if locked is None or locked.state != AttemptState.RUNNING:
        return locked or attempt
    return move_attempt(attempt=locked, to=AttemptState.UPLOADING, phase="uploading", ended_at=clock.db_now())


def readopt(*, attempt: Attempt, now: datetime) -> Attempt:
    """The host of a lost attempt is back: let it go on if its job still waits and its GPUs are still free."""
    try:
        return _readopt(attempt.pk, now) or attempt
    except IntegrityError:
        # Another attempt was given one of the GPUs at this very moment.
        return attempt


@transaction.atomic
def _readopt(pk: UUID, now: datetime) -> Attempt | None:
    attempt = lock_attempt(pk)
    if attempt is None or attempt.state != AttemptState.LOST or not can_be_readopted(attempt):
        return attempt
    has_ended = attempt.ended_at is not None
    if not has_ended:
        gpus = Gpu.objects.filter(agent=attempt.agent_id, uuid__in=attempt.gpu_uuids)
        GpuHold.objects.bulk_create(GpuHold(gpu=gpu, attempt=attempt) for gpu in gpus)
    move_attempt(
        attempt=attempt,
        to=AttemptState.UPLOADING if has_ended else AttemptState.RUNNING,
        lease_until=now + timedelta(seconds=times().lease_s),
        lost_at=None,
        reason_code="",
        reason="",
    )
    reason = "The host was heard again before another had begun, and goes on."
    transition(job=attempt.job, to=JobState.RUNNING, event="readopted", attempt=attempt, reason=reason)
    return attempt


def _grace() -> timedelta:
    return timedelta(seconds=times().grace_s)


@transaction.atomic
def _settle(pk: UUID, now: datetime) -> bool:
    # Whoever has it locked is settling it, one way or another.
    attempt = lock_attempt(pk, skip_locked=True)
    if attempt is None:
        return False
    if attempt.state == AttemptState.OFFERED and attempt.offer_until < now:
        move_attempt(attempt=attempt, to=AttemptState.OFFER_EXPIRED)
        reason = "The host did not accept in time; nothing was started."
        transition(job=attempt.job, to=JobState.QUEUED, event="offer_expired", attempt=attempt, reason=reason)
        return True
    if attempt.state in LEASED and attempt.lease_until is not None and attempt.lease_until < now - _grace():
        _lose(attempt, now, f"{attempt.agent} was not heard of for {_minutes(times().lease_s + times().grace_s)}.")
        return True
    return False


@transaction.atomic
def give_up(*, attempt: Attempt, by: User, reason: str) -> Attempt:
    """A moderator does not wait until the grace of a host that went away is over. Raises StillThere."""
    locked = lock_attempt(attempt.pk)
    now = clock.db_now()
    if locked is None or locked.state not in LEASED or locked.lease_until is None or locked.lease_until >= now:
        raise StillThere("Its host was heard again, or it has ended: look again.")
    _lose(locked, now, f"{locked.agent} went away, and a moderator gave it up: {reason}", by)
    return locked


class StillThere(ValueError):
    """The host of an attempt has not gone away."""


def _lose(attempt: Attempt, now: datetime, reason: str, by: User | None = None) -> None:
    reason = reason[:400]
    move_attempt(attempt=attempt, to=AttemptState.LOST, lost_at=now, reason_code="lost", reason=reason)
    job = attempt.job
    if job.cancel_requested_at is not None:
        to, reason = JobState.CANCELLED, f"Cancelled. {reason}"
    elif job.attempts_used >= ATTEMPTS_PER_JOB:
        to, reason = JobState.FAILED, f"{reason} It was the last of {job.attempts_used} attempts."
    else:
        to, reason = JobState.QUEUED, f"{reason} The job waits for a host again."
    transition(job=job, to=to, event="lost", attempt=attempt, actor=by, code="lost", reason=reason)
    if to == JobState.QUEUED:
        _tell_of_another_attempt(job, reason)


def _tell_of_another_attempt(job: Job, reason: str) -> None:
    notify(
        to=[job.owner] if job.owner is not None else [],
        kind=NotificationKind.JOB,
        title=f"Job {job.pk} lost its host: {job.title}",
        text=reason,
        url=f"/jobs/{job.pk}/",
        data={"state": str(job.state), "job": job.pk},
    )


def _overrun_attempts(now: datetime) -> list[UUID]:
    running = Attempt.objects.filter(state=AttemptState.RUNNING).select_related("job")
    return [attempt.pk for attempt in running if kill_at(attempt) + _grace() < now]


@transaction.atomic
def _overrun(pk: UUID, now: datetime) -> bool:
    """A host that goes on long after it was told to kill: the job does not wait for it."""
    attempt = lock_attempt(pk, skip_locked=True)
    if attempt is None or attempt.state != AttemptState.RUNNING or kill_at(attempt) + _grace() >= now:
        return False
    reason = f"It ran longer than its limit of {_minutes(attempt.job.wall_s)}, and its host did not stop it."
    move_attempt(attempt=attempt, to=AttemptState.LOST, lost_at=now, reason_code="wall_limit", reason=reason)
    note(job=attempt.job, event="not_stopped", attempt=attempt, reason=reason)
    job = attempt.job
    to = JobState.CANCELLED if job.cancel_requested_at is not None else JobState.TIMED_OUT
    transition(job=job, to=to, event="timed_out", attempt=attempt, code="wall_limit", reason=reason)
    return True


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
