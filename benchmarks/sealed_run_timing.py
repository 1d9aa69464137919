"""The measuring half of benchmarks/sealed_run.py: runs inside the settings and the database made for it."""

from __future__ import annotations

import gzip
import json
import math
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 - settings first
from django.core.files.storage import default_storage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from runs.models import Lane, ProgressEvent, Run, RunStatus  # noqa: E402
from runs.sealing import seal, sealed_events, sweep  # noqa: E402

# Plain names, so that no page needs collectstatic.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

KEY = "benchmark"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
LANES = (("A6000", 48, 0.8, 31.0), ("A100", 80, 1.8, 74.0), ("H100", 80, 3.0, 140.0))
#: of all lanes together
EVENTS_PER_S = 30
STORED_TOGETHER = 10_000
#: requests that build the series of a run that is not sealed take seconds
BEFORE = 3


def main(events: int, repeat: int, is_again: bool) -> None:
    call_command("migrate", verbosity=0)
    run = make_run(events)
    sizes = {"before sealing": table_mb()}
    print(f"\n{events:,} events on {connection.vendor}")
    print(f"| {'page':34} | p50 ms | bytes    | as sent |\n|{'-' * 36}|-------:|---------:|--------:|")
    measure_pages("before sealing", BEFORE)
    began, before_mb = time.perf_counter(), peak_mb()
    seal(run)
    sealing_s, sealing_mb = time.perf_counter() - began, peak_mb()
    run.refresh_from_db()
    began = time.perf_counter()
    sweep(run)
    sweeping_s = time.perf_counter() - began
    measure_pages("sealed", repeat)
    reading_ms = median_ms(lambda: sealed_events(run, events // 2, 1_000), repeat)
    size = default_storage.size(f"runs/{run.pk}/events-{run.sealed_seq}.parquet")
    print(f"\nsealing {sealing_s:.1f} s, {events / sealing_s:,.0f} events/s; rows deleted in {sweeping_s:.1f} s")
    print(f"peak memory {before_mb:.0f} MB before sealing, {sealing_mb:.0f} MB after it")
    print(f"Parquet file {size / 1e6:.1f} MB, {size / events:.0f} bytes an event")
    print(f"1,000 events from the middle of the file: {reading_ms:.1f} ms")
    sizes["when its rows are gone"] = table_mb()
    if is_again:
        sizes |= sizes_of_another_run(events)
    print("space of the events: " + ", ".join(f"{size:.1f} MB {when}" for when, size in sizes.items()))


def sizes_of_another_run(events: int) -> dict[str, float]:
    """Whether it fits into the space that the first one has left."""
    if connection.vendor == "postgresql":
        # As autovacuum does by itself: pages of an index are free for others from the second time on, once a
        # transaction has come between.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM runs_progressevent")
            cursor.execute("SELECT txid_current()")
            cursor.execute("VACUUM runs_progressevent")
    vacuumed = table_mb()
    second = make_run(events, f"{KEY}-again")
    again = table_mb()
    seal(second)
    second.refresh_from_db()
    sweep(second)
    return {"vacuumed": vacuumed, "with a second run": again, "when that is sealed, too": table_mb()}


def table_mb() -> float:
    """Of the table with its indexes; on SQLite, of the whole file."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('runs_progressevent')")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return float(cursor.fetchone()[0]) / 1e6


def make_run(events: int, key: str = KEY) -> Run:
    run = Run.objects.create(
        key=key,
        label="A long race",
        started_at=START,
        ended_at=START + timedelta(seconds=events / EVENTS_PER_S),
        status=RunStatus.FINISHED,
        models_named=["org/model-8b"],
        last_seq=events,
        event_count=events,
        last_event_at=START,
    )
    for position, (name, vram_gb, cost, _) in enumerate(LANES):
        Lane.objects.create(run=run, name=name, type=name, vram_gb=vram_gb, cost_per_hour_usd=cost, position=position)
    for first in range(0, events, STORED_TOGETHER):
        numbers = range(first, min(first + STORED_TOGETHER, events))
        ProgressEvent.objects.bulk_create(event_row(run, number) for number in numbers)
    return run


def event_row(run: Run, number: int) -> ProgressEvent:
    name, vram_gb, _, rate = LANES[number % len(LANES)]
    at_s = number / EVENTS_PER_S
    moment = START + timedelta(seconds=at_s)
    noise = random.gauss(1, 0.05)
    body: dict[str, Any] = {
        "runId": run.key,
        "ts": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "gpuId": name,
        "model": "org/model-8b",
        "useCase": "chat",
        "tokenPerSec": round(rate * noise * (1 + 0.2 * math.sin(at_s / 60)), 2),
        "latencyMs": round(1000 / (rate * noise), 2),
        "vramUsedMB": round(vram_gb * 700 + 200 * math.sin(at_s / 300), 1),
        "evalProgressIdx": number // 100,
        "evalTotal": 20_000,
        "powerW": round(300 * noise, 1),
        "temperatureC": round(60 + 10 * math.sin(at_s / 600)),
        "eventId": f"{KEY}-{number}",
    }
    text = json.dumps(body, separators=(",", ":"))
    return ProgressEvent(run=run, seq=number + 1, ts=moment, gpu_id=name, event_id=body["eventId"], body=text)


def measure_pages(state: str, repeat: int) -> None:
    client = Client(headers={"Accept-Encoding": "gzip"}, SERVER_NAME="localhost")
    for path in (f"/runs/{KEY}/", f"/runs/{KEY}/series.json", f"/runs/{KEY}/card.png"):
        response = client.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}")
        sent = response.content
        whole = gzip.decompress(sent) if response.headers.get("Content-Encoding") == "gzip" else sent
        took_ms = median_ms(lambda path=path: client.get(path), repeat)  # type: ignore[misc]
        label = f"{path.removeprefix(f'/runs/{KEY}')} {state}"
        print(f"| {label:34} | {took_ms:6.1f} | {len(whole):8,} | {len(sent):7,} |")


def median_ms(function: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        function()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def peak_mb() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "again" in sys.argv)
