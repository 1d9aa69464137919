"""What each field of the normal form holds, for everything that lists the fields: API schema and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leaderboard.metrics import BY_NAME
from leaderboard.normal import NormalResult

_TYPES: dict[str, type] = {"integer": int, "number": float, "boolean": bool, "string": str}
_UNITS = {"request_rate_per_s": "1/s", "power_limit_w": "W", "max_input_tokens": "tok", "max_output_tokens": "tok"}


@dataclass(frozen=True, slots=True)
class FieldKind:
    name: str
    #: int, float, bool, str or datetime
    type: type
    unit: str
    meaning: str
    choices: tuple[str, ...] = ()


def _kind(name: str, schema: Mapping[str, Any]) -> FieldKind:
    option = next(option for option in schema.get("anyOf", [schema]) if option.get("type") != "null")
    is_time = option.get("format") == "date-time"
    metric = BY_NAME.get(name)
    return FieldKind(
        name=name,
        type=datetime if is_time else _TYPES[option["type"]],
        unit=metric.unit if metric else _UNITS.get(name, ""),
        meaning=metric.meaning if metric else "",
        choices=tuple(option.get("enum", ())),
    )


#: field of NormalResult -> what it holds, in the order of the normal form
KINDS: dict[str, FieldKind] = {
    name: _kind(name, schema) for name, schema in NormalResult.model_json_schema()["properties"].items()
}
