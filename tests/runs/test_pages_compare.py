"""/compare/ of live runs."""

import re

import pytest
from django.utils import timezone

from runs.models import RunStatus
from runs.snapshot import closing, fold
from tests.factories import HardwareFactory
from tests.runs.factories import EvalScoreFactory, LaneFactory, RunFactory, tick

pytestmark = pytest.mark.django_db


def finished(*lanes, **fields):
    """A sealed run; `lanes` are (type, model, tok/s)."""
    events = []
    run = RunFactory(ended_at=timezone.now(), status=RunStatus.FINISHED, last_seq=1, sealed_seq=1, **fields)
    for position, (gpu_type, model, rate) in enumerate(lanes):
        LaneFactory(run=run, name=f"lane {position}", type=gpu_type, position=position)
        events.append(tick(gpuId=f"lane {position}", model=model, tokenPerSec=rate))
    run.snapshot = closing(fold([], events))
    run.save()
    return run


def rows(client, address="/compare/"):
    response = client.get(address)
    assert response.status_code == 200
    found = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", response.content.decode(), re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


def test_before_the_first_end_of_a_run_there_is_nothing_to_compare(client):
    assert "No run has ended yet" in client.get("/compare/").content.decode()


def test_each_gpu_type_has_its_mean_over_runs_fastest_first(client):
    for rate in (100.0, 110.0, 120.0):
        finished(("H100", "m1", rate), ("A6000", "m1", 30.0))

    assert rows(client) == ["H100 110.0 ±23 % 3", "A6000 30.0 ±0 % 3"]


def test_lanes_of_one_run_are_no_independent_repeats(client):
    finished(("H100", "m1", 100.0), ("H100", "m1", 200.0), ("H100", "m1", 300.0))

    assert rows(client) == ["H100 200.0 too few runs 1"]


def test_a_lane_that_the_catalogue_knows_goes_by_its_name_there(client):
    run = finished(("NVIDIA H100 80GB HBM3", "m1", 100.0))
    run.lanes.update(hardware=HardwareFactory(name="H100 SXM"))

    assert rows(client)[0].startswith("H100 SXM 100.0")


def test_only_the_chosen_models_count(client):
    finished(("H100", "m1", 100.0), ("H100", "m2", 50.0), ("A100", "m2", 40.0))

    assert rows(client, "/compare/?model=m1") == ["H100 100.0 too few runs 1"]
    assert rows(client, "/compare/?model=m1&model=m2") == ["H100 75.0 too few runs 1", "A100 40.0 too few runs 1"]


def test_composites_are_means_per_chosen_model(client):
    run = finished(("H100", "m1", 100.0), ("H100", "m2", 50.0))
    for model, composite in (("m1", 0.5), ("m1", 0.7), ("m2", 0.9)):
        EvalScoreFactory(run=run, model=model, composite=composite)

    assert rows(client)[-2:] == ["m2 0.900 1", "m1 0.600 2"]
    assert rows(client, "/compare/?model=m1")[-1] == "m1 0.600 2"


def test_simulated_runs_count_only_when_asked_for(client):
    finished(("H100", "m1", 100.0))
    finished(("H100", "m1", 900.0), is_simulated=True)

    html = client.get("/compare/").content.decode()

    assert rows(client) == ["H100 100.0 too few runs 1"]
    assert "1 simulated run left out" in html
    assert rows(client, "/compare/?simulated=on") == ["H100 500.0 too few runs 2"]
    assert "no measurements" in client.get("/compare/?simulated=on").content.decode()


def test_an_open_run_has_no_say(client):
    run = finished(("H100", "m1", 100.0))
    run.ended_at = None
    run.save()

    assert rows(client) == []


def test_a_model_that_no_run_had_is_left_out_of_the_choice(client):
    finished(("H100", "m1", 100.0))

    assert rows(client, "/compare/?model=nothing") == ["H100 100.0 too few runs 1"]


def test_the_number_of_queries_does_not_grow_with_the_runs(client, django_assert_max_num_queries):
    for _ in range(10):
        finished(("H100", "m1", 100.0))

    with django_assert_max_num_queries(6):
        client.get("/compare/")
