"""Agents, their GPUs and sessions, jobs and attempts as rows, without tickets, leases or anything that services add."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from jobs.models import (
    Agent,
    AgentSession,
    Attempt,
    AttemptState,
    Gpu,
    Job,
    JobEvent,
    JobKind,
    JobState,
    LogChunk,
    TelemetryBatch,
)
from tests.factories import UserFactory

RENDERED = "task:\n  model: org/model-8b\n"
CONFIG = {"model": "org/model-8b", "engine": "vllm", "precision": "bf16", "batch_sizes": [8]}


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


class AgentFactory(DjangoModelFactory[Agent]):
    class Meta:
        model = Agent

    name = factory.Sequence(lambda n: f"host-{n}")
    owner = factory.SubFactory(UserFactory)
    last_seen_at = factory.LazyFunction(timezone.now)


class GpuFactory(DjangoModelFactory[Gpu]):
    class Meta:
        model = Gpu

    agent = factory.SubFactory(AgentFactory)
    uuid = factory.Sequence(lambda n: f"GPU-{n:08x}-0000-0000-0000-000000000000")
    name = "NVIDIA H100 80GB HBM3"
    memory_mib = 81_559
    compute_capability = "9.0"
    power_limit_w = 700.0


class SessionFactory(DjangoModelFactory[AgentSession]):
    """The living session of an agent."""

    class Meta:
        model = AgentSession

    agent = factory.SubFactory(AgentFactory)
    instance_id = factory.Sequence(lambda n: f"instance-{n}")
    boot_id = factory.Sequence(lambda n: f"boot-{n}")
    executors = factory.LazyFunction(lambda: ["container"])
    last_seen_at = factory.LazyFunction(timezone.now)


class JobFactory(DjangoModelFactory[Job]):
    """A queued job that any host with one GPU may run."""

    class Meta:
        model = Job

    owner = factory.SubFactory(UserFactory)
    kind = JobKind.LLEM
    title = "Model 8B, vLLM, bf16, batch 8"
    config = factory.LazyFunction(lambda: dict(CONFIG))
    rendered = RENDERED
    rendered_sha256 = factory.LazyAttribute(lambda job: hashlib.sha256(job.rendered.encode()).hexdigest())
    engine = "vllm"
    state = JobState.QUEUED
    available_at = factory.LazyFunction(timezone.now)


class AttemptFactory(DjangoModelFactory[Attempt]):
    """A running attempt whose host answered just now."""

    class Meta:
        model = Attempt

    job = factory.SubFactory(JobFactory, state=JobState.RUNNING, started_at=factory.LazyFunction(lambda: ago(60)))
    number = factory.LazyAttribute(lambda attempt: attempt.job.attempts.count() + 1)
    agent = factory.SubFactory(AgentFactory)
    claim_id = factory.Sequence(lambda n: f"claim-{n}")
    state = AttemptState.RUNNING
    phase = factory.LazyAttribute(lambda attempt: attempt.state if attempt.state == AttemptState.RUNNING else "")
    executor = "container"
    offered_at = factory.LazyFunction(lambda: ago(62))
    offer_until = factory.LazyFunction(lambda: ago(32))
    accepted_at = factory.LazyFunction(lambda: ago(60))
    lease_until = factory.LazyFunction(lambda: ago(-60))


class JobEventFactory(DjangoModelFactory[JobEvent]):
    class Meta:
        model = JobEvent

    job = factory.SubFactory(JobFactory)
    to_state = JobState.QUEUED
    event = "submitted"


def write_log(attempt: Attempt, *stretches: bytes) -> Attempt:
    """Append to the log of an attempt, a chunk a stretch."""
    for content in stretches:
        LogChunk.objects.create(attempt=attempt, start=attempt.log_bytes, content=content)
        attempt.log_bytes += len(content)
    attempt.save(update_fields=["log_bytes"])
    return attempt


def write_telemetry(attempt: Attempt, *, seconds: int, start: int = 0, gpus: int = 1, **fields: Any) -> TelemetryBatch:
    """One batch of a sample a second for each GPU; a keyword is the whole column of a quantity."""
    columns = {
        "power_w": [400.0 + second % 7 for second in range(seconds)],
        "energy_mj": [400_000 * second for second in range(seconds)],
        "util": [97 for _ in range(seconds)],
        "mem_mib": [60_000 for _ in range(seconds)],
        "temp_c": [60 + second % 3 for second in range(seconds)],
        "clock_mhz": [1_980 for _ in range(seconds)],
        "reasons": [0 for _ in range(seconds)],
        **fields,
    }
    batch = TelemetryBatch.objects.create(
        attempt=attempt,
        first_seq=attempt.next_telemetry,
        count=seconds,
        columns={
            "t": [float(start + second) for second in range(seconds)],
            "gpu": [{"uuid": f"GPU-{number:08x}", **columns} for number in range(gpus)],
        },
    )
    attempt.next_telemetry += seconds
    attempt.save(update_fields=["next_telemetry"])
    return batch
