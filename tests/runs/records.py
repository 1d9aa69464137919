"""Runs with events for tests, straight into the tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from runs.models import Lane, ProgressEvent, Run, RunStatus

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def event_body(number: int, *, lane: str = "A100", at: float | None = None, **fields: Any) -> dict[str, Any]:
    moment = START + timedelta(seconds=number if at is None else at)
    return {
        "runId": "race",
        "ts": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "gpuId": lane,
        "model": "org/model-8b",
        "useCase": "chat",
        "tokenPerSec": 100.0 + number % 7,
        "latencyMs": 20,
        "vramUsedMB": 40_000,
        "evalProgressIdx": number,
        "evalTotal": 1_000,
        "powerW": 300.5,
        **fields,
    }


def add_events(run: Run, bodies: list[dict[str, Any]]) -> None:
    """As the writer stores them: the next seqs, in the order given."""
    run.refresh_from_db()
    ProgressEvent.objects.bulk_create(
        ProgressEvent(
            run=run,
            seq=run.last_seq + place,
            ts=datetime.fromisoformat(body["ts"]),
            gpu_id=body["gpuId"],
            event_id=body.get("eventId"),
            body=json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        )
        for place, body in enumerate(bodies, start=1)
    )
    run.last_seq += len(bodies)
    run.event_count += len(bodies)
    run.last_event_at = START + timedelta(hours=1)
    run.save()


def ended_run(events: int = 10, *, lanes: tuple[str, ...] = ("A100", "H100"), **fields: Any) -> Run:
    """A run that has ended, one event a second and lane."""
    values = {"key": "race", "label": "A race", "started_at": START, "models_named": ["org/model-8b"], **fields}
    values.setdefault("status", RunStatus.FINISHED)
    values.setdefault("ended_at", START + timedelta(hours=1))
    run = Run.objects.create(**values)
    for position, lane in enumerate(lanes):
        Lane.objects.create(run=run, name=lane, type=f"{lane} 80GB", cost_per_hour_usd=2.0, position=position)
    add_events(run, [event_body(number, lane=lanes[number % len(lanes)]) for number in range(events)])
    return run
