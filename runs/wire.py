"""The shapes of the live contract: what senders may send, and its JSON Schemas.

What a sender gives is kept as it was given, less what no field knows: readers get the sender's own numbers back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

MAX_TEXT = 200
MAX_LANES = 64
MAX_MODELS = 200
MAX_AHEAD = timedelta(days=1)
ALIASES = {"tokPerSec": "tokenPerSec", "vramUsedMb": "vramUsedMB", "evalIdx": "evalProgressIdx"}
SCORE_KEYS = frozenset({"testCaseId", "composite", "dimensions"})


class BadMessage(ValueError):
    """A body that no shape of the contract fits; one plain sentence naming the field."""


def _is_time_text(value: Any) -> Any:
    """A bare number would leave its unit open."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("must be an ISO 8601 time with a zone, such as 2026-05-01T12:00:00.000Z")
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
AnyText = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Time = Annotated[AwareDatetime, BeforeValidator(_is_time_text)]
Number = Annotated[float, Field(strict=True, ge=0, le=1e15, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class Body(BaseModel):
    """Field names are the contract's own, in camel case."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


BodyT = TypeVar("BodyT", bound=Body)


class GpuConfig(Body):
    """One lane: a GPU or a group of GPUs."""

    name: Text
    type: AnyText = ""
    vramGB: Number | None = None  # noqa: N815
    costPerHour: Number | None = None  # noqa: N815


class RunBody(Body):
    """A run as senders describe it and readers get it."""

    id: Text
    startedAt: Time  # noqa: N815
    endedAt: Time | None = None  # noqa: N815
    label: AnyText | None = None
    gpus: Annotated[list[GpuConfig], Field(max_length=MAX_LANES)] = []
    models: Annotated[list[Text], Field(max_length=MAX_MODELS)] = []
    simulated: bool = False


class ProgressEvent(Body):
    """One tick of one lane."""

    runId: Text  # noqa: N815
    ts: Time
    gpuId: Text  # noqa: N815
    model: Text
    useCase: Text  # noqa: N815
    tokenPerSec: Number  # noqa: N815
    latencyMs: Number  # noqa: N815
    vramUsedMB: Number  # noqa: N815
    evalProgressIdx: Count  # noqa: N815
    evalTotal: Count  # noqa: N815
    powerW: Number | None = None  # noqa: N815
    energyJ: Number | None = None  # noqa: N815
    gpuUtilPct: Number | None = None  # noqa: N815
    temperatureC: Number | None = None  # noqa: N815
    outputTokens: Count | None = None  # noqa: N815
    ttftMs: Number | None = None  # noqa: N815
    eventId: Text | None = None  # noqa: N815


class Dimensions(Body):
    """What a composite is made of."""

    correctness: Share
    completeness: Share
    formatQuality: Share  # noqa: N815
    conciseness: Share


class EvalScore(Body):
    """How well one model did on one test case."""

    runId: Text  # noqa: N815
    model: Text
    useCase: Text  # noqa: N815
    testCaseId: Text  # noqa: N815
    composite: Share
    dimensions: Dimensions
    tokPerSec: Number | None = None  # noqa: N815


class RunStart(Body):
    """`run_start`: a run is about to stream."""

    runId: Text  # noqa: N815
    gpus: Annotated[list[GpuConfig], Field(max_length=MAX_LANES)] = []
    models: Annotated[list[Text], Field(max_length=MAX_MODELS)] = []
    promptLabel: AnyText | None = None  # noqa: N815
    note: Note | None = None
    startedAt: Time | None = None  # noqa: N815
    simulated: bool = False


class RunEnd(Body):
    """`run_end`: nothing more is to come."""

    runId: Text  # noqa: N815
    status: Literal["running", "finished", "completed", "failed", "stopped", "cancelled"] | None = None
    note: Note | None = None
    endedAt: Time | None = None  # noqa: N815


#: what the writer stores; a start and an end change the run, the rest are rows
Message = ProgressEvent | EvalScore | RunStart | RunEnd


@dataclass(frozen=True, slots=True)
class Parsed:
    """One understood message: its kind in the reply, the run it came with, and an event's text as readers get it."""

    kind: Literal["progress", "score", "run_start", "run_end"]
    payload: Message
    run: RunBody | None = None
    #: the event without unknown fields, compact JSON
    text: str = ""


def parse_message(value: Any, *, now: datetime | None = None) -> Parsed:
    """Understand one body of the contract. Raises BadMessage with one sentence that names the field."""
    if not isinstance(value, dict):
        raise BadMessage("The body must be a JSON object, or an array of them.")
    run = None
    if "payload" in value and "run" in value:
        run = _validated(RunBody, value["run"], "run.")
        _refuse_future(run.startedAt, "run.startedAt", now)
    if "payload" in value:
        payload, kind = value["payload"], value.get("kind")
        if not isinstance(payload, dict):
            raise BadMessage("payload must be a JSON object.")
        if kind is None and run is None:
            raise BadMessage("kind is missing: progress, score, run_start or run_end.")
        return _parse_payload(payload, kind, run, now)
    return _parse_payload(value, None, None, now)


def _parse_payload(payload: dict[str, Any], kind: Any, run: RunBody | None, now: datetime | None) -> Parsed:
    if run is not None and "runId" not in payload:
        payload = {**payload, "runId": run.id}
    if kind is None:
        kind = "score" if not SCORE_KEYS.isdisjoint(payload) else "progress"
    if kind == "progress":
        body = {ALIASES.get(name, name): value for name, value in payload.items()}
        event = _validated(ProgressEvent, body)
        _refuse_future(event.ts, "ts", now)
        return Parsed("progress", event, run, _event_text(body))
    if kind == "score":
        return Parsed("score", _validated(EvalScore, payload), run)
    if kind == "run_start":
        start = _validated(RunStart, payload)
        if start.startedAt is not None:
            _refuse_future(start.startedAt, "startedAt", now)
        return Parsed("run_start", start, run)
    if kind == "run_end":
        return Parsed("run_end", _validated(RunEnd, payload), run)
    raise BadMessage("kind must be progress, score, run_start or run_end.")


def _validated(shape: type[BodyT], value: Any, prefix: str = "") -> BodyT:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = prefix + ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
        problem = problem.replace("Field required", "is missing").replace("Value error, ", "")
        raise BadMessage(f"{field or 'The body'} {problem[:1].lower()}{problem[1:160]}.") from None


def _refuse_future(moment: datetime, field: str, now: datetime | None) -> None:
    if moment > (now or datetime.now(UTC)) + MAX_AHEAD:
        raise BadMessage(f"{field} is more than a day ahead of the clock here.")
    if moment.year < 2000:
        raise BadMessage(f"{field} lies before the year 2000.")


def _event_text(body: Mapping[str, Any]) -> str:
    """The event as its sender wrote it, in the contract's names, less what no field knows; without line breaks."""
    kept = {name: body[name] for name in ProgressEvent.model_fields if body.get(name) is not None}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
