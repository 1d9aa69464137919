"""Claiming: a host asks for work and is offered a job, which is its own only once it has accepted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from jobs.limits import DECLINES_PER_JOB, RUNNING_PER_PERSON
from jobs.models import (
    Agent,
    AgentSession,
    Attempt,
    AttemptState,
    Decline,
    GpuHold,
    Job,
    JobKind,
    JobState,
)
from jobs.services import claim_query, clock
from jobs.services.claim_query import FreeGpu
from jobs.services.errors import AgentRefused
from jobs.services.fitting import others_that_fit, pick
from jobs.services.leases import sweep_due
from jobs.services.locking import lock_attempt
from jobs.services.offers import executor_for
from jobs.services.transitions import move_attempt, offer, transition
from jobs.times import times

#: another claim took the GPU or the place of its owner at the same moment: looked again so often
TRIES = 5


def claim(
    *,
    agent: Agent,
    session: AgentSession,
    claim_id: str,
    gpus: Collection[str] | None = None,
    now: datetime | None = None,
) -> Attempt | None:
    """Offer a job to a host; None when there is none for it. The same claim id gets the same offer again.

    `gpus` are the UUIDs that the host would use now. Not inside a transaction.
    """
    _refuse_set_aside(agent)
    asking = Asking(agent, session, claim_id, now or clock.db_now(), gpus)
    attempt = None if agent.is_draining else _claim_anew(asking)
    if attempt is None:
        # Rarely, so it is asked last: most claims are new ones and find a job.
        attempt = Attempt.objects.select_related("job").filter(agent=agent, claim_id=claim_id).first()
    if attempt is None and not agent.is_draining and sweep_due(asking.now):
        attempt = _claim_anew(asking)
    return attempt


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for work, when, and with which GPUs."""

    agent: Agent
    session: AgentSession
    claim_id: str
    now: datetime
    gpus: Collection[str] | None = None


class _OwnerHasEnough(Exception):
    """Another job of the same person was offered at the same moment."""


def _refuse_set_aside(agent: Agent) -> None:
    if agent.retired_at is not None:
        raise AgentRefused(403, "retired", "This host was taken out of service.")
    if agent.quarantined_at is not None:
        raise AgentRefused(403, "quarantined", f"This host was set aside: {agent.quarantine_reason}")


def _claim_anew(asking: Asking) -> Attempt | None:
    for _ in range(TRIES):
        try:
            return _claim(asking)
        except IntegrityError:
            # This very claim was answered before, or another claim of this host was given one of its GPUs.
            if Attempt.objects.filter(agent=asking.agent, claim_id=asking.claim_id).exists():
                return None
        except _OwnerHasEnough:
            continue
    return None


@transaction.atomic
def _claim(asking: Asking) -> Attempt | None:
    free = claim_query.free_gpus(asking.agent)
    gpus = [gpu for gpu in free if asking.gpus is None or gpu.uuid in asking.gpus]
    job = _next_job(asking, gpus)
    return _offer(job, asking, pick(gpus, job)) if job is not None else None


def _next_job(asking: Asking, free: Sequence[FreeGpu]) -> Job | None:
    """The job that comes next for this host, locked.

    What it failed before it gets again only if no other host is there for it.
    """
    job = next(iter(claim_query.next_jobs(asking.agent, asking.session.executors, free, asking.now)), None)
    if job is None:
        again = claim_query.failed_jobs(asking.agent, asking.session.executors, free, asking.now)
        job = next((job for job in again if not _is_wanted_elsewhere(job, asking)), None)
    if job is not None:
        _check_owner(job)
    return job


def _is_wanted_elsewhere(job: Job, asking: Asking) -> bool:
    return bool(others_that_fit(job, without=[asking.agent], now=asking.now))


def _check_owner(job: Job) -> None:
    """Two hosts that take jobs of one person at the same moment go one after the other."""
    if job.owner_id is None or job.kind != JobKind.LLEM:
        return
    if claim_query.lock_owner_and_count(job.owner_id) >= RUNNING_PER_PERSON:
        raise _OwnerHasEnough


def _offer(job: Job, asking: Asking, gpus: Sequence[FreeGpu]) -> Attempt:
    attempt = Attempt(
        job=job,
        number=(job.last_number or 0) + 1,  # type: ignore[attr-defined]  # annotated by the query
        agent=asking.agent,
        session=asking.session,
        claim_id=asking.claim_id,
        gpu_uuids=[gpu.uuid for gpu in gpus],
        executor=executor_for(job, asking.session),
        offered_at=asking.now,
        offer_until=asking.now + timedelta(seconds=times().offer_s),
    )
    holds = [GpuHold(gpu_id=gpu.pk, attempt=attempt) for gpu in gpus]
    return offer(attempt=attempt, holds=holds, reason=f"Offered to {asking.agent}.")


@transaction.atomic
def accept(*, attempt: Attempt, gpus: Collection[str] | None = None) -> Attempt:
    """The host takes the job and may start it. Accepting again is fine; too late is AgentRefused 410."""
    locked = lock_attempt(attempt.pk)
    if locked is None:
        raise AgentRefused(404, "no_attempt", "This host has no such attempt.")
    if locked.state in {AttemptState.RUNNING, AttemptState.UPLOADING}:
        return locked
    now = clock.db_now()
    if locked.state != AttemptState.OFFERED or locked.offer_until < now:
        raise AgentRefused(410, "offer_gone", "The offer is over: start nothing, and ask for work anew.")
    if gpus is not None and sorted(gpus) != sorted(locked.gpu_uuids):
        raise AgentRefused(409, "other_gpus", "These are not the GPUs that were offered: decline, or accept those.")
    lease_until = now + timedelta(seconds=times().lease_s)
    move_attempt(attempt=locked, to=AttemptState.RUNNING, accepted_at=now, lease_until=lease_until)
    job = locked.job
    transition(
        job=job,
        to=JobState.RUNNING,
        event="accepted",
        attempt=locked,
        reason=f"{locked.agent} runs it.",
        started_at=job.started_at or now,
        attempts_used=job.attempts_used + 1,
    )
    return locked


@transaction.atomic
def decline(*, attempt: Attempt, code: str, detail: str = "") -> Attempt:
    """The host would rather not, and is not asked again for a while. Declining again is fine.

    A job that nobody will run has failed.
    """
    locked = lock_attempt(attempt.pk)
    if locked is None:
        raise AgentRefused(404, "no_attempt", "This host has no such attempt.")
    if locked.state in {AttemptState.DECLINED, AttemptState.OFFER_EXPIRED}:
        return locked
    if locked.state != AttemptState.OFFERED:
        raise AgentRefused(409, "accepted_already", "This offer was accepted: finish it as infra_failed instead.")
    job = locked.job
    reason = f"{locked.agent} declined: {detail or code}"
    Decline.objects.create(job=job, agent=locked.agent, code=code[:40], detail=detail[:500])
    move_attempt(attempt=locked, to=AttemptState.DECLINED, reason_code=code[:40], reason=detail[:500])
    if _nobody_can_run(job):
        to, code, reason = JobState.FAILED, "nobody_can_run", f"No host takes it. Last, {reason}"
    else:
        to = JobState.QUEUED
    transition(job=job, to=to, event="declined", attempt=locked, code=code[:40], reason=reason)
    return locked


def _nobody_can_run(job: Job) -> bool:
    """Declined often enough, and by every host that is there for it."""
    if job.declines.count() < DECLINES_PER_JOB:
        return False
    declined = Agent.objects.filter(pk__in=job.declines.values("agent"))
    return not others_that_fit(job, without=declined, now=clock.db_now())
