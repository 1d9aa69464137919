"""Pieces of the OpenAPI schema that several endpoints share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from leaderboard.board import (
    DEFAULT_LIMIT,
    DEFAULT_MIN_TRUST,
    FACETS,
    INTEGER_FACETS,
    LIMITED,
    MAX_LIMIT,
    SIZES,
    VIEWS,
    Prices,
)
from leaderboard.field_kinds import KINDS
from leaderboard.metrics import BY_NAME, SORTABLE
from leaderboard.models import Licence, Visibility
from leaderboard.models.result import TRUST_CODES
from leaderboard.queries.board import UNKNOWN

_LEVELS = tuple(code for code in TRUST_CODES.values() if code != "T0")
_PRICES = {
    "usd_per_gpu_hour": "your price of one GPU for an hour, for the cost column",
    "usd_per_kwh": "your price of electricity; without a GPU price the cost is electricity alone",
    "pue": "power usage effectiveness of your data centre",
    "co2_g_per_kwh": "carbon intensity of your grid, for the CO2 column",
}


def _query(name: str, words: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=words, **more)


def _facet(name: str) -> OpenApiParameter:
    words = f"{FACETS[name]}; repeat it for several values"
    if name in INTEGER_FACETS:
        words += '; a whole number, or "unknown"'
    choices = {"size": (*SIZES, UNKNOWN), "trust": _LEVELS}.get(name)
    return _query(name, words, many=True, enum=choices)


PRICE_PARAMETERS = [_query(name, _PRICES[name], OpenApiTypes.DOUBLE) for name in Prices.__slots__]
BOARD_PARAMETERS = [
    _query("view", "best configuration per model, hardware, GPU count and energy scope, or all", enum=VIEWS),
    _query("sort", "a metric, with - in front for the highest first", enum=[
        *(f"-{metric.name}" for metric in SORTABLE), *(metric.name for metric in SORTABLE)
    ], default="-tokens_per_joule"),
    _query("q", "words that the names of model, family, hardware or backend hold"),
    _query("min_trust", "the lowest trust level shown", enum=_LEVELS, default=DEFAULT_MIN_TRUST.code),
    _query("columns", "metrics to answer with, beside what identifies a result; all of them without it", many=True,
           enum=tuple(BY_NAME)),
    *(_facet(name) for name in FACETS),
    *(
        _query(f"{name}_{edge}", f"{BY_NAME[name].label}, at {word}, in {BY_NAME[name].unit}", OpenApiTypes.DOUBLE)
        for name in LIMITED
        for edge, word in (("min", "least"), ("max", "most"))
    ),
    *PRICE_PARAMETERS,
    _query("limit", f"rows a page, 1 to {MAX_LIMIT}", OpenApiTypes.INT, default=DEFAULT_LIMIT),
    _query("cursor", "where the page begins: taken from `next` of the previous answer"),
]  # fmt: skip
UPLOAD_PARAMETERS = [
    _query("dry_run", "1 answers what the upload would become and stores nothing", enum=("0", "1")),
    _query(
        "visibility",
        "public hands it in for review; private and draft keep it to you",
        enum=Visibility.values,
        default=Visibility.PUBLIC.value,
    ),
    _query("stated", 'a JSON object of values that the files lack: {"hardware": "a100-pcie-40", "gpu_count": 1}'),
    _query(
        "licence", "under which anyone may use what becomes public", enum=Licence.values, default=Licence.CC_BY.value
    ),
    _query("note", "Markdown, for the reviewers and, once it is published, for everyone"),
    _query("background", "1 has the files read in the background, however few they are", enum=("0", "1")),
]
REPLACE_PARAMETERS = [
    _query("reason", "why the files are replaced; it stays in the history", required=True),
    _query("stated", "as when submitting; without it what was stated before holds"),
]  # fmt: skip

_JSON_TYPES = {"int": "integer", "float": "number", "bool": "boolean"}
_BINARY = {"type": "string", "format": "binary"}
_NORMAL = {
    "type": "object",
    "description": "The normal form. Any result file of a tool that this site reads is taken as well.",
    "required": ["model"],
    "properties": {
        name: {
            "type": _JSON_TYPES.get(kind.type.__name__, "string"),
            **({"description": kind.unit} if kind.unit else {}),
        }
        for name, kind in KINDS.items()
    },
}
UPLOAD_REQUEST: Any = {
    "application/json": {"oneOf": [_NORMAL, {"type": "array", "items": _NORMAL}]},
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "file": {"type": "array", "items": _BINARY, "description": "files under any field name"},
            "stated": {"type": "string", "description": "as the parameter of this name"},
            "visibility": {"type": "string", "enum": Visibility.values},
            "licence": {"type": "string", "enum": Licence.values},
            "note": {"type": "string"},
            "dry_run": {"type": "string", "enum": ["0", "1"]},
            "background": {"type": "string", "enum": ["0", "1"]},
        },
    },
    "application/zip": _BINARY,
    "application/gzip": _BINARY,
    "application/x-tar": _BINARY,
    "text/csv": {"type": "string"},
    "application/yaml": {"type": "string"},
}
UPLOAD_EXAMPLE = OpenApiExample(
    "one result in the normal form",
    value={
        "model": "openai-community/gpt2",
        "hardware": "a100-pcie-40",
        "gpu_count": 1,
        "backend": "transformers",
        "precision": "bf16",
        "batch_size": 1,
        "output_tokens": 640,
        "input_tokens": 1280,
        "duration_s": 4.3,
        "total_energy_j": 228.0,
        "energy_scope": "gpu",
    },
    media_type="application/json",
    request_only=True,
)
