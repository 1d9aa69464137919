"""What the site orders as a race is what the agent's lanes understand, and what they tell is what the site takes."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from gpuagent.race.config import parse_config
from gpuagent.race.lane import WARM_UP_TOKENS
from gpuagent.race.rubric import WEIGHTS, grade
from gpuagent.race.suites import load_suite
from jobs import race_config
from jobs.models import Attempt, Job, Race
from jobs.race_config import RaceOrder, lane_config, render
from jobs.services import lane_messages
from runs.models import Run

ORDER = RaceOrder(
    label="Race",
    model="org/model-8b",
    use_cases=tuple(race_config.USE_CASES),
    agents=(uuid.UUID(int=1),),
    simulate=True,
)


def test_an_order_is_a_configuration_that_the_agent_takes():
    config = lane_config(ORDER, lane="Host ä")

    assert parse_config(render(config)).model_dump() == config


@pytest.mark.parametrize("name", race_config.USE_CASES)
def test_every_use_case_that_can_be_ordered_has_its_suite(name):
    suite = load_suite(name, race_config.SUITE_VERSION)

    assert len(suite.cases) == race_config.CASES_PER_USE_CASE


def test_the_most_that_can_be_ordered_is_the_most_that_runs():
    assert ORDER.model_copy(update={"max_tokens": 16}).max_tokens >= WARM_UP_TOKENS
    most = {"max_tokens": 1024, "concurrency": 64}
    assert parse_config(render(lane_config(ORDER.model_copy(update=most), lane="a"))).concurrency == 64


def test_points_have_the_names_of_the_live_contract():
    case = load_suite("extraction", race_config.SUITE_VERSION).cases[0]
    points = grade(case, case.reference)
    lane = {"lane": "alpha", "model": "org/model-8b", "use_cases": ["extraction"]}
    told = {"useCase": "extraction", "testCaseId": case.id, "composite": points.composite}
    event = {"seq": 1, "type": "score", "data": told | {"dimensions": points.dimensions}}
    attempt, race = Attempt(job=Job(config=lane)), Race(run=Run(key="r"), go_at=timezone.now())

    (message,) = lane_messages.messages_of(attempt, [event], race=race)

    assert set(message.payload.dimensions.model_dump()) == set(WEIGHTS)
