"""What a lane's program tells, as messages of the live contract. Who tells it, for which run, is the site's to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from jobs.models import Attempt, Race
from runs.wire import BadMessage, Parsed, parse_message

MAX_T_S = 24 * 3600
#: of a tick, as the live contract names them; the rest of an event is the site's
TICK_FIELDS = frozenset(
    {
        "useCase",
        "tokenPerSec",
        "latencyMs",
        "vramUsedMB",
        "evalProgressIdx",
        "evalTotal",
        "powerW",
        "energyJ",
        "gpuUtilPct",
        "temperatureC",
        "outputTokens",
        "ttftMs",
    }
)
SCORE_FIELDS = frozenset({"useCase", "composite", "dimensions", "tokPerSec"})
#: the contract demands them of every event
UNMEASURED: Mapping[str, Any] = {"latencyMs": 0, "vramUsedMB": 0}


def messages_of(attempt: Attempt, events: Iterable[Mapping[str, Any]], *, race: Race) -> list[Parsed]:
    """Ticks and scores, each under an id that follows from its number; what is no such thing is left out."""
    messages = []
    for event in events:
        make = MAKERS.get(str(event.get("type")))
        if make is None or not isinstance(event.get("data"), dict):
            continue
        try:
            messages.append(parse_message(make(attempt, event, race)))
        except (BadMessage, KeyError, TypeError, OverflowError):
            # The agent keeps its program's output as an event of the attempt; the live path takes only what fits.
            continue
    return messages


def _tick(attempt: Attempt, event: Mapping[str, Any], race: Race) -> dict[str, Any]:
    data = event["data"]
    # Seconds since the start, on the host's own monotonic clock: all lanes share one origin, whatever their clocks say.
    since_go_s = data["t_s"]
    if isinstance(since_go_s, bool) or not isinstance(since_go_s, int | float) or not 0 <= since_go_s <= MAX_T_S:
        raise BadMessage("t_s must be the seconds since the start.")
    assert race.go_at is not None  # noqa: S101 - a race without it has no events yet
    moment = race.go_at + timedelta(seconds=round(since_go_s, 3))
    given = {name: value for name, value in data.items() if name in TICK_FIELDS and value is not None}
    _refuse_other_use_case(attempt, given)
    fixed = {
        "runId": race.run.key,
        "gpuId": attempt.job.config["lane"],
        "model": attempt.job.config["model"],
        "ts": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventId": f"{attempt.pk}-{int(event['seq'])}",
    }
    return {"kind": "progress", "payload": {**UNMEASURED, **given, **fixed}}


def _score(attempt: Attempt, event: Mapping[str, Any], race: Race) -> dict[str, Any]:
    data = event["data"]
    if not isinstance(data["testCaseId"], str):
        raise BadMessage("testCaseId must be text.")
    given = {name: data[name] for name in SCORE_FIELDS if data.get(name) is not None}
    _refuse_other_use_case(attempt, given)
    # Every lane answers the same cases, and the contract knows a score by run, model, use case and case alone.
    fixed = {
        "runId": race.run.key,
        "model": attempt.job.config["model"],
        "testCaseId": f"{data['testCaseId']}@{attempt.job.config['lane']}",
    }
    return {"kind": "score", "payload": given | fixed}


def _refuse_other_use_case(attempt: Attempt, given: Mapping[str, Any]) -> None:
    if given["useCase"] not in attempt.job.config["use_cases"]:
        raise BadMessage("useCase must be one that was ordered.")


MAKERS = {"tick": _tick, "score": _score}
