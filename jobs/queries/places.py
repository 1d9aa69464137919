"""Where the waiting jobs stand: the rows of the queue and of the hosts, played forward by jobs.forecast."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from jobs.forecast import Card, Host, Place, Wish, places
from jobs.models import Agent, Attempt, Gpu, Job, JobState
from jobs.queries.hosts import hosts, is_connected

#: jobs that are played forward; who stands behind them learns the position alone
MAX_PLAYED = 300


def places_in_queue(now: datetime, waiting: Sequence[Job], agents: Sequence[Agent] | None = None) -> dict[int, Place]:
    """For each of `waiting`, which is in the order in which it is served."""
    rows = list(hosts()) if agents is None else agents
    usable = _usable(rows, now)
    running = [attempt for agent in rows for attempt in attempts_in_hand(agent)]
    ends = [(attempt.job.owner_id, left_s(attempt, now)) for attempt in running]
    return places([_wish(job) for job in waiting], [_host(agent, now) for agent in usable], ends)


def place_of(job: Job, now: datetime) -> Place | None:
    """None unless it waits."""
    if job.state != JobState.QUEUED:
        return None
    waiting = Job.objects.filter(state=JobState.QUEUED)
    before = waiting.filter(Q(priority__gt=job.priority) | Q(priority=job.priority, pk__lt=job.pk)).count()
    if before >= MAX_PLAYED:
        return Place(before + 1, waiting.count(), len(hosts_for(job, now)), None)
    played = places_in_queue(now, list(waiting.order_by("-priority", "pk")[:MAX_PLAYED]))
    found = played.get(job.pk)
    return replace(found, waiting=waiting.count()) if found else None


def hosts_for(job: Job, now: datetime) -> list[Agent]:
    """Hosts that are there, take jobs and have what this one needs, busy or not."""
    wish = _wish(job)
    return [agent for agent in _usable(hosts(), now) if wish.fits(_host(agent, now))]


def attempts_in_hand(agent: Agent) -> Sequence[Attempt]:
    """As `hosts` fetched them."""
    in_hand: Sequence[Attempt] = agent.in_hand  # type: ignore[attr-defined]  # prefetched by queries.hosts
    return in_hand


def left_s(attempt: Attempt, now: datetime) -> float | None:
    """By the estimate; a job that takes longer than that may end at any moment."""
    duration = duration_s(attempt.job)
    since = attempt.accepted_at or attempt.offered_at
    return None if duration is None else max(duration - (now - since).total_seconds(), 0.0)


def duration_s(job: Job) -> float | None:
    minutes = job.estimate.get("minutes")
    return float(minutes) * 60 if isinstance(minutes, int | float) else None


def _usable(agents: Iterable[Agent], now: datetime) -> list[Agent]:
    return [agent for agent in agents if agent.takes_jobs and is_connected(agent, now)]


def _wish(job: Job) -> Wish:
    return Wish(
        id=job.pk,
        owner_id=job.owner_id,
        is_simulated=job.is_simulated,
        gpu_count=job.gpu_count,
        min_memory_mib=job.min_memory_mib,
        hardware_id=job.hardware_id,
        label=job.label_wanted,
        host_id=str(job.agent_wanted_id or ""),
        duration_s=duration_s(job),
    )


def _host(agent: Agent, now: datetime) -> Host:
    left = {attempt.pk: left_s(attempt, now) for attempt in attempts_in_hand(agent)}
    cards = [_card(gpu, left) for gpu in agent.gpus.all() if gpu.is_present and gpu.quarantined_at is None]
    return Host(str(agent.pk), agent.is_simulated, frozenset(agent.labels), cards)


def _card(gpu: Gpu, left: dict[uuid.UUID, float | None]) -> Card:
    hold = getattr(gpu, "hold", None)
    return Card(gpu.memory_mib, gpu.hardware_id, left.get(hold.attempt_id) if hold else 0.0)
