"""Reads of live runs, in the contract's own form where programs read them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from runs.models import EvalScore, Lane, ProgressEvent, Run
from runs.sealing import newest_sealed_events, sealed_events

PAGE = 5_000
LATEST = 20_000


def find_run(key: str) -> Run | None:
    return _with_lanes(Run.objects.filter(key=key)).first()


def newest_runs(limit: int) -> list[Run]:
    return list(_with_lanes(Run.objects.order_by("-started_at", "-pk"))[:limit])


def live_runs() -> QuerySet[Run]:
    """Open runs with the last sign of life first. A scheduled one is not live before its start."""
    begun = Run.objects.open().filter(Q(started_at__lte=timezone.now()) | Q(last_event_at__isnull=False))
    return _with_lanes(begun.order_by(F("last_event_at").desc(nulls_last=True), "-started_at"))


def run_body(run: Run) -> dict[str, Any]:
    """The contract's Run, with `simulated`, `status` and `note` beside it."""
    return {
        "id": run.key,
        "startedAt": time_text(run.started_at),
        "endedAt": time_text(run.ended_at) if run.ended_at else None,
        "label": run.label or None,
        "gpus": [lane_body(lane) for lane in run.lanes.all()],
        "models": run.models_named,
        "simulated": run.is_simulated,
        "status": run.status,
        "note": run.note or None,
    }


def lane_body(lane: Lane) -> dict[str, Any]:
    return {"name": lane.name, "type": lane.type, "vramGB": lane.vram_gb, "costPerHour": lane.cost_per_hour_usd}


def score_body(score: EvalScore) -> dict[str, Any]:
    return {
        "runId": score.run.key,
        "model": score.model,
        "useCase": score.use_case,
        "testCaseId": score.test_case_id,
        "composite": score.composite,
        "dimensions": {
            "correctness": score.correctness,
            "completeness": score.completeness,
            "formatQuality": score.format_quality,
            "conciseness": score.conciseness,
        },
        "tokPerSec": score.tok_per_s,
    }


def events_after(run: Run, seq: int, limit: int) -> list[tuple[int, str]]:
    """(seq, text) of the events behind `seq`, in order of seq; sealed ones come from the file."""
    found: list[tuple[int, str]] = []
    if seq < run.sealed_seq:
        found = sealed_events(run, seq, limit)
        seq = run.sealed_seq
    if len(found) < limit:
        rows = ProgressEvent.objects.filter(run=run, seq__gt=seq).order_by("seq")
        found += list(rows.values_list("seq", "body")[: limit - len(found)])
    return found


def iterate_events(run: Run, *, after: int = 0, limit: int | None = None) -> Iterator[tuple[int, str]]:
    """(seq, text) of all events behind `after`, read page by page."""
    left = limit
    while left is None or left > 0:
        # Between two pages the run may have been sealed, and its rows swept.
        run.refresh_from_db(fields=["sealed_seq"])
        page = events_after(run, after, PAGE if left is None else min(left, PAGE))
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]
        left = None if left is None else left - len(page)


def in_order_of_time(events: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Texts by their time, then seq. Exact for events that are out of order by fewer than LATEST places."""
    waiting: list[tuple[datetime, int, str]] = []
    for seq, text in events:
        heapq.heappush(waiting, (event_time(text), seq, text))
        if len(waiting) > LATEST:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def one_per_slot(texts: Iterable[str], resolution_ms: int) -> Iterator[str]:
    """The first event of each lane in each stretch of `resolution_ms`."""
    slots: dict[str, int] = {}
    for text in texts:
        event = orjson.loads(text)
        slot = int(datetime.fromisoformat(event["ts"]).timestamp() * 1000) // resolution_ms
        if slots.get(event["gpuId"]) != slot:
            slots[event["gpuId"]] = slot
            yield text


def event_time(text: str) -> datetime:
    return datetime.fromisoformat(orjson.loads(text)["ts"])


def recent_events(run: Run, limit: int) -> list[dict[str, Any]]:
    """The newest events of a run, newest first."""
    unsealed = ProgressEvent.objects.filter(run=run, seq__gt=run.sealed_seq).order_by("-seq")
    rows = list(unsealed.values_list("body", flat=True)[:limit])
    if len(rows) < limit:
        rows += [text for _, text in reversed(newest_sealed_events(run, limit - len(rows)))]
    return [orjson.loads(text) for text in rows]


def time_text(moment: Any) -> str:
    """UTC with milliseconds and Z, as browsers write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _with_lanes(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.prefetch_related(Prefetch("lanes", queryset=Lane.objects.order_by("position", "pk")))
