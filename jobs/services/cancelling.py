"""Cancelling a job. What runs is asked to stop, as the site cannot reach a host: the host hears it at its next call."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from jobs.models import Attempt, AttemptState, Job, JobState
from jobs.services import clock
from jobs.services.locking import lock_job
from jobs.services.transitions import move_attempt, note, transition


class JobRefused(ValueError):
    """That cannot be done to this job now, or not by this person; the message says why."""

    def __init__(self, message: str, code: str = "refused") -> None:
        super().__init__(message)
        self.code = code


@transaction.atomic
def cancel_job(*, job: Job, by: User | None, reason: str = "") -> Job:
    """Cancel a job that waits, ask for the end of one that runs. `by` is None for the site itself.

    Asking again changes nothing. Raises JobRefused with the code `already_finished` for one that is over.
    """
    locked = existing(job)
    if locked.is_over:
        raise JobRefused(f"It is over: {locked.get_state_display().lower()}.", "already_finished")
    now = clock.db_now()
    if locked.state != JobState.RUNNING:
        _withdraw_offer(locked)
        return transition(
            job=locked,
            to=JobState.CANCELLED,
            event="cancelled",
            actor=by,
            code="cancelled",
            reason=reason or "Cancelled before it was started.",
            cancel_requested_at=now,
            cancel_requested_by=by,
        )
    if locked.cancel_requested_at is None:
        locked.cancel_requested_at, locked.cancel_requested_by = now, by
        locked.save(update_fields=["cancel_requested_at", "cancel_requested_by"])
        note(job=locked, event="cancel_requested", actor=by, reason=reason)
    return locked


def existing(job: Job) -> Job:
    """The job as it is now, locked; raises JobRefused when it is gone."""
    locked = lock_job(job.pk)
    if locked is None:
        raise JobRefused("There is no such job any more.", "gone")
    return locked


def _withdraw_offer(job: Job) -> None:
    """The host that was offered it gets 410 when it accepts."""
    for attempt in Attempt.objects.select_for_update(no_key=True).filter(job=job, state=AttemptState.OFFERED):
        move_attempt(attempt=attempt, to=AttemptState.OFFER_EXPIRED, reason_code="cancelled")
