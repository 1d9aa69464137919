"""GET /api/runs…: the contract's reads, and its schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from runs.api.schemas import SHAPES, json_schema
from runs.models import ProgressEvent, Run
from runs.services import ensure_runs, store_scores
from runs.wire import parse_message
from tests.runs.messages import progress, run, score

pytestmark = pytest.mark.django_db


def store(*events: dict[str, Any]) -> Run:
    """A described run with these events, in this order of arrival."""
    described = parse_message({"run": run(), "payload": progress()})
    with transaction.atomic():
        ids, _ = ensure_runs({"run-1": (described, None)})
        for seq, event in enumerate(events, start=1):
            parsed = parse_message(event)
            ProgressEvent.objects.create(
                run_id=ids["run-1"], seq=seq, ts=event["ts"], gpu_id=event["gpuId"], body=parsed.text
            )
        Run.objects.filter(pk=ids["run-1"]).update(last_seq=len(events), event_count=len(events))
    return Run.objects.get(key="run-1")


def at(second: float, **fields: Any) -> dict[str, Any]:
    return progress(ts=f"2026-05-01T12:00:{second:06.3f}Z", **fields)


def get(client: Any, path: str) -> Any:
    response = client.get(path)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, json.loads(body)


def test_runs_are_listed_with_their_lanes(client) -> None:
    store()

    status, answer = get(client, "/api/runs")

    assert status == 200
    assert {name: answer["runs"][0][name] for name in run()} == run()


def test_a_run_comes_with_its_scores(client) -> None:
    stored = store()
    store_scores(run_id=stored.pk, scores=[parse_message(score()).payload])  # type: ignore[list-item]

    _, answer = get(client, "/api/runs/run-1")

    assert (answer["run"]["id"], answer["scores"]) == ("run-1", [score()])


@pytest.mark.parametrize("path", ["/api/runs/nobody", "/api/runs/nobody/events"])
def test_an_unknown_run_is_404_in_the_contracts_form(client, path) -> None:
    assert get(client, path) == (404, {"error": "There is no such run."})


def test_events_come_back_exactly_as_they_were_sent(client) -> None:
    sent = [at(1, powerW=300.5), at(2, eventId="e-2")]
    store(*sent)

    assert get(client, "/api/runs/run-1/events") == (200, {"events": sent})


def test_events_are_read_in_order_of_their_time(client) -> None:
    store(at(3), at(1), at(2))

    _, answer = get(client, "/api/runs/run-1/events")

    assert [event["ts"][-6:-1] for event in answer["events"]] == ["1.000", "2.000", "3.000"]


def test_after_and_limit_page_by_arrival(client) -> None:
    store(*(at(n, evalProgressIdx=n) for n in range(5)))

    _, answer = get(client, "/api/runs/run-1/events?after=1&limit=2")

    assert [event["evalProgressIdx"] for event in answer["events"]] == [1, 2]


def test_a_resolution_keeps_one_event_of_each_lane_in_its_time(client) -> None:
    store(at(0.1), at(0.2), at(0.3, gpuId="gpu-1"), at(1.1))

    _, answer = get(client, "/api/runs/run-1/events?resolution=1000")

    assert [(event["gpuId"], event["ts"][-6:-1]) for event in answer["events"]] == [
        ("gpu-0", "0.100"),
        ("gpu-1", "0.300"),
        ("gpu-0", "1.100"),
    ]


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "limit=99999999", "resolution=1.5", "after=" + "9" * 40])
def test_a_wrong_parameter_is_named(client, query) -> None:
    store()

    status, answer = get(client, f"/api/runs/run-1/events?{query}")

    assert (status, query.split("=")[0] in answer["error"]) == (400, True)


@pytest.mark.parametrize("name", ["ProgressEvent", "progress-event", "EvalScore", "run", "gpu-config"])
def test_schemas_are_served(client, name) -> None:
    response = client.get(f"/schemas/{name}.schema.json")

    assert response.status_code == 200
    assert response.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_an_unknown_schema_is_404(client) -> None:
    assert client.get("/schemas/nonsense.schema.json").status_code == 404


def test_the_schemas_name_every_field_of_the_contract() -> None:
    fields = {name: set(json_schema(name)["properties"]) for name in SHAPES}

    assert set(progress()) <= fields["ProgressEvent"]
    assert set(score()) <= fields["EvalScore"]
    assert set(run()) <= fields["Run"]
    assert set(run()["gpus"][0]) <= fields["GpuConfig"]
