"""Which models failed on which GPUs, by the jobs that ended so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from jobs.models import Attempt, Gpu, Job, JobKind, JobState

#: the newest; what is older has no say
MAX_JOBS = 1_000


@dataclass(frozen=True, slots=True)
class FailedJob:
    job: int
    model: int
    hardware: int


def failed_jobs(models: Collection[int], hardware: Collection[int]) -> list[FailedJob]:
    """Energy benchmarks of these models that ended on one of these GPUs without a result, the newest first."""
    newest = _ended().filter(model__in=models).order_by("-pk").values_list("pk", "model", "hardware")
    jobs: Sequence[tuple[int, int, int | None]] = list(newest[:MAX_JOBS])
    ran_on = _gpu_of([job for job, _, gpu in jobs if gpu is None])
    placed = [(job, model, ran_on.get(job) if gpu is None else gpu) for job, model, gpu in jobs]
    return [FailedJob(job, model, gpu) for job, model, gpu in placed if gpu is not None and gpu in hardware]


def failed_mark() -> str:
    """Changes with every job that fails."""
    return str(_ended().count())


def _ended() -> QuerySet[Job]:
    return Job.objects.filter(
        state__in=(JobState.FAILED, JobState.TIMED_OUT), kind=JobKind.LLEM, is_simulated=False, model__isnull=False
    )


def _gpu_of(jobs: Sequence[int]) -> Mapping[int, int]:
    """For jobs that any GPU would do for: the kind that the last attempt was given."""
    attempts = Attempt.objects.filter(job__in=jobs).order_by("number").values_list("job", "agent", "gpu_uuids")
    given = {job: (agent, uuids[0]) for job, agent, uuids in attempts if uuids}
    agents = {agent for agent, _ in given.values()}
    gpus = Gpu.objects.filter(agent__in=agents, hardware__isnull=False).values_list("agent", "uuid", "hardware")
    kinds = {(agent, uuid): hardware for agent, uuid, hardware in gpus}
    return {job: kinds[place] for job, place in given.items() if place in kinds}
