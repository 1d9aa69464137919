"""What a lane tells, on its way into the live run. The writer has a transaction of its own, so tests commit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from jobs.models import Attempt, Job, Race
from jobs.services.errors import AgentRefused
from jobs.services.lane_messages import messages_of
from jobs.services.racing import forward
from runs import ingest
from runs.models import EvalScore, ProgressEvent, Run
from runs.writer import WriterBusy
from tests.jobs.factories import AttemptFactory
from tests.jobs.racing import MODEL, begun, ordered, racing_host, score, started, tick


@pytest.fixture
def _writer_ends() -> Any:
    yield
    ingest.writer.stop()


@pytest.fixture
def lane(transactional_db: None, _writer_ends: None) -> Any:
    race, attempts = started([racing_host(name="alpha"), racing_host(name="beta")])
    return race, attempts[0]


def stored() -> list[dict[str, Any]]:
    return [json.loads(body) for body in ProgressEvent.objects.order_by("seq").values_list("body", flat=True)]


def test_a_tick_is_in_the_live_run_as_the_site_names_it(lane):
    race, attempt = lane

    forward(attempt, [tick(7)])

    event = stored()[0]
    assert (event["runId"], event["gpuId"], event["model"]) == (race.run.key, "alpha", MODEL)
    assert event["eventId"] == f"{attempt.pk}-7"
    assert (event["tokenPerSec"], event["powerW"], event["evalProgressIdx"]) == (101.5, 301.0, 3)


def test_its_time_counts_from_the_common_start_not_from_the_hosts_clock(lane):
    race, attempt = lane

    forward(attempt, [tick(t_s=2.5, ts="1999-01-01T00:00:00Z")])

    expected = race.go_at + timedelta(seconds=2.5)
    assert stored()[0]["ts"] == expected.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_the_same_events_again_are_stored_once(lane):
    _, attempt = lane

    forward(attempt, [tick(1), tick(2, t_s=1.65)])
    forward(attempt, [tick(2, t_s=1.65), tick(3, t_s=2.0)])

    assert [event["eventId"].rpartition("-")[2] for event in stored()] == ["1", "2", "3"]


def test_a_score_names_its_lane_because_every_lane_has_the_same_cases(lane):
    _, attempt = lane

    forward(attempt, [score()])

    found = EvalScore.objects.get()
    assert (found.test_case_id, found.model, found.composite) == ("extraction-01@alpha", MODEL, 0.9)
    assert found.completeness == 0.5


def test_a_lane_cannot_speak_for_another_lane_run_or_model(lane):
    race, attempt = lane

    forward(attempt, [tick(gpuId="beta", runId="other", model="org/other", eventId="x")])

    event = stored()[0]
    assert (event["gpuId"], event["runId"], event["model"]) == ("alpha", race.run.key, MODEL)


def test_a_batch_that_says_ready_makes_the_lane_ready(transactional_db):
    hosts = [racing_host()]
    race = ordered(hosts)
    (attempt,) = begun(race, hosts)

    forward(attempt, [{"seq": 1, "t": 3.0, "type": "ready", "data": {}}])

    race.refresh_from_db()
    assert race.go_at is not None


BAD = {
    "no time": tick(t_s=None),
    "before the start": tick(t_s=-1),
    "a flag as time": tick(t_s=True),
    "text as time": tick(t_s="1"),
    "endless time": tick(t_s=1e300),
    "no number": tick(t_s=float("nan")),
    "negative speed": tick(tokenPerSec=-5),
    "infinite speed": tick(tokenPerSec=float("inf")),
    "speed as text": tick(tokenPerSec="fast"),
    "speed as a list": tick(tokenPerSec=[1]),
    "huge count": tick(outputTokens=2**60),
    "another use case": tick(useCase="chess"),
    "use case as object": tick(useCase={}),
    "no data": {"seq": 1, "t": 0.0, "type": "tick", "data": []},
    "unknown type": {"seq": 1, "t": 0.0, "type": "run_end", "data": {"status": "failed"}},
    "score above one": score(composite=1.5),
    "score without case": score(testCaseId=None),
    "score with a long case": score(testCaseId="x" * 500),
    "score without dimensions": score(dimensions=None),
    "score of zero bytes": score(testCaseId="a\x00b"),
}


@pytest.mark.parametrize("event", BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_left_out_and_the_rest_is_kept(event):
    race = Race(run=Run(key="race-1"), go_at=timezone.now())
    attempt = Attempt(job=Job(config={"lane": "alpha", "model": MODEL, "use_cases": ["extraction"]}))

    messages = messages_of(attempt, [event, tick(99)], race=race)

    assert [message.payload.eventId for message in messages] == [f"{attempt.pk}-99"]


def test_nothing_is_forwarded_before_the_start(transactional_db):
    hosts = [racing_host(), racing_host()]
    first, _ = begun(ordered(hosts), hosts)

    forward(first, [tick()])

    assert stored() == []


def test_a_benchmarks_events_go_nowhere(transactional_db):
    forward(AttemptFactory(), [tick()])

    assert stored() == []


@pytest.mark.parametrize("error", [WriterBusy(), DatabaseError("locked")], ids=["busy", "database"])
def test_what_cannot_be_stored_now_is_to_be_sent_again(lane, monkeypatch, error):
    def refuse(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(ingest.writer, "submit", refuse)

    with pytest.raises(AgentRefused) as refused:
        forward(lane[1], [tick()])

    assert (refused.value.status, refused.value.code) == (503, "busy")
