"""Ordering a race: what may be ordered, and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydantic import ValidationError

from accounts.services.bans import Banned, ban
from jobs.models import Job, JobKind, JobState, Race
from jobs.race_config import LEAD_S, USE_CASES, RaceOrder, lane_config, render
from jobs.services.cancelling import cancel_job
from jobs.services.race_ordering import RaceRefused, cancel_race, order_race
from runs.models import Run
from tests.factories import LanguageModelFactory, UserFactory
from tests.jobs.factories import JobFactory
from tests.jobs.queueing import claim, host
from tests.jobs.racing import MODEL, lanes, ordered, racing_host

pytestmark = pytest.mark.django_db

AGENT = "7d9f0b5e-1f5f-4c54-8e06-2f1f5f0c0001"
ORDER: dict[str, Any] = {"label": "Race", "model": MODEL, "use_cases": ["extraction"], "agents": [AGENT]}

BAD_ORDERS = {
    "an address": ({"base_url": "http://10.0.0.1"}, "base_url"),
    "environment": ({"env": {"LD_PRELOAD": "/x"}}, "env"),
    "an image": ({"image": "evil:latest"}, "image"),
    "a path as model": ({"model": "../../etc/passwd"}, "model"),
    "an address as model": ({"model": "http://host/model"}, "model"),
    "a model with a line break": ({"model": "org/model\nkey: value"}, "model"),
    "no label": ({"label": ""}, "label"),
    "a label with control characters": ({"label": "a\x1b[2J"}, "label"),
    "an unknown use case": ({"use_cases": ["chess"]}, "use_cases"),
    "no use case": ({"use_cases": []}, "use_cases"),
    "no host": ({"agents": []}, "agents"),
    "a host twice": ({"agents": [AGENT, AGENT]}, "agents"),
    "no host's id": ({"agents": ["localhost"]}, "agents"),
    "too many tokens": ({"max_tokens": 10**6}, "max_tokens"),
    "tokens as text": ({"max_tokens": "64"}, "max_tokens"),
    "a flag as concurrency": ({"concurrency": True}, "concurrency"),
    "a time without a zone": ({"starts_at": "2030-01-01T00:00:00"}, "starts_at"),
}


@pytest.mark.parametrize(("changes", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_what_cannot_be_raced_is_refused_by_its_field(changes, field):
    with pytest.raises(ValidationError) as refused:
        RaceOrder.model_validate({**ORDER, **changes})

    assert refused.value.errors()[0]["loc"][0] == field


def test_use_cases_come_once_each_and_in_one_order():
    order = RaceOrder.model_validate({**ORDER, "use_cases": [*reversed(list(USE_CASES)), "extraction"][:4]})

    assert order.use_cases == tuple(USE_CASES)


def test_what_a_host_is_given_names_no_address():
    text = render(lane_config(RaceOrder.model_validate(ORDER), lane="host-a"))

    assert "http" not in text
    assert "host-a" in text


def test_an_order_makes_one_run_and_a_queued_job_for_each_host():
    hosts = [racing_host(), racing_host()]
    owner = UserFactory()

    race = ordered(hosts, owner=owner)

    jobs = lanes(race)
    assert [job.agent_wanted for job in jobs] == [one.agent for one in hosts]
    assert {(job.kind, job.state, job.owner) for job in jobs} == {(JobKind.RACE, JobState.QUEUED, owner)}
    assert None not in [job.ticket_id for job in jobs]
    assert (race.run.label, race.run.owner, race.run.ended_at) == ("Evening race", owner, None)


def test_only_the_host_that_was_asked_for_gets_the_lane():
    wanted, other = racing_host(), racing_host()
    ordered([wanted])

    assert claim(other) is None
    assert claim(wanted).job.kind == JobKind.RACE


def test_a_host_without_a_model_server_gets_no_lane():
    plain = host(executors=("container",))
    ordered([plain])

    assert claim(plain) is None


def test_a_host_that_reports_no_gpu_is_refused():
    with pytest.raises(RaceRefused, match="alpha reports no GPU"):
        ordered([racing_host(name="alpha", gpus=0)])


def test_the_lane_holds_a_gpu_so_that_no_other_job_runs_beside_it():
    one = racing_host()
    ordered([one])

    assert claim(one).gpu_uuids == [one.gpus[0].uuid]


def test_the_model_of_the_catalogue_is_found_by_its_name():
    model = LanguageModelFactory(name=MODEL)

    race = ordered([racing_host()])

    assert lanes(race)[0].model == model


def test_hosts_are_taken_five_minutes_before_a_scheduled_start():
    moment = timezone.now() + timedelta(hours=3)
    one = racing_host()

    race = ordered([one], starts_at=moment)

    assert lanes(race)[0].available_at == moment - timedelta(seconds=LEAD_S)
    assert claim(one) is None
    assert race.run.started_at == moment


@pytest.mark.parametrize("ahead", [timedelta(minutes=-1), timedelta(days=31)], ids=["passed", "far"])
def test_a_start_that_cannot_be_is_refused(ahead):
    with pytest.raises(RaceRefused) as refused:
        ordered([racing_host()], starts_at=timezone.now() + ahead)

    assert refused.value.field == "starts_at"


@pytest.mark.parametrize(
    "fields",
    [{"is_draining": True}, {"retired_at": timezone.now()}, {"quarantined_at": timezone.now()}],
    ids=["draining", "retired", "quarantined"],
)
def test_a_host_that_takes_no_jobs_is_refused(fields):
    with pytest.raises(RaceRefused, match="takes no jobs"):
        ordered([racing_host(**fields)])

    assert not Race.objects.exists()


def test_simulated_and_real_hosts_do_not_race_each_other():
    with pytest.raises(RaceRefused, match="among themselves"):
        ordered([racing_host(), racing_host(is_simulated=True)])


def test_a_simulated_race_is_marked_in_all_its_rows():
    race = ordered([racing_host(is_simulated=True)], simulate=True)

    assert (race.is_simulated, race.run.is_simulated, lanes(race)[0].is_simulated) == (True, True, True)


def test_a_third_race_at_once_is_refused():
    owner = UserFactory()
    for _ in range(2):
        ordered([racing_host()], owner=owner)

    with pytest.raises(RaceRefused, match="2 races"):
        ordered([racing_host()], owner=owner)


def test_a_race_that_is_over_frees_its_place():
    owner = UserFactory()
    races = [ordered([racing_host()], owner=owner) for _ in range(2)]
    cancel_job(job=lanes(races[0])[0], by=owner)

    assert ordered([racing_host()], owner=owner).pk


def test_lanes_count_towards_the_jobs_that_one_may_have():
    owner = UserFactory()
    JobFactory.create_batch(20, owner=owner)

    with pytest.raises(RaceRefused) as refused:
        ordered([racing_host()], owner=owner)

    assert refused.value.field == "agents"


def test_someone_who_is_banned_cannot_order(moderator):
    owner = UserFactory()
    ban(user=owner, by=moderator, reason="Noise.")

    with pytest.raises(Banned):
        ordered([racing_host()], owner=owner)

    assert not any(model.objects.exists() for model in (Race, Run, Job))


def test_cancelling_a_race_cancels_each_lane_once():
    owner = UserFactory()
    race = ordered([racing_host(), racing_host()], owner=owner)

    assert cancel_race(race=race, by=owner) == 2
    assert cancel_race(race=race, by=owner) == 0
    assert {job.state for job in lanes(race)} == {JobState.CANCELLED}


def test_an_unknown_host_is_refused():
    with pytest.raises(RaceRefused) as refused:
        order_race(owner=UserFactory(), order=RaceOrder.model_validate(ORDER))

    assert refused.value.field == "agents"
