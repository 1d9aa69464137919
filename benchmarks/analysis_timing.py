"""The measuring half of benchmarks/analysis.py: runs inside the settings and the database made for it."""

from __future__ import annotations

import gzip
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

# First, since it sets Django up.
from benchmarks.leaderboard_timing import prepare, print_machine, told  # isort: skip

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from leaderboard.models import Hardware, LanguageModel, Result

ALIKE = 5


def main(rows: int, repeat: int) -> None:
    # Plain names of static files, so that pages can be rendered without collecting them first.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with told("migrated"):
        call_command("migrate", verbosity=0)
        call_command("load_catalogue", verbosity=0)
    if not Result.objects.exists():
        prepare(rows)
    print_machine()
    head = ("what", "p50 ms", "p95 ms", "CPU p50", "kB", "kB sent")
    print(f"\n| {head[0]:42} | {' | '.join(head[1:])} |\n|{'-' * 44}|{'---:|' * 5}")
    for what, urls in questions().items():
        show(what, list(islice(cycle(urls), repeat)))


def questions() -> dict[str, list[str]]:
    """What to ask -> addresses that ask it alike; no two begin with a cache that knows them."""
    models = LanguageModel.objects.order_by("pk").values_list("name", flat=True)
    gpus = Hardware.objects.order_by("pk").values_list("slug", flat=True)
    page = "/analysis/?"
    return {
        "nothing asked": [page],
        "one limit that half keep": [f"{page}itl_ms_p50_max={limit}" for limit in range(18, 18 + ALIKE)],
        "one limit that one in twenty keeps": [f"{page}itl_ms_p50_max={limit / 10}" for limit in range(8, 8 + ALIKE)],
        "a limit that none keeps": [f"{page}itl_ms_p50_max=0.000{limit}" for limit in range(1, 1 + ALIKE)],
        "a limit that none states": [f"{page}itl_ms_p90_max={limit}" for limit in range(18, 18 + ALIKE)],
        "three limits, GPU time at own price": [
            f"{page}goal=gpu_time&usd_per_gpu_hour={price}&ttft_ms_p90_max=200&itl_ms_p50_max=20"
            "&throughput_tokens_per_s_min=500"
            for price in range(1, 1 + ALIKE)
        ],
        "one model, electricity": [
            f"{page}model={name}&itl_ms_p50_max=20&goal=electricity&usd_per_kwh=0.3" for name in models[: ALIKE * 9 : 9]
        ],
        "one GPU, carbon": [f"{page}hardware={slug}&ttft_ms_p90_max=300&goal=co2&country=DEU" for slug in gpus[:ALIKE]],
        "models of one size": [f"{page}size={size}&itl_ms_p50_max=20" for size in ("4b-10b", "over-80b", "1b-4b")],
        "words": [f"{page}q={words}&itl_ms_p50_max=10" for words in ("llama", "h100", "vllm", "qwen+a100")],
        "one batch size": [f"{page}batch_size={size}&tpot_ms_mean_max=10" for size in (1, 8, 32, 128)],
        "the API, one limit": [f"/api/analysis?itl_ms_p50_max={limit}" for limit in range(18, 18 + ALIKE)],
        "the chart alone": [f"/charts/frontier.json?itl_ms_p50_max={limit}" for limit in range(18, 18 + ALIKE)],
    }


def show(what: str, urls: list[str]) -> None:
    """Whole pages through the whole middleware, as a browser asks for them first."""
    client = Client(headers={"Accept-Encoding": "gzip"}, SERVER_NAME="localhost")
    client.get(urls[0])
    timings = list(asked(client, urls))
    wall = sorted(taken for taken, _, _, _ in timings)
    cpu, raw, sent = (statistics.median(timing[place] for timing in timings) for place in (1, 2, 3))
    p95 = wall[min(round(len(wall) * 0.95), len(wall) - 1)]
    figures = f"{statistics.median(wall):6.0f} | {p95:6.0f} | {cpu:7.0f} | {raw / 1000:5.0f} | {sent / 1000:5.0f}"
    print(f"| {what:42} | {figures} |", flush=True)


def asked(client: Client, urls: list[str]) -> Iterator[tuple[float, float, int, int]]:
    """Milliseconds that passed and that this process computed, bytes of the page and on the wire."""
    for url in urls:
        began, computed = time.perf_counter(), time.process_time()
        response = client.get(url)
        taken, used = time.perf_counter() - began, time.process_time() - computed
        assert response.status_code == 200, url
        is_packed = response.headers.get("Content-Encoding") == "gzip"
        raw = len(gzip.decompress(response.content)) if is_packed else len(response.content)
        yield taken * 1000, used * 1000, raw, len(response.content)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
