"""The pages of GPU hosts, and what their operators do there."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from jobs.models import Agent, EnrolmentCode, GpuHold
from jobs.services.agents import enrol
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory, AttemptFactory, GpuFactory, JobFactory, SessionFactory, ago

pytestmark = pytest.mark.django_db

HOST = {"agent_version": "1.4.0", "driver": "575.57.08", "cuda": "12.9", "memory_mib": 257_000, "secret": "s3cret"}


def code_on(page):
    found = re.search(r'id="enrol-code">(gpe_\w+)<', page)
    assert found is not None
    return found[1]


def body(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def operator():
    user = UserFactory(username="operator")
    user.user_permissions.add(Permission.objects.get(codename="operate"))
    return user


@pytest.fixture
def agent(owner):
    agent = AgentFactory(name="lab", owner=owner, host=HOST, labels=["quiet-host"])
    GpuFactory(agent=agent, uuid="GPU-3f2a91c0-5555-6666-7777-888899990000")
    return agent


def state_of(client, agent):
    return client.get(f"/agents/{agent.pk}/").context["page"].row


def test_every_host_is_listed_with_its_gpus_versions_and_what_it_runs(client, agent):
    attempt = AttemptFactory(agent=agent)
    GpuHold.objects.create(gpu=agent.gpus.get(), attempt=attempt)

    text = body(client.get("/agents/"))

    assert "1 x NVIDIA H100 80GB HBM3" in text
    assert "0 of 1 GPU free" in text
    assert "agent 1.4.0, driver 575.57.08, CUDA 12.9" in text
    assert f">Job {attempt.job_id}</a>" in text


def test_a_hosts_page_has_its_gpus_and_readings(client, agent):
    reading = {"uuid": agent.gpus.get().uuid, "power_w": 412.4, "util": 97, "mem_mib": 1024, "temp_c": None}
    Agent.objects.update(vitals={"gpus": [reading]})

    text = body(client.get(f"/agents/{agent.pk}/"))

    assert all(words in text for words in ("412.4 W", "97 %", "1.00 GiB", "251 GiB", "quiet-host"))


def test_nothing_secret_is_shown(client, owner, agent):
    session = SessionFactory(agent=agent)
    client.force_login(owner)

    text = body(client.get(f"/agents/{agent.pk}/")) + body(client.get("/agents/"))

    assert "3f2a91c0" in text
    for secret in ("5555-6666", session.instance_id, str(session.pk), session.boot_id, "s3cret"):
        assert secret not in text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "idle"),
        ({"is_draining": True}, "draining"),
        ({"last_seen_at": None}, "away"),
        ({"last_seen_at": "long ago"}, "away"),
        ({"quarantined_at": "now"}, "quarantined"),
        ({"retired_at": "now"}, "retired"),
    ],
    ids=str,
)
def test_a_host_has_a_state(client, agent, fields, code):
    times = {"now": timezone.now(), "long ago": ago(600)}
    Agent.objects.update(**{name: times.get(value, value) for name, value in fields.items()})

    assert state_of(client, agent).code == code


def test_retired_hosts_are_kept_out_of_sight(client, agent):
    Agent.objects.update(retired_at=timezone.now())

    assert "No GPU host has been connected yet." in body(client.get("/agents/"))
    assert ">lab</a>" in body(client.get("/agents/?retired"))
    assert client.get(f"/agents/{agent.pk}/").status_code == 200


def test_htmx_gets_the_changing_part_alone(client, agent):
    headers = {"HX-Request": "true"}

    assert body(client.get("/agents/", headers=headers)).startswith('<div id="hosts"')
    assert body(client.get(f"/agents/{agent.pk}/", headers=headers)).startswith('<div id="standing"')


def test_a_host_shows_what_it_did_last(client, agent):
    AttemptFactory(agent=agent, job=JobFactory(state="failed"), state="done", outcome="failed", reason="No CUDA.")

    assert "No CUDA." in body(client.get(f"/agents/{agent.pk}/"))


def test_the_list_asks_as_often_for_many_hosts_as_for_few(client, django_assert_max_num_queries):
    for _ in range(10):
        GpuFactory(agent=AgentFactory())

    with django_assert_max_num_queries(6):
        client.get("/agents/")


def test_an_operator_takes_a_host_out_and_in_again(client, owner, agent):
    client.force_login(owner)
    seen = []
    for step in ("drain", "resume", "quarantine", "clear", "retire"):
        client.post(f"/agents/{agent.pk}/{step}/", {"reason": "maintenance"})
        seen.append(state_of(client, agent).code)

    assert seen == ["draining", "idle", "quarantined", "idle", "retired"]


@pytest.mark.parametrize("step", ["drain", "resume", "quarantine", "clear", "retire", "rotate"])
def test_a_stranger_operates_nothing(client, stranger, agent, step):
    client.force_login(stranger)

    assert client.post(f"/agents/{agent.pk}/{step}/").status_code == 404
    assert client.get(f"/agents/{agent.pk}/").context["page"].can_operate is False


@pytest.mark.parametrize("step", ["drain", "rotate"])
def test_steps_are_posted(client, owner, agent, step):
    client.force_login(owner)

    assert client.get(f"/agents/{agent.pk}/{step}/").status_code == 405


def test_a_reason_has_a_length(client, owner, agent):
    client.force_login(owner)

    assert client.post(f"/agents/{agent.pk}/quarantine/", {"reason": "x" * 201}).status_code == 422
    assert state_of(client, agent).code == "idle"


def test_a_code_for_a_new_host_is_shown_once_with_the_commands(client, operator):
    client.force_login(operator)

    page = body(client.post("/agents/enrol/", {"name": "attic-4090"}))
    code = code_on(page)

    assert f"lem-agent enroll http://testserver {code}" in page
    assert enrol(code=code)[0].name == "attic-4090"
    assert code not in body(client.get("/agents/enrol/"))


def test_a_name_that_is_taken_is_refused(client, operator, agent):
    client.force_login(operator)

    answer = client.post("/agents/enrol/", {"name": "lab"})

    assert answer.status_code == 422
    assert "there is a host called" in body(answer)
    assert not EnrolmentCode.objects.exists()


def test_who_may_not_connect_hosts_finds_no_form(client, stranger):
    client.force_login(stranger)

    assert client.get("/agents/enrol/").status_code == 404
    assert client.post("/agents/enrol/", {"name": "mine"}).status_code == 404
    assert "Connect a host" not in body(client.get("/agents/"))


def test_replacing_a_token_stops_the_old_one_and_shows_a_code(client, operator, owner, agent):
    client.force_login(operator)
    code = code_on(body(client.post("/agents/enrol/", {"name": "attic"})))
    attic, _ = enrol(code=code)

    page = client.post(f"/agents/{attic.pk}/rotate/")
    again = code_on(body(page))

    assert not attic.tokens.filter(revoked_at=None).exists()
    assert "no-store" in page["Cache-Control"]
    assert enrol(code=again)[0] == attic


def test_a_retired_host_gets_no_new_code(client, owner, agent):
    Agent.objects.update(retired_at=timezone.now())
    client.force_login(owner)

    answer = client.post(f"/agents/{agent.pk}/rotate/")

    assert answer.status_code == 422
    assert "is retired" in body(answer)


def test_operators_see_the_tokens_by_their_first_characters(client, operator, agent):
    client.force_login(operator)
    code = code_on(body(client.post("/agents/enrol/", {"name": "attic"})))
    attic, token = enrol(code=code)

    mine = body(client.get(f"/agents/{attic.pk}/"))
    client.logout()

    assert attic.tokens.get().shown in mine
    assert token not in mine
    assert attic.tokens.get().shown not in body(client.get(f"/agents/{attic.pk}/"))
