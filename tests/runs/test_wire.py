import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.wire import BadMessage, EvalScore, ProgressEvent, RunEnd, RunStart, parse_message
from tests.runs.messages import progress, run, score


def test_a_bare_event_is_progress() -> None:
    parsed = parse_message(progress())

    assert (parsed.kind, type(parsed.payload)) == ("progress", ProgressEvent)


def test_a_bare_score_is_a_score() -> None:
    parsed = parse_message(score())

    assert (parsed.kind, type(parsed.payload)) == ("score", EvalScore)


def test_an_envelope_brings_its_run_along() -> None:
    parsed = parse_message({"run": run(), "payload": progress()})

    assert parsed.run is not None
    assert (parsed.kind, parsed.run.gpus[0].costPerHour) == ("progress", 1.29)


def test_an_envelope_may_hold_a_score() -> None:
    assert parse_message({"run": run(), "payload": score()}).kind == "score"


@pytest.mark.parametrize(
    ("kind", "payload", "shape"),
    [
        ("progress", progress(), ProgressEvent),
        ("score", score(), EvalScore),
        ("run_start", {"runId": "r", "gpus": [], "models": []}, RunStart),
        ("run_end", {"runId": "r", "status": "failed"}, RunEnd),
    ],
)
def test_a_kind_names_the_shape_of_its_payload(kind: str, payload: Any, shape: type) -> None:
    assert isinstance(parse_message({"kind": kind, "payload": payload}).payload, shape)


def test_aliases_are_read_and_readers_get_the_contracts_names() -> None:
    body = progress(tokPerSec=7.5, vramUsedMb=5, evalIdx=1)
    for name in ("tokenPerSec", "vramUsedMB", "evalProgressIdx"):
        del body[name]

    text = orjson.loads(parse_message({"kind": "progress", "payload": body}).text)

    assert (text["tokenPerSec"], text["vramUsedMB"], text["evalProgressIdx"]) == (7.5, 5, 1)


def test_an_events_own_numbers_and_times_are_kept_as_they_were_sent() -> None:
    body = progress(tokenPerSec=42, ts="2026-05-01T14:00:00.5+02:00", powerW=301.25)

    assert orjson.loads(parse_message(body).text) == body


def test_fields_that_nobody_knows_are_left_out() -> None:
    assert "secret" not in orjson.loads(parse_message(progress(secret="x")).text)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tokenPerSec": "42"}, "tokenPerSec"),
        ({"tokenPerSec": True}, "tokenPerSec"),
        ({"tokenPerSec": -1}, "tokenPerSec"),
        ({"tokenPerSec": float("nan")}, "tokenPerSec"),
        ({"tokenPerSec": float("inf")}, "tokenPerSec"),
        ({"evalTotal": 1.5}, "evalTotal"),
        ({"ts": "2026-05-01T12:00:00"}, "ts"),
        ({"ts": 1777636800000}, "ts"),
        ({"ts": "yesterday"}, "ts"),
        ({"ts": "9999-01-01T00:00:00Z"}, "ts"),
        ({"ts": "1970-01-01T00:00:00Z"}, "ts"),
        ({"model": ""}, "model"),
        ({"model": "x" * 1_000_000}, "model"),
        ({"model": "a\x00b"}, "model"),
        ({"gpuId": None}, "gpuId"),
        ({"runId": 5}, "runId"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadMessage, match=field):
        parse_message(progress(**change))


@pytest.mark.parametrize("name", list(progress()))
def test_a_missing_field_is_refused_by_name(name: str) -> None:
    body = progress()
    del body[name]

    with pytest.raises(BadMessage, match=f"{name} is missing"):
        parse_message(body)


@pytest.mark.parametrize("body", [None, 1, "text", [], {}, {"kind": "nonsense", "payload": {}}, {"payload": {}}])
def test_a_body_of_no_known_shape_is_refused(body: Any) -> None:
    with pytest.raises(BadMessage):
        parse_message(body)


def test_a_score_outside_nought_to_one_is_refused() -> None:
    with pytest.raises(BadMessage, match="composite"):
        parse_message(score(composite=1.2))


def test_an_event_of_tomorrow_is_refused_and_one_of_the_next_hour_is_not() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    soon, later = now + timedelta(hours=1), now + timedelta(days=2)

    assert parse_message(progress(ts=soon.isoformat()), now=now).kind == "progress"
    with pytest.raises(BadMessage, match="ahead"):
        parse_message(progress(ts=later.isoformat()), now=now)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*progress(), "kind", "payload", "run", "id"]), inner, max_size=6)
        ),
        max_leaves=12,
    )
)
def test_anything_is_understood_or_refused_in_words(value: Any) -> None:
    try:
        parsed = parse_message(value)
    except BadMessage:
        return
    json.loads(parsed.text or "{}")
