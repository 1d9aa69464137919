"""What moderators may do to the queue: keep a job back, let it go on, move it forward or back."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from jobs.models import Job, JobState
from jobs.services.cancelling import JobRefused, existing
from jobs.services.transitions import note, transition

PRIORITIES = range(-100, 101)


@transaction.atomic
def hold_job(*, job: Job, by: User, reason: str = "") -> Job:
    """Keep a job that waits from being claimed until it is released. Raises JobRefused."""
    locked = _by_moderator(job, by)
    if locked.state != JobState.QUEUED:
        raise JobRefused(f"Only a job that waits can be held; this one is {locked.get_state_display().lower()}.")
    return transition(job=locked, to=JobState.HELD, event="held", actor=by, code="held", reason=reason)


@transaction.atomic
def release_job(*, job: Job, by: User, reason: str = "") -> Job:
    """Let a held job wait for a host again. Raises JobRefused."""
    locked = _by_moderator(job, by)
    if locked.state != JobState.HELD:
        raise JobRefused("It is not held.")
    return transition(job=locked, to=JobState.QUEUED, event="released", actor=by, reason=reason)


@transaction.atomic
def set_priority(*, job: Job, by: User, priority: int, reason: str = "") -> Job:
    """More is sooner; 0 is everybody's. Raises JobRefused."""
    locked = _by_moderator(job, by)
    if locked.is_over:
        raise JobRefused("It is over.", "already_finished")
    if priority not in PRIORITIES:
        raise JobRefused(f"priority: between {PRIORITIES[0]} and {PRIORITIES[-1]}.")
    if locked.priority != priority:
        told = f"Priority {locked.priority} → {priority}. {reason}".strip()
        Job.objects.filter(pk=locked.pk).update(priority=priority)
        locked.priority = priority
        note(job=locked, event="priority", actor=by, reason=told)
    return locked


def _by_moderator(job: Job, by: User) -> Job:
    if not by.is_moderator:
        raise JobRefused("Only moderators may do that.", "not_allowed")
    return existing(job)
