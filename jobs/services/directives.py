"""What a host is told to do with an attempt: the site cannot call a host, so it says so in each of its answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from jobs.models import Attempt, AttemptState, Gpu, JobState
from jobs.services import clock
from jobs.services.offers import FETCH_S
from jobs.times import times

Directive = Literal["continue", "cancel", "kill", "abandon", "forget"]


def directive_for(attempt: Attempt, now: datetime | None = None) -> Directive:
    """What to do with an attempt as it stands, its job beside it."""
    if attempt.state == AttemptState.RUNNING:
        return _for_running(attempt, now or clock.db_now())
    if attempt.state == AttemptState.LOST:
        return "continue" if can_be_readopted(attempt) else "abandon"
    return "continue" if attempt.state in {AttemptState.OFFERED, AttemptState.UPLOADING} else "forget"


def _for_running(attempt: Attempt, now: datetime) -> Directive:
    if now > kill_at(attempt):
        return "kill"
    return "cancel" if attempt.job.cancel_requested_at is not None else "continue"


def kill_at(attempt: Attempt) -> datetime:
    """When the host should long have stopped an attempt by itself."""
    accepted_at = attempt.accepted_at or attempt.offered_at
    fetch_s = FETCH_S if attempt.executor == "container" else 0
    return accepted_at + timedelta(seconds=fetch_s + attempt.job.wall_s + times().wall_grace_s)


def can_be_readopted(attempt: Attempt) -> bool:
    """Whether a lost attempt may go on: its job waits for a host again, and nobody has its GPUs."""
    job = attempt.job
    if job.state != JobState.QUEUED or job.cancel_requested_at is not None:
        return False
    if attempt.ended_at is not None:
        return True
    return not Gpu.objects.filter(agent=attempt.agent_id, uuid__in=attempt.gpu_uuids, hold__isnull=False).exists()
