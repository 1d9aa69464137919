"""Which jobs a host can run with the GPUs it has, as one condition of SQL and as a choice of GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol, TypeVar

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from jobs.models import Agent, Attempt, Decline, Gpu, Job, JobKind, Outcome
from jobs.times import times

CONTAINED = {"container", "process"}


class Card(Protocol):
    """What is asked of a GPU; two kinds of rows have it."""

    @property
    def hardware_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def memory_mib(self) -> int: ...


C = TypeVar("C", bound=Card)


def usable_gpus(agent: Agent) -> QuerySet[Gpu]:
    return Gpu.objects.filter(agent=agent, is_present=True, quarantined_at=None)


def fits(agent: Agent, executors: Sequence[str], gpus: Iterable[Card]) -> Q:
    """The jobs that a host can run with these GPUs."""
    wanted = Q(is_simulated=agent.is_simulated, label_wanted__in=["", *agent.labels])
    wanted &= Q(agent_wanted=None) | Q(agent_wanted=agent)
    return wanted & _runs(agent, executors) & _gpus_fit(gpus)


def _runs(agent: Agent, executors: Sequence[str]) -> Q:
    if agent.is_simulated:
        return Q()
    kinds = [JobKind.RACE] if "race" in executors else []
    if CONTAINED & set(executors):
        kinds.append(JobKind.LLEM)
    return Q(kind__in=kinds)


def _gpus_fit(gpus: Iterable[Card]) -> Q:
    """GPUs of one job are all alike: the n-th largest of a kind says how much memory each of n can have."""
    # Without a GPU: a lane of a race, whose server has its own.
    fit = Q(gpu_count=0)
    for alike in _alike(gpus):
        sized = Q()
        for count, gpu in enumerate(alike, 1):
            sized |= Q(gpu_count=count, min_memory_mib__lte=gpu.memory_mib)
        hardware_id = alike[0].hardware_id
        # Against NULL nothing is equal: no job wants a GPU that the catalogue does not know.
        fit |= sized & (Q(hardware=None) if hardware_id is None else Q(hardware=None) | Q(hardware=hardware_id))
    return fit


def pick(gpus: Iterable[C], job: Job) -> list[C]:
    """GPUs for a job, those with the least memory that do; raises ValueError when these do not fit."""
    if job.gpu_count == 0:
        return []
    for alike in _alike(gpus):
        if job.hardware_id not in {None, alike[0].hardware_id}:
            continue
        large = [gpu for gpu in alike if gpu.memory_mib >= job.min_memory_mib]
        if len(large) >= job.gpu_count:
            return large[-job.gpu_count :]
    raise ValueError(f"These GPUs do not fit job {job.pk}.")


def _alike(gpus: Iterable[C]) -> list[list[C]]:
    """GPUs by kind, the largest of each kind first."""

    def kind(gpu: C) -> tuple[int, str]:
        return gpu.hardware_id or 0, gpu.name

    ordered = sorted(gpus, key=lambda gpu: (kind(gpu), -gpu.memory_mib))
    return [list(group) for _, group in groupby(ordered, kind)]


def failed_on(agent: Agent) -> Q:
    """Jobs that this host has lost or failed before."""
    before = Attempt.objects.filter(job=OuterRef("pk"), agent=agent)
    # In this order: a job that was never begun needs no look at all the attempts of a host.
    failed = before.filter(Q(lost_at__isnull=False) | Q(outcome=Outcome.INFRA_FAILED))
    return Q(attempts_used__gt=0) & Q(Exists(failed))


def declined_since(agent: Agent, moment: datetime) -> Exists:
    """Jobs that this host would not run a short while ago."""
    return Exists(Decline.objects.filter(job=OuterRef("pk"), agent=agent, created_at__gt=moment))


def others_that_fit(job: Job, *, without: Iterable[Agent], now: datetime) -> list[Agent]:
    """The living hosts but these that could run a job, were their GPUs free."""
    alive_since = now - timedelta(seconds=times().lease_s)
    sessions_live = Agent.objects.filter(
        sessions__ended_at=None,
        sessions__isnull=False,
        last_seen_at__gte=alive_since,
        is_draining=False,
        quarantined_at=None,
        retired_at=None,
        is_simulated=job.is_simulated,
    ).exclude(pk__in=[agent.pk for agent in without])
    agents = sessions_live.annotate(executors=F("sessions__executors")).prefetch_related("gpus")
    return [agent for agent in agents if _could_run(agent, job)]


def _could_run(agent: Agent, job: Job) -> bool:
    gpus = [gpu for gpu in agent.gpus.all() if gpu.is_present and gpu.quarantined_at is None]
    condition = fits(agent, agent.executors, gpus)  # type: ignore[attr-defined]  # annotated above, from its session
    return Job.objects.filter(condition, pk=job.pk).exists()
