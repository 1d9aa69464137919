"""Rows are locked in one order everywhere, job, attempt, then what hangs on it: so nobody waits in a circle."""

from __future__ import annotations

from uuid import UUID

from jobs.models import Attempt, Job


def lock_job(pk: int, *, skip_locked: bool = False) -> Job | None:
    """A job that nobody else changes until the transaction ends.

    None when there is no such job, or with `skip_locked` when somebody else has it.
    """
    return Job.objects.select_for_update(no_key=True, skip_locked=skip_locked).filter(pk=pk).first()


def lock_attempt(pk: UUID, *, skip_locked: bool = False) -> Attempt | None:
    """An attempt and its job, locked; None as in `lock_job`."""
    job_id = Attempt.objects.filter(pk=pk).values_list("job_id", flat=True).first()
    job = lock_job(job_id, skip_locked=skip_locked) if job_id is not None else None
    if job is None:
        return None
    attempt = Attempt.objects.select_for_update(no_key=True).get(pk=pk)
    attempt.job = job
    return attempt
