"""The columns of the full dump: what each holds, in which unit, and which value of a row it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leaderboard.field_kinds import KINDS
from leaderboard.metrics import BY_NAME, GPU_SECONDS

#: the figures whose spread over repeats is in the dump
PRIMARY_METRICS = (
    "tokens_per_joule", "energy_per_output_token_j", "throughput_tokens_per_s", "avg_power_w", "ttft_ms_p50",
    "itl_ms_p50", "tpot_ms_mean", "e2e_ms_p50",
)  # fmt: skip
SPREAD = {
    "n": "repeats behind the mean of {name}",
    "sd": "sample standard deviation of {name} over the repeats",
    "ci95_low": "lower end of the 95 % interval of the mean of {name} over the repeats (Student t), from 3 repeats on",
    "ci95_high": "upper end of the 95 % interval of the mean of {name} over the repeats (Student t), from 3 repeats on",
}
TRUST_MEANING = (
    "T1 self-reported, Published carried over from a named source, T2 checks passed, T3 run by this site, T4 reproduced"
)
MEANINGS = {
    "id": "UUID of the result; its page is /results/<id>/",
    "submission": "UUID of the submission that the result came with",
    "trust": TRUST_MEANING,
    "licence": "SPDX identifier of the terms of the row; empty where source_name names a source with terms of its own",
    "published_at": "when the submission was published",
    "model": "org/name as on the model card",
    "hardware": "GPU profile, as its slug on this site",
    "gpu_count": "GPUs that took part",
    "backend": "inference engine, as its slug on this site",
    "backend_version": "version of the engine as the file gives it",
    "precision": "number format of the weights",
    "batch_size": "sequences decoded together",
    "concurrency": "requests in flight at once",
    "request_rate_per_s": "requests sent per second, where they came at a rate",
    "tensor_parallel": "GPUs that share each layer",
    "pipeline_parallel": "stages that the layers are split into",
    "dataset": "where the prompts came from",
    "max_input_tokens": "longest prompt allowed",
    "max_output_tokens": "longest output allowed",
    "requests": "requests in the measured window",
    "success_rate": "share of requests that finished, 0 to 1",
    "power_limit_w": "power limit set on each GPU",
    "prefix_caching": "whether prompts shared cached prefixes",
    "speculative_decoding": "whether a draft model proposed tokens",
    "started_at": "begin of the measurement",
    "ended_at": "end of the measurement",
    "tool": "the tool that measured",
    "tool_version": "its version",
    "config_hash": "hash of the configuration, as the tool gives it",
    "energy_scope": "what the energy meter saw: gpu, node or wall; never compare across scopes",
    "energy_method": "how energy was read",
    "runs": "independent repeats",
    "source_name": "the public source the figures were carried over from; its terms apply",
    "source_url": "address of that source",
    "source_date": "date of that source",
    "model_reported": "the model's name as the file gives it",
    "hardware_reported": "the GPU's name as the file gives it",
    "backend_reported": "the engine's name as the file gives it",
    GPU_SECONDS: "seconds of one GPU for 10^6 output tokens; times any $/GPU-hour / 3600 it is a price",
    "cost_per_million_tokens_usd": "price of the GPUs' time for 10^6 output tokens at the catalogue's $/GPU-hour",
}


Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class DumpColumn:
    name: str
    #: int, float, bool, str or datetime
    type: type
    unit: str
    meaning: str
    #: name of the stored value that it is made of
    path: str
    made: Callable[[Values], Values]


def _as_they_are(values: Values) -> Values:
    return values


def _words(values: Values) -> Values:
    """An empty text means not stated."""
    return [value or None for value in values]


def _texts(values: Values) -> Values:
    return [str(value) for value in values]


def _statistic(metric: str, key: str) -> Callable[[Values], Values]:
    nothing: dict[str, Any] = {}

    def read(values: Values) -> Values:
        return [((statistics or nothing).get(metric) or nothing).get(key) for statistics in values]

    return read


#: where the plain field holds the catalogue's name of what the row refers to
_NAMED = {"model": "model__name", "hardware": "hardware__slug", "backend": "backend__slug"}


def dump_columns(trust_codes: Mapping[int, str]) -> tuple[DumpColumn, ...]:
    """Every column in the order of the file; `trust_codes` are the words for stored trust levels."""

    def codes(values: Values) -> Values:
        return [trust_codes[value] for value in values]

    identity = (
        DumpColumn("id", str, "", MEANINGS["id"], "pk", _texts),
        DumpColumn("submission", str, "", MEANINGS["submission"], "submission_id", _texts),
        DumpColumn("trust", str, "", MEANINGS["trust"], "trust", codes),
        DumpColumn("licence", str, "", MEANINGS["licence"], "row_licence", _words),
        DumpColumn("published_at", datetime, "", MEANINGS["published_at"], "submission__published_at", _as_they_are),
    )
    fields = (
        DumpColumn(
            name,
            kind.type,
            kind.unit,
            kind.meaning or MEANINGS[name],
            _NAMED.get(name, name),
            _words if kind.type is str else _as_they_are,
        )
        for name, kind in KINDS.items()
    )
    reported = (
        DumpColumn(f"{name}_reported", str, "", MEANINGS[f"{name}_reported"], f"{name}_name", _words) for name in _NAMED
    )
    cost = "cost_per_million_tokens_usd"
    computed = (
        DumpColumn(GPU_SECONDS, float, "s", MEANINGS[GPU_SECONDS], GPU_SECONDS, _as_they_are),
        DumpColumn(cost, float, BY_NAME[cost].unit, MEANINGS[cost], cost, _as_they_are),
    )
    return (*identity, *fields, *reported, *computed, *_spread_columns())


def _spread_columns() -> list[DumpColumn]:
    return [
        DumpColumn(
            name=f"{name}_{key}",
            type=int if key == "n" else float,
            unit="" if key == "n" else BY_NAME[name].unit,
            meaning=words.format(name=name),
            path="statistics",
            made=_statistic(name, key),
        )
        for name in PRIMARY_METRICS
        for key, words in SPREAD.items()
    ]


_JSON_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", datetime: "string"}


def json_schema(columns: tuple[DumpColumn, ...], title: str) -> dict[str, Any]:
    """A row as JSON Schema: any value but what identifies the row may be null, which means not measured."""
    properties = {}
    for column in columns:
        is_identity = column.name in ("id", "submission", "trust")
        kind = _JSON_TYPES[column.type]
        properties[column.name] = {
            "type": kind if is_identity else [kind, "null"],
            "description": column.meaning,
            **({"format": "date-time"} if column.type is datetime else {}),
            **({"x-unit": column.unit} if column.unit else {}),
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
