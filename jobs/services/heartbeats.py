"""Heartbeats: a host says what it runs, which extends its leases, and is told what to do with each of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.models import Agent, Attempt, AttemptState
from jobs.services import clock, racing
from jobs.services.directives import directive_for
from jobs.services.leases import LEASED, end_process, readopt, renew, sweep_due
from lemsite.lib.hidden_characters import shown_characters

UPLOADING = "uploading"
PHASES = ("fetching", "ready", "running", "stopping")
STEP_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Beat:
    """What a host says of one attempt."""

    id: UUID
    phase: str = ""
    step: str = ""
    step_index: int | None = None
    step_count: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host is to do with one attempt; the lane of a race also when to start."""

    id: UUID
    do: str
    go_in_s: float | None = None


def beat(
    *, agent: Agent, beats: Sequence[Beat], vitals: Mapping[str, Any], agent_time: datetime | None = None
) -> list[Answer]:
    """Take a heartbeat. Not inside a transaction."""
    now = clock.db_now()
    told = {"vitals": dict(vitals), "last_seen_at": now}
    if agent_time is not None:
        told["clock_offset_s"] = (agent_time - now).total_seconds()
    Agent.objects.filter(pk=agent.pk).update(**told)
    known = Attempt.objects.filter(agent=agent, pk__in=[one.id for one in beats]).select_related("job", "agent")
    attempts = {attempt.pk: attempt for attempt in known}
    # First of all: whoever speaks is not lost, however late.
    renew(attempts=attempts.values(), now=now)
    sweep_due(now)
    return [_answer(one, attempts.get(one.id), now) for one in beats]


def _answer(told: Beat, attempt: Attempt | None, now: datetime) -> Answer:
    if attempt is None:
        # The site may have been restored from a backup: the host keeps what it has, for a moderator to look at.
        return Answer(told.id, "upload")
    if attempt.state == AttemptState.LOST:
        attempt = readopt(attempt=attempt, now=now)
    if told.phase == UPLOADING and attempt.state == AttemptState.RUNNING:
        attempt = end_process(attempt=attempt)
    elif attempt.state in LEASED:
        _note_progress(attempt, told)
    return Answer(attempt.pk, directive_for(attempt, now), racing.go_in_s(attempt))


def _note_progress(attempt: Attempt, told: Beat) -> None:
    changes: dict[str, Any] = {}
    if told.phase in PHASES:
        changes["phase"] = told.phase
    if told.step:
        step = shown_characters(told.step)[:STEP_LENGTH]
        changes |= {"step": step, "step_index": told.step_index, "step_count": told.step_count}
    changes = {name: value for name, value in changes.items() if getattr(attempt, name) != value}
    # A heartbeat that was overtaken by the news of the end changes nothing.
    if changes and Attempt.objects.filter(pk=attempt.pk, state=AttemptState.RUNNING).update(**changes):
        for name, value in changes.items():
            setattr(attempt, name, value)
