"""Races ordered by script: the same rules as on the page, told by the field."""

import pytest

from accounts.models import Scope
from jobs.models import JobKind, Race
from jobs.services.race_ordering import RACES_AT_ONCE
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory
from tests.jobs.racing import MODEL, ordered, racing_host
from tests.jobs.test_jobs_api import post

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return UserFactory(username="anna")


def order(client, user, hosts, /, is_simulated=False, scopes=(Scope.JOBS,), **config):
    given = {"label": "Evening race", "model": MODEL, "use_cases": ["extraction"], "agents": hosts}
    return post(client, "/api/jobs", user, {"kind": "race", "config": given | config, "simulate": is_simulated}, scopes)


def test_a_race_is_answered_with_its_lanes(client, anna):
    hosts = [racing_host(), racing_host()]

    answer = order(client, anna, [hosts[0].agent.name, str(hosts[1].agent.pk)])

    race, body = Race.objects.get(), answer.json()
    assert answer.status_code == 201
    assert body["id"] == race.pk
    assert (body["state"], body["starts_at"]) == ("waiting", None)
    assert body["url"] == answer["Location"] == f"http://testserver/races/{race.pk}/"
    assert [(lane["host"], lane["state"]) for lane in body["lanes"]] == [(host.agent.name, "queued") for host in hosts]
    assert [lane["job"] for lane in body["lanes"]] == list(race.jobs.order_by("pk").values_list("pk", flat=True))


def test_its_lanes_are_jobs_of_who_ordered_it(client, anna):
    order(client, anna, [racing_host().agent.name])

    job = anna.jobs.get()
    assert (job.kind, job.race.owner) == (JobKind.RACE, anna)


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"base_url": "http://10.0.0.1"}, "config.base_url", "there is no such field"),
        ({"env": {"LD_PRELOAD": "/x"}}, "config.env", "there is no such field"),
        ({"model": "../../etc/passwd"}, "config.model", "written as"),
        ({"use_cases": ["chess"]}, "config.use_cases", "must be of"),
        ({"agents": ["nobody"]}, "config.agents", "no host is called 'nobody'"),
        ({"agents": "host"}, "config.agents", "must be a valid"),
        ({"agents": [7]}, "config.agents.0", "UUID"),
        ({"simulate": True}, "config.simulate", "beside config"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "config.starts_at", "passed"),
    ],
    ids=["an address", "environment", "a path", "a use case", "a host", "no list", "a number", "a flag", "the past"],
)
def test_what_cannot_be_raced_is_named(client, anna, config, field, words):
    answer = order(client, anna, [racing_host().agent.name], **config)

    assert answer.status_code == 422
    assert words in answer.json()["error"]["fields"][field]
    assert not Race.objects.exists()


def test_measured_and_simulated_hosts_do_not_race_each_other(client, anna):
    answer = order(client, anna, [racing_host().agent.name], is_simulated=True)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["config.agents"])


def test_a_host_without_a_gpu_takes_no_lane(client, anna):
    assert order(client, anna, [AgentFactory().name]).status_code == 422


def test_one_race_too_many_is_for_later(client, anna):
    hosts = [racing_host() for _ in range(RACES_AT_ONCE + 1)]
    for host in hosts[1:]:
        ordered([host], owner=anna)

    answer = order(client, anna, [hosts[0].agent.name])

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_a_token_without_the_scope_orders_no_race(client, anna):
    assert order(client, anna, [racing_host().agent.name], scopes=(Scope.READ,)).status_code == 403
