"""The admin of jobs: to look at, and steps on hosts."""

import pytest
from django.core.management import CommandError, call_command

from jobs.models import EnrolmentCode
from jobs.services.agents import enrol
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory, AttemptFactory, JobEventFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["agent", "job", "attempt", "jobevent"])
def test_moderators_look_at_lists_and_rows(client, moderator, kind):
    client.force_login(moderator)
    attempt = AttemptFactory()
    event = JobEventFactory(job=attempt.job, attempt=attempt)
    row = {"agent": attempt.agent, "job": attempt.job, "attempt": attempt, "jobevent": event}[kind]

    assert client.get(f"/admin/jobs/{kind}/").status_code == 200
    assert client.get(f"/admin/jobs/{kind}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("kind", ["job", "attempt", "jobevent"])
def test_nobody_changes_or_deletes_them(client, kind):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    attempt = AttemptFactory()
    event = JobEventFactory(job=attempt.job)
    row = {"job": attempt.job, "attempt": attempt, "jobevent": event}[kind]

    assert client.get(f"/admin/jobs/{kind}/add/").status_code == 403
    assert client.post(f"/admin/jobs/{kind}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_secrets_have_no_page(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    assert client.get("/admin/jobs/agenttoken/").status_code == 404
    assert client.get("/admin/jobs/enrolmentcode/").status_code == 404


def test_a_host_is_set_aside_with_a_reason(client, moderator):
    client.force_login(moderator)
    agent = AgentFactory()

    client.post(f"/admin/jobs/agent/{agent.pk}/change/", {"decision": "quarantine", "reason": "It reports 0 W."})

    agent.refresh_from_db()
    assert agent.quarantine_reason == "It reports 0 W."


def test_a_retired_host_takes_no_step(client, moderator):
    client.force_login(moderator)
    agent = AgentFactory()
    session = SessionFactory(agent=agent)

    client.post(f"/admin/jobs/agent/{agent.pk}/change/", {"decision": "retire", "reason": "Sold."})

    session.refresh_from_db()
    assert session.ended_at is not None
    assert "Retire for good" not in client.get(f"/admin/jobs/agent/{agent.pk}/change/").content.decode()


def test_the_command_prints_a_code_that_works(capsys):
    UserFactory(username="operator")

    call_command("enrol_agent", "gpu-1", "--owner", "operator")

    printed = capsys.readouterr().out
    code = printed.split()[1]
    assert f"lem-agent enroll http://testserver {code}" in printed
    agent, _ = enrol(code=code)
    assert (agent.name, agent.owner.username) == ("gpu-1", "operator")


@pytest.mark.parametrize("arguments", [["a/b"], ["gpu-1", "--owner", "nobody"]], ids=["name", "owner"])
def test_the_command_says_what_is_wrong(arguments):
    with pytest.raises(CommandError):
        call_command("enrol_agent", *arguments)

    assert not EnrolmentCode.objects.exists()
