"""Runs with lanes, events and scores as rows, in the form in which the writer leaves them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from runs.models import EvalScore, Lane, ProgressEvent, Run, RunStatus

#: a whole second in the past
START = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


class RunFactory(DjangoModelFactory[Run]):
    class Meta:
        model = Run

    key = factory.Sequence(lambda n: f"run-{n}")
    started_at = START


class LaneFactory(DjangoModelFactory[Lane]):
    class Meta:
        model = Lane

    run = factory.SubFactory(RunFactory)
    name = factory.Sequence(lambda n: f"gpu-{n}")
    type = "H100 SXM"
    vram_gb = 80.0
    cost_per_hour_usd = 2.49


class EvalScoreFactory(DjangoModelFactory[EvalScore]):
    class Meta:
        model = EvalScore

    run = factory.SubFactory(RunFactory)
    model = "llama-3.1-8b"
    use_case = "code-review"
    test_case_id = factory.Sequence(lambda n: f"case-{n}")
    composite = 0.8
    correctness = completeness = format_quality = conciseness = 0.8


def tick(**fields: Any) -> dict[str, Any]:
    """One ProgressEvent of the contract. `at` is in seconds after START; a field that is None is left out."""
    at = fields.pop("at", 0.0)
    values = {
        "runId": "run",
        "ts": f"{START + timedelta(seconds=at):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "gpuId": "H100",
        "model": "llama-3.1-8b",
        "useCase": "code-review",
        "tokenPerSec": 100.0,
        "latencyMs": 40.0,
        "vramUsedMB": 60_000.0,
        "evalProgressIdx": 4,
        "evalTotal": 12,
        **fields,
    }
    return {name: value for name, value in values.items() if value is not None}


def store(run: Run, *events: dict[str, Any]) -> None:
    """Append events to a run as the writer does."""
    rows = [
        ProgressEvent(
            run=run,
            seq=seq,
            ts=datetime.fromisoformat(event["ts"]),
            gpu_id=event["gpuId"],
            body=json.dumps({**event, "runId": run.key}, separators=(",", ":")),
        )
        for seq, event in enumerate(events, start=run.last_seq + 1)
    ]
    ProgressEvent.objects.bulk_create(rows)
    run.last_seq += len(rows)
    run.event_count += len(rows)
    run.last_event_at = timezone.now()
    run.save(update_fields=["last_seq", "event_count", "last_event_at"])


def race(*, seconds: int = 30, **fields: Any) -> Run:
    """An open run of three lanes with one tick a second each, up to now."""
    now = timezone.now()
    run: Run = RunFactory(started_at=now - timedelta(seconds=seconds), **fields)
    lanes = (
        ("H100", "H100 SXM", 80.0, 2.49, 140.0),
        ("A100", "A100 SXM", 80.0, 1.29, 90.0),
        ("A6000", "RTX A6000", 48.0, 0.5, 31.0),
    )
    events = []
    for position, (name, gpu_type, memory_gb, price, rate) in enumerate(lanes):
        LaneFactory(run=run, name=name, type=gpu_type, vram_gb=memory_gb, cost_per_hour_usd=price, position=position)
        events += [
            tick(
                at=(run.started_at - START).total_seconds() + second,
                gpuId=name,
                tokenPerSec=rate + second % 5,
                latencyMs=4000 / rate,
                vramUsedMB=42_500.0 + second,
                powerW=rate * 3,
                temperatureC=60.0 + second % 3,
            )
            for second in range(seconds)
        ]
    store(run, *sorted(events, key=lambda event: event["ts"]))
    return run


def ended(run: Run, status: RunStatus = RunStatus.FINISHED) -> Run:
    run.ended_at = run.last_event_at or timezone.now()
    run.status = status
    run.save(update_fields=["ended_at", "status"])
    return run
