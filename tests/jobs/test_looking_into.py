"""What waits for moderators: executions whose host went away, and those that the site does not know."""

import uuid

import pytest

from accounts.models import User
from jobs.models import Attempt, AttemptState, HostEvent, HostStep, JobEvent, JobState, UnknownExecution
from jobs.queries.looked_at import unknown, unsettled
from jobs.services import agents, clock, looking_into
from jobs.services.cancelling import JobRefused
from jobs.services.leases import StillThere, sweep
from tests.factories import UserFactory
from tests.jobs.calling import Host, session_body
from tests.jobs.factories import AgentFactory, SessionFactory
from tests.jobs.queueing import claim, finish, host, later, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def away(monkeypatch):
    """An attempt whose host has not been heard of for two minutes."""
    attempt = running(host())
    later(monkeypatch, minutes=2)
    return attempt


@pytest.fixture
def lost(monkeypatch):
    """An attempt that was given up when its grace was over."""
    attempt = running(host())
    later(monkeypatch, minutes=17)
    sweep()
    attempt.refresh_from_db()
    return attempt


def inbox():
    return list(unsettled(clock.db_now()).values_list("pk", flat=True))


def decide(client, row, decision, reason="The machine was sold."):
    kind = row._meta.model_name if isinstance(row, UnknownExecution) else "unsettledattempt"
    path = f"/admin/jobs/{kind}/{row.pk}/change/"
    return client.post(path, {"decision": decision, "reason": reason}, follow=True).content.decode()


def test_a_host_that_is_heard_of_is_nobodys_business():
    running(host())

    assert inbox() == []


def test_a_host_that_went_away_with_its_work_is_in_the_inbox(away):
    assert inbox() == [away.pk]


def test_a_lost_execution_stays_in_the_inbox_until_its_report(lost):
    assert inbox() == [lost.pk]

    finish(lost)

    assert inbox() == []


def test_giving_up_queues_the_job_at_once(client, moderator, away):
    client.force_login(moderator)

    decide(client, away, "give_up")

    line = JobEvent.objects.latest("pk")
    assert (Attempt.objects.get().state, away.job.__class__.objects.get().state) == (
        AttemptState.LOST,
        JobState.QUEUED,
    )
    assert (line.event, line.actor, "The machine was sold." in line.reason) == ("lost", moderator, True)


def test_another_host_takes_what_was_given_up(moderator, away):
    looking_into.give_up(attempt=away, by=moderator, reason="Its disk died.")

    assert claim(host()).job_id == away.job_id


def test_a_host_that_came_back_is_not_given_up(moderator):
    attempt = running(host())

    with pytest.raises(StillThere):
        looking_into.give_up(attempt=attempt, by=moderator, reason="Its disk died.")

    assert Attempt.objects.get().state == AttemptState.RUNNING


def test_a_job_is_cancelled_from_the_inbox(client, moderator, lost):
    client.force_login(moderator)

    decide(client, lost, "cancel")

    lost.job.refresh_from_db()
    assert lost.job.state == JobState.CANCELLED


def test_what_was_looked_into_leaves_the_inbox_with_a_line(client, moderator, lost):
    client.force_login(moderator)

    decide(client, lost, "leave")

    line = JobEvent.objects.latest("pk")
    assert inbox() == []
    assert (line.event, line.actor, line.reason) == ("looked_into", moderator, "The machine was sold.")


def test_what_was_looked_into_may_still_report(moderator, lost):
    looking_into.leave(attempt=lost, by=moderator, reason="The machine was sold.")

    assert finish(lost).job_state == JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("kind", "shown", "hidden"),
    [("away", "Give up", "Nothing more to do"), ("lost", "Nothing more to do", "Give up")],
)
def test_only_the_steps_that_are_possible_are_offered(client, moderator, request, kind, shown, hidden):
    client.force_login(moderator)
    row = request.getfixturevalue(kind)

    page = client.get(f"/admin/jobs/unsettledattempt/{row.pk}/change/").content.decode()

    assert shown in page
    assert hidden not in page
    assert "Set the host aside" in page


def test_the_host_is_set_aside_from_the_inbox(client, moderator, away):
    client.force_login(moderator)

    decide(client, away, "set_aside")

    line = HostEvent.objects.get()
    assert (line.agent, line.step, line.actor) == (away.agent, HostStep.QUARANTINE, moderator)


@pytest.fixture
def unknown_one():
    agent = AgentFactory()
    caller = Host(agent, session=SessionFactory(agent=agent, instance_id="instance-one", boot_id="boot-one"))
    told = {"id": str(uuid.uuid4()), "phase": "running"}
    for _ in range(2):
        assert caller.call("POST", "/session", session_body(attempts=[told])).status_code == 201
    return UnknownExecution.objects.get(told_id=told["id"])


def test_an_execution_that_the_site_does_not_know_stands_in_the_inbox_once(unknown_one):
    assert list(unknown()) == [unknown_one]
    assert unknown_one.last_told_at > unknown_one.first_told_at


def test_an_unknown_execution_leaves_the_inbox_with_a_line(client, moderator, unknown_one):
    client.force_login(moderator)

    decide(client, unknown_one, "settle", "Restored from Monday's backup.")

    line = HostEvent.objects.get()
    assert not unknown().exists()
    assert (line.agent, line.step) == (unknown_one.agent, HostStep.SETTLE)
    assert line.reason == f"{unknown_one.told_id}: Restored from Monday's backup."


def test_it_is_settled_once(moderator, unknown_one):
    looking_into.settle_unknown(execution=unknown_one, by=moderator, reason="Seen.")

    with pytest.raises(JobRefused):
        looking_into.settle_unknown(execution=unknown_one, by=moderator, reason="Seen.")


@pytest.mark.parametrize("step", [looking_into.give_up, looking_into.cancel, looking_into.leave])
def test_others_than_moderators_decide_nothing(away, step):
    with pytest.raises(JobRefused):
        step(attempt=away, by=UserFactory(), reason="Mine.")


@pytest.mark.parametrize(
    ("act", "step"),
    [
        (agents.drain, HostStep.DRAIN),
        (agents.resume, HostStep.RESUME),
        (agents.quarantine, HostStep.QUARANTINE),
        (agents.clear_quarantine, HostStep.CLEAR),
        (agents.retire, HostStep.RETIRE),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_each_step_on_a_host_leaves_a_line(moderator, act, step):
    agent = AgentFactory()

    act(agent=agent, by=moderator, reason="It reports 0 W.")

    line = HostEvent.objects.get()
    assert (line.agent, line.step, line.actor, line.reason) == (agent, step, moderator, "It reports 0 W.")


def test_a_new_code_for_a_host_leaves_a_line(moderator):
    agents.reissue_code(agent=AgentFactory(), by=moderator)

    assert HostEvent.objects.get().step == HostStep.ROTATE


def test_the_sites_own_steps_have_no_person():
    agents.quarantine(agent=AgentFactory(), by=None, reason="It failed three times.")

    assert HostEvent.objects.get().actor is None
    assert User.objects.exists()
