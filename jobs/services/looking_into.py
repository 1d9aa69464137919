"""What moderators do about executions whose host went away, and about those that the site does not know."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import User
from jobs.models import Agent, Attempt, AttemptState, HostStep, UnknownExecution
from jobs.queries.looked_at import LOOKED_INTO
from jobs.services import agents, clock, leases
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.locking import lock_attempt
from jobs.services.transitions import note


def give_up(*, attempt: Attempt, by: User, reason: str) -> None:
    """The job goes to another host at once. Raises JobRefused and leases.StillThere."""
    _check(by)
    leases.give_up(attempt=attempt, by=by, reason=reason)


def cancel(*, attempt: Attempt, by: User, reason: str) -> None:
    """Cancel the job of an execution; one that runs is asked to stop, should its host come back. Raises JobRefused."""
    _check(by)
    cancel_job(job=attempt.job, by=by, reason=reason)


@transaction.atomic
def leave(*, attempt: Attempt, by: User, reason: str) -> None:
    """A lost execution needs nothing more: its host is known to be gone. What it reports later is still taken."""
    _check(by)
    locked = lock_attempt(attempt.pk)
    if locked is None or locked.state != AttemptState.LOST:
        raise JobRefused("It is not lost: its host was heard again.")
    note(job=locked.job, event=LOOKED_INTO, attempt=locked, actor=by, reason=reason)


def set_host_aside(*, agent: Agent, by: User, reason: str) -> None:
    """No job goes to that host until it is cleared. Raises JobRefused and agents.NotAllowed."""
    _check(by)
    if agent.quarantined_at is not None:
        raise JobRefused("That host is set aside already.")
    agents.quarantine(agent=agent, by=by, reason=reason)


def note_unknown(*, agent: Agent, told_id: UUID) -> None:
    """A host has an attempt that this site does not know: it stands in the inbox until a moderator has looked."""
    now = clock.db_now()
    known, made = UnknownExecution.objects.get_or_create(
        agent=agent, told_id=told_id, defaults={"first_told_at": now, "last_told_at": now}
    )
    if not made:
        UnknownExecution.objects.filter(pk=known.pk).update(last_told_at=now)


@transaction.atomic
def settle_unknown(*, execution: UnknownExecution, by: User, reason: str) -> None:
    """Looked into: it leaves the inbox, with a line in the audit log of its host. Raises JobRefused."""
    _check(by)
    open_one = UnknownExecution.objects.filter(pk=execution.pk, settled_at=None)
    if not open_one.update(settled_at=clock.db_now(), settled_by=by):
        raise JobRefused("Somebody has looked into it already.")
    told = f"{execution.told_id}: {reason}"
    agents.log_step(agent=execution.agent, step=HostStep.SETTLE, by=by, reason=told)


def _check(by: User) -> None:
    if not by.is_moderator:
        raise JobRefused("Only moderators may do that.", "not_allowed")
