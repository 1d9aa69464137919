"""Published results that nobody measured: skewed like real ones, and the same in every database.

A few models, GPUs and configurations hold most of the rows. Figures follow from size, GPU, batch and precision, so
that the rows of one filter lie together in a sorted table, as real ones do: the hard case for an index walk.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from leaderboard.metrics import cost_usd, gpu_seconds_per_million_tokens
from leaderboard.models import (
    Backend,
    Hardware,
    LanguageModel,
    Provenance,
    Result,
    Submission,
    SubmissionStatus,
    Trust,
    Visibility,
)

RESULTS_PER_SUBMISSION = 20
CHUNK = 20_000
MODELS, GPUS, BACKENDS = 200, 30, 8
PRECISIONS = {"bf16": 1.0, "fp8": 1.5, "int4": 1.3, "fp16": 1.0, "int8": 1.2, "fp4": 1.9, "fp32": 0.4, "mixed": 0.9}
GPU_COUNTS = (1, 2, 4, 8, 16, None)
BATCH_SIZES = (1, 8, 32, 16, 64, 128, 4, 256, 2, None)
TRUST = (Trust.CHECKS_PASSED, Trust.SELF_REPORTED, Trust.PUBLISHED, Trust.RUN_HERE, Trust.REPRODUCED)
SCOPES = ("gpu", "node", "wall")
ENVIRONMENT = json.dumps(
    {"driver": "570.86.15", "cuda": "12.8", "python": "3.12.3", "os": "Linux 6.8", "cpu": "2 x 64"}
)
CONFIG = json.dumps({"max_num_seqs": 256, "enable_chunked_prefill": True, "kv_cache_dtype": "auto", "dtype": "auto"})

Values = dict[str, Any]


def fill(rows: int) -> None:
    """Store `rows` published results of public submissions, ranked, without the best table."""
    submissions = [uuid.UUID(int=n + 1, version=4) for n in range(-(-rows // RESULTS_PER_SUBMISSION))]
    _store(Submission, (_submission(pk) for pk in submissions))
    made = synthetic_results(rows)
    _store(
        Result, ({**values, "submission_id": submissions[n // RESULTS_PER_SUBMISSION]} for n, values in enumerate(made))
    )


def without_indexes(model: type[models.Model]) -> None:
    """Building an index once is many times faster than keeping it up over a million inserts."""
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.remove_index(model, index)


def with_indexes(model: type[models.Model]) -> None:
    with connection.schema_editor() as editor:
        for index in model._meta.indexes:
            editor.add_index(model, index)


def synthetic_results(rows: int, seed: int = 2026) -> Iterator[Values]:
    """`rows` results of the catalogue's first models, GPUs and backends, less the submission."""
    chance = random.Random(seed)
    language_models = list(LanguageModel.objects.order_by("pk")[:MODELS])
    gpus = list(Hardware.objects.order_by("pk")[:GPUS])
    backends = list(Backend.objects.order_by("pk")[:BACKENDS])
    for position in range(rows):
        model, gpu, backend = _skewed(chance, language_models), _skewed(chance, gpus), _skewed(chance, backends)
        gpu_count, batch_size = _skewed(chance, GPU_COUNTS), _skewed(chance, BATCH_SIZES)
        precision = _skewed(chance, tuple(PRECISIONS))
        yield {
            **_figures(chance, model, gpu, (gpu_count, batch_size, PRECISIONS[precision])),
            "id": uuid.UUID(int=chance.getrandbits(128), version=4),
            "position": position % RESULTS_PER_SUBMISSION,
            "model_id": model.pk,
            "model_name": model.name,
            "hardware_id": gpu.pk,
            "hardware_name": gpu.name,
            "backend_id": backend.pk,
            "backend_name": backend.slug,
            "backend_version": f"0.{chance.randrange(4, 12)}.0",
            "gpu_count": gpu_count,
            "batch_size": batch_size,
            "precision": precision,
            "energy_scope": SCOPES[min(int(chance.expovariate(2.5)), 2)],
            "trust": _skewed(chance, TRUST),
            "runs": chance.choice((1, 1, 3, 5)),
        }


def _skewed(chance: random.Random, choices: Sequence[Any]) -> Any:
    """The first choices far more often than the last ones."""
    return choices[int(len(choices) * chance.random() ** 2.5)]


def _figures(
    chance: random.Random, model: LanguageModel, gpu: Hardware, run: tuple[int | None, int | None, float]
) -> Values:
    """Plausible figures: decoding is bound by memory bandwidth, and batches share the reading of the weights."""
    gpu_count, batch_size, gain = run
    gpus, batch = gpu_count or 1, batch_size or 8
    noise = chance.lognormvariate(0, 0.25)
    bandwidth = gpu.bandwidth_gb_per_s or 1000.0
    active = model.parameters_active_b or model.parameters_total_b or 7.0
    step_ms = 2000 * active / (bandwidth * gpus**0.8 * gain) * (1 + batch / 80) * noise
    throughput = batch * 1000 / step_ms
    power = gpus * (gpu.tdp_w or 300.0) * min(0.35 + batch / 200, 0.95) * chance.uniform(0.9, 1.1)
    gpu_seconds = gpu_seconds_per_million_tokens(gpu_count, throughput)
    energy = {
        "tokens_per_joule": throughput / power,
        "energy_per_output_token_j": power / throughput,
        "total_tokens_per_joule": 3 * throughput / power,
        "avg_power_w": power,
    }
    ttft = step_ms * chance.uniform(2, 9)
    latency = {
        "ttft_ms_p50": ttft, "ttft_ms_p90": ttft * 1.6, "itl_ms_p50": step_ms, "itl_ms_p99": step_ms * 2.2,
        "tpot_ms_mean": step_ms * 1.05, "e2e_ms_p50": ttft + 256 * step_ms,
    }  # fmt: skip
    return {
        **(energy if chance.random() < 0.9 else {}),
        **(latency if chance.random() < 0.7 else {}),
        "throughput_tokens_per_s": throughput,
        "total_throughput_tokens_per_s": 3 * throughput,
        "requests_per_s": throughput / 256,
        "output_tokens": 256 * 1024,
        "duration_s": 256 * 1024 / throughput,
        "peak_memory_mb": 1000 * active * 2 / gain / gpus * chance.uniform(1.1, 1.6),
        "gpu_seconds_per_million_tokens": gpu_seconds,
        "cost_per_million_tokens_usd": cost_usd(gpu_seconds, gpu.usd_per_gpu_hour),
        "statistics": _statistics(throughput) if chance.random() < 0.5 else "{}",
    }


def _statistics(throughput: float) -> str:
    mean = {
        "n": 3,
        "mean": throughput,
        "sd": throughput / 90,
        "ci95_low": throughput * 0.97,
        "ci95_high": throughput * 1.03,
    }
    return json.dumps({"throughput_tokens_per_s": mean})


def _submission(pk: uuid.UUID) -> Values:
    return {
        "id": pk,
        "provenance": Provenance.API,
        "visibility": Visibility.PUBLIC,
        "status": SubmissionStatus.PUBLISHED,
        "shape": "normal",
        "check_set": "2026.1",
    }


def _store(model: type[models.Model], rows: Iterable[Values]) -> None:
    """Insert chunk by chunk: COPY on PostgreSQL, executemany on SQLite."""
    columns, defaults = _columns(model)
    remaining = ([row.get(name, defaults[name]) for name in columns] for row in rows)
    table, names = model._meta.db_table, ", ".join(columns)
    while chunk := list(islice(remaining, CHUNK)):
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in chunk:
                        copy.write_row(row)
            else:
                insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
                plain = [[value.hex if isinstance(value, uuid.UUID) else value for value in row] for row in chunk]
                cursor.executemany(insert, plain)


def _columns(model: type[models.Model]) -> tuple[list[str], Values]:
    """Every column, and what stands in those that a row leaves out."""
    fields = model._meta.concrete_fields
    now = timezone.now().isoformat(" ")
    known: Values = {
        "is_ranked": True, "config": CONFIG, "environment": ENVIRONMENT, "origins": "{}", "notes": "{}",
        "statistics": "{}", "warnings": "[]", "stated": "{}", "redacted": "[]", "created_at": now,
    }  # fmt: skip
    defaults: Values = {str(field.column): _default(field) for field in fields}
    return list(defaults), {**defaults, **{name: value for name, value in known.items() if name in defaults}}


def _default(field: models.Field[Any, Any]) -> Any:
    if field.null:
        return None
    return field.default if field.has_default() and not callable(field.default) else ""
