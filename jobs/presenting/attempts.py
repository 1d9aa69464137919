"""One attempt in a table: on the page of its job, and on that of its host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from jobs.models import Attempt, AttemptState
from jobs.presenting.common import agent_link, attempt_words, job_number_link, job_url, short_uuid
from jobs.presenting.rows import AttemptRow
from jobs.presenting.states import is_unreachable
from leaderboard.format import minute, number
from runs.presenting.common import span

ENDED_WELL = ("succeeded",)
MAX_GPUS = 16


def attempt_row(attempt: Attempt, now: datetime, *, shown: int = 0, with_job: bool = False) -> AttemptRow:
    """`shown` is the number of the attempt whose record the page shows; `with_job` links the job, not the host."""
    code, words = _state(attempt, now)
    has_record = attempt.accepted_at is not None
    return AttemptRow(
        number=attempt.number,
        host=job_number_link(attempt.job) if with_job else agent_link(attempt.agent),
        code=code,
        words=words,
        reason=attempt.reason,
        gpus=", ".join(short_uuid(str(uuid)) for uuid in attempt.gpu_uuids[:MAX_GPUS]),
        executor=attempt.executor,
        offered=minute(attempt.offered_at),
        ran=_ran(attempt, now),
        energy=energy_words(attempt.finish),
        log_url=log_url(attempt) if has_record and attempt.log_bytes else "",
        url=f"{job_url(attempt.job)}?attempt={attempt.number}" if has_record else "",
        is_shown=attempt.number == shown,
    )


def log_url(attempt: Attempt) -> str:
    return reverse("jobs:log", args=[attempt.job_id, attempt.number])


def energy_words(finish: Any) -> Sequence[str]:
    """What the host measured of each GPU: by its counter and by summing up power."""
    rows = finish.get("energy") if isinstance(finish, dict) else None
    return [words for row in rows or [] if isinstance(row, dict) and (words := _energy(row))]


def _energy(row: dict[str, Any]) -> str:
    kinds = {"counter_j": "by its counter", "integral_j": "by power over time"}
    known = [f"{number(float(row[name]), 4)} J {how}" for name, how in kinds.items() if _is_number(row.get(name))]
    return f"{short_uuid(str(row.get('uuid', '')))}: {', '.join(known)}" if known else ""


def _state(attempt: Attempt, now: datetime) -> tuple[str, str]:
    if attempt.state in (AttemptState.RUNNING, AttemptState.UPLOADING) and is_unreachable(attempt, now):
        return "unreachable", "Host unreachable"
    if attempt.state == AttemptState.DONE:
        return attempt.outcome or "done", attempt_words(attempt)
    return attempt.state, attempt_words(attempt)


def _ran(attempt: Attempt, now: datetime) -> str:
    if attempt.accepted_at is None:
        return ""
    is_open = attempt.state in (AttemptState.RUNNING, AttemptState.UPLOADING)
    end = attempt.ended_at or attempt.finished_at or attempt.lost_at or (now if is_open else None)
    return span(end - attempt.accepted_at) if end else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
