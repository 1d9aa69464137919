"""What a lemsite understands of a live run: Python names become the published contract's, values plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

Message = dict[str, Any]


class Unusable(ValueError):
    """One value cannot be sent; the message names it."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One lane of the run: a GPU, or several that work as one."""

    name: str
    type: str = ""
    vram_gb: float | None = None
    cost_per_hour: float | None = None  # US dollars


class Tick(TypedDict, total=False):
    """The state of one lane at one moment. `gpu` and `model` may be left out where the run has only one."""

    gpu: str
    model: str
    use_case: str
    #: generated tokens per second, over all requests of the lane
    tokens_per_s: float
    latency_ms: float | None
    vram_used_mb: float | None
    #: test cases done, and all of the use case
    eval_index: int
    eval_total: int
    power_w: float | None
    #: since the lane's last tick
    energy_j: float | None
    gpu_util_pct: float | None
    temperature_c: float | None
    #: generated since the lane's last tick
    output_tokens: int | None
    ttft_ms: float | None
    #: now, unless given; with a zone
    ts: datetime


class Score(TypedDict, total=False):
    """How well a model did on one test case; the five shares are 0 to 1."""

    model: str
    use_case: str
    test_case_id: str
    composite: float
    correctness: float
    completeness: float
    format_quality: float
    conciseness: float
    tokens_per_s: float | None


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    return number


def _share(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError("is not between 0 and 1")
    return number


def _moment(value: Any) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("is not a time with a zone")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Field = tuple[str, Callable[[Any], Any]]

TICK: Mapping[str, Field] = {
    "gpu": ("gpuId", str),
    "model": ("model", str),
    "use_case": ("useCase", str),
    "tokens_per_s": ("tokenPerSec", _number),
    "latency_ms": ("latencyMs", _number),
    "vram_used_mb": ("vramUsedMB", _number),
    "eval_index": ("evalProgressIdx", int),
    "eval_total": ("evalTotal", int),
    "power_w": ("powerW", _number),
    "energy_j": ("energyJ", _number),
    "gpu_util_pct": ("gpuUtilPct", _number),
    "temperature_c": ("temperatureC", _number),
    "output_tokens": ("outputTokens", int),
    "ttft_ms": ("ttftMs", _number),
    "ts": ("ts", _moment),
}
SCORE: Mapping[str, Field] = {
    "model": ("model", str),
    "use_case": ("useCase", str),
    "test_case_id": ("testCaseId", str),
    "composite": ("composite", _share),
    "tokens_per_s": ("tokPerSec", _number),
}
DIMENSIONS: Mapping[str, Field] = {
    "correctness": ("correctness", _share),
    "completeness": ("completeness", _share),
    "format_quality": ("formatQuality", _share),
    "conciseness": ("conciseness", _share),
}
#: the contract demands these of every event; zero and "-" stand for what was not measured or named
REQUIRED: Message = {
    "useCase": "-",
    "latencyMs": 0.0,
    "vramUsedMB": 0.0,
    "evalProgressIdx": 0,
    "evalTotal": 0,
}


def progress(values: Mapping[str, Any], fixed: Message) -> Message:
    """A tick as a message. `fixed` holds runId and eventId, and gpuId and model where the run has only one."""
    payload = {"ts": _moment(datetime.now(UTC))} | fixed | REQUIRED | _renamed(values, TICK)
    _demand(payload, {"gpu": "gpuId", "model": "model", "tokens_per_s": "tokenPerSec"})
    return {"kind": "progress", "payload": payload}


def score(values: Mapping[str, Any], fixed: Message) -> Message:
    """A test case's score as a message; sending it again replaces the first one."""
    dimensions = {name: value for name, value in values.items() if name in DIMENSIONS}
    rest = {name: value for name, value in values.items() if name not in DIMENSIONS}
    payload = fixed | _renamed(rest, SCORE)
    payload["dimensions"] = _renamed(dimensions, DIMENSIONS)
    names = {name: target for name, (target, _) in SCORE.items() if name != "tokens_per_s"}
    _demand(payload, names)
    _demand(payload["dimensions"], {name: target for name, (target, _) in DIMENSIONS.items()})
    return {"kind": "score", "payload": payload}


def run_start(run_id: str, *, label: str, gpus: Sequence[Gpu], models: Sequence[str], note: str) -> Message:
    payload: Message = {
        "runId": run_id,
        "promptLabel": label,
        "startedAt": _moment(datetime.now(UTC)),
        "gpus": [_lane(gpu) for gpu in gpus],
        "models": [str(model) for model in models],
    }
    return {"kind": "run_start", "payload": payload | ({"note": note} if note else {})}


def run_end(run_id: str, status: str, note: str) -> Message:
    payload: Message = {"runId": run_id, "status": status, "endedAt": _moment(datetime.now(UTC))}
    return {"kind": "run_end", "payload": payload | ({"note": note} if note else {})}


def _lane(gpu: Gpu) -> Message:
    lane = {"name": gpu.name, "type": gpu.type, "vramGB": gpu.vram_gb, "costPerHour": gpu.cost_per_hour}
    return {name: value for name, value in lane.items() if value is not None}


def _renamed(values: Mapping[str, Any], fields: Mapping[str, Field]) -> Message:
    """None counts as not given, so that a caller may pass on what its sensor did not tell."""
    found: Message = {}
    for name, value in values.items():
        if name not in fields:
            raise Unusable(f"{name} is not a field; there are {', '.join(fields)}")
        if value is None:
            continue
        target, convert = fields[name]
        try:
            found[target] = convert(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise Unusable(f"{name} cannot be sent: {error}") from None
    return found


def _demand(payload: Message, names: Mapping[str, str]) -> None:
    missing = [name for name, target in names.items() if target not in payload]
    if missing:
        raise Unusable(f"{', '.join(missing)} not given")
