"""How a job stands, in words: what is stored, and what follows from the lease, the attempt and a wish to cancel."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.models import Attempt, AttemptState, Job, JobState
from jobs.presenting.rows import ShownState
from jobs.times import times
from runs.presenting.common import span

PHASES = {
    "fetching": "fetching the model",
    "ready": "ready, waiting for the start",
    "running": "",
    "stopping": "stopping",
    "uploading": "uploading",
}


def shown_state(job: Job, attempt: Attempt | None, now: datetime) -> ShownState:
    """`attempt` is the current one."""
    if job.state == JobState.OFFERED and attempt is not None:
        return _offered(job, attempt, now)
    if job.state == JobState.RUNNING and attempt is not None:
        return _running(job, attempt, now)
    words = "Waiting" if job.state == JobState.QUEUED else job.get_state_display()
    if job.state == JobState.QUEUED:
        return ShownState("queued", words, _queued_reason(job, now), _for(since(job, None), now))
    return ShownState(job.state, words, job.reason, _for(since(job, None), now) if not job.is_over else "")


def since(job: Job, attempt: Attempt | None) -> datetime:
    """When the state began, as far as the rows tell."""
    if job.is_over and job.ended_at:
        return job.ended_at
    if attempt is not None and job.state == JobState.RUNNING:
        return attempt.accepted_at or attempt.offered_at
    if attempt is not None and job.state == JobState.OFFERED:
        return attempt.offered_at
    return job.created_at


def is_unreachable(attempt: Attempt, now: datetime) -> bool:
    return attempt.lease_until is not None and attempt.lease_until < now


def span_of(seconds: float) -> str:
    return span(timedelta(seconds=max(seconds, 0)))


def about(seconds: float) -> str:
    """Such as "about 12 min": no more digits than an estimate has."""
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {minutes:.0f} min"
    return f"about {minutes / 60:.1f} h"


def _queued_reason(job: Job, now: datetime) -> str:
    if job.available_at > now:
        again = f"Not offered again for {span_of((job.available_at - now).total_seconds())}."
        return f"{job.reason} {again}".strip()
    return job.reason


def _offered(job: Job, attempt: Attempt, now: datetime) -> ShownState:
    left = (attempt.offer_until - now).total_seconds()
    next_step = f"answers within {span_of(left)}" if left > 0 else "has not answered: the job goes to the next host"
    reason = f"{attempt.agent.name} looks whether it can run it and {next_step}."
    return ShownState("offered", "Offered to a host", reason, _for(attempt.offered_at, now))


def _running(job: Job, attempt: Attempt, now: datetime) -> ShownState:
    began = _for(since(job, attempt), now)
    if is_unreachable(attempt, now):
        return ShownState(*_unreachable(job, attempt, now), "")
    if job.cancel_requested_at is not None:
        asked = span_of((now - job.cancel_requested_at).total_seconds())
        says = f"Asked {asked} ago. {attempt.agent.name} hears of it with its next call and stops the process."
        return ShownState("cancelling", "Cancelling", says, "")
    if attempt.state == AttemptState.UPLOADING:
        return ShownState("uploading", "Uploading", "The process has ended; its files are on the way.", began)
    phase = PHASES.get(attempt.phase, attempt.phase)
    words = f"Running: {phase}" if phase else "Running"
    return ShownState("running", words, job.reason, began)


def _unreachable(job: Job, attempt: Attempt, now: datetime) -> tuple[str, str, str]:
    lease_until = attempt.lease_until or now
    silent = span_of((now - lease_until).total_seconds() + times().lease_s)
    left = (lease_until - now).total_seconds() + times().grace_s
    end = "cancelled" if job.cancel_requested_at else "queued again"
    if left > 0:
        then = f"If it stays away for {span_of(left)} more, this attempt is lost and the job is {end}."
    else:
        then = f"This attempt is lost; the job is {end} within a minute."
    says = f"{attempt.agent.name} was last heard {silent} ago. The process may well go on there. {then}"
    word = "Cancelling, host unreachable" if job.cancel_requested_at else "Host unreachable"
    return "unreachable", word, says


def _for(moment: datetime, now: datetime) -> str:
    return f"for {span(now - moment)}"
