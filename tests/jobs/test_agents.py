"""Hosts: codes, tokens, and what people do with them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import Notification
from jobs.models import Agent, AgentToken, EnrolmentCode
from jobs.services import agents
from jobs.services.callers import find_caller
from jobs.services.errors import AgentRefused
from lemsite.lib import secret_tokens
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory, GpuFactory, SessionFactory


@pytest.fixture
def operator(db):
    user = UserFactory(username="operator")
    user.user_permissions.add(Permission.objects.get(codename="operate"))
    return user


@pytest.fixture
def enrolled(operator):
    """An agent, and the plain text of its token."""
    _, code = agents.issue_code(by=operator, name="gpu-1")
    return agents.enrol(code=code)


def token_of(agent):
    return AgentToken.objects.filter(agent=agent).latest("pk")


def later(row, **changes):
    type(row).objects.filter(pk=row.pk).update(**changes)


def test_a_code_becomes_a_host_of_who_made_it(operator, enrolled):
    agent, plain = enrolled

    assert (agent.name, agent.owner) == ("gpu-1", operator)
    assert find_caller(plain).agent == agent


def test_neither_code_nor_token_is_kept(operator):
    _, code = agents.issue_code(by=operator, name="gpu-1")
    _, plain = agents.enrol(code=code)

    assert code not in str(EnrolmentCode.objects.values_list())
    assert plain not in str(AgentToken.objects.values_list())


def test_a_code_is_spent_once(operator):
    _, code = agents.issue_code(by=operator, name="gpu-1")
    agents.enrol(code=code)

    with pytest.raises(AgentRefused) as refused:
        agents.enrol(code=code)

    assert refused.value.status == 401


def test_a_code_lives_an_hour(operator):
    row, code = agents.issue_code(by=operator, name="gpu-1")
    later(row, expires_at=timezone.now())

    with pytest.raises(AgentRefused):
        agents.enrol(code=code)


def test_connecting_a_host_needs_the_permission(stranger):
    with pytest.raises(agents.NotAllowed):
        agents.issue_code(by=stranger, name="gpu-1")


@pytest.mark.parametrize("name", ["", " ", "-x", "a/b", "é", "<b>", "x" * 81, "a\nb"], ids=range(8))
def test_a_host_is_not_called_so(operator, name):
    with pytest.raises(agents.NameRefused):
        agents.issue_code(by=operator, name=name)


def test_two_hosts_have_two_names(operator):
    AgentFactory(name="gpu-1")

    with pytest.raises(agents.NameRefused):
        agents.issue_code(by=operator, name="gpu-1")


def test_a_name_that_was_taken_meanwhile_spends_no_code(operator):
    row, code = agents.issue_code(by=operator, name="gpu-1")
    AgentFactory(name="gpu-1")

    with pytest.raises(AgentRefused) as refused:
        agents.enrol(code=code)

    row.refresh_from_db()
    assert (refused.value.code, row.used_at) == ("name_taken", None)


def test_a_known_host_gets_a_new_token_and_its_old_one_stops(operator, enrolled):
    agent, plain = enrolled

    _, code = agents.reissue_code(agent=agent, by=operator)
    again, new = agents.enrol(code=code)

    assert again == agent
    assert Agent.objects.count() == 1
    assert find_caller(plain) is None
    assert find_caller(new).agent == agent


def test_a_strangers_host_is_not_re_enrolled(enrolled, stranger):
    with pytest.raises(agents.NotAllowed):
        agents.reissue_code(agent=enrolled[0], by=stranger)


def test_a_broken_token_asks_no_database(enrolled, django_assert_num_queries):
    _, plain = enrolled

    with django_assert_num_queries(0):
        assert find_caller(plain[:-1] + ("a" if plain[-1] != "a" else "b")) is None


def test_the_use_of_a_token_is_noted_once_a_minute(enrolled, django_assert_num_queries):
    _, plain = enrolled
    find_caller(plain)

    with django_assert_num_queries(1):
        find_caller(plain)


@pytest.mark.parametrize("field", ["revoked_at", "expires_at", "replaced_at"])
def test_a_token_that_is_over_opens_nothing(enrolled, field):
    agent, plain = enrolled
    later(token_of(agent), **{field: timezone.now()})

    assert find_caller(plain) is None


def test_a_rotated_token_lives_on_for_a_while(enrolled):
    agent, plain = enrolled

    _, new = agents.rotate(token=token_of(agent))

    assert find_caller(plain) is not None
    assert find_caller(new) is not None


def test_after_that_its_use_is_told_to_the_operator_once(enrolled, operator):
    agent, plain = enrolled
    old = token_of(agent)
    agents.rotate(token=old)
    later(old, replaced_at=timezone.now())

    assert [find_caller(plain) for _ in range(3)] == [None] * 3

    assert Notification.objects.filter(user=operator).count() == 1


def test_rotating_again_forgets_the_token_whose_answer_was_lost(enrolled):
    agent, _ = enrolled
    old = token_of(agent)
    _, lost = agents.rotate(token=old)

    _, kept = agents.rotate(token=old)

    assert find_caller(lost) is None
    assert find_caller(kept) is not None


def test_a_token_asks_to_be_rotated_after_three_quarters_of_its_life(enrolled):
    token = token_of(enrolled[0])
    now = timezone.now()

    assert not agents.wants_rotation(token, now + timedelta(days=67))
    assert agents.wants_rotation(token, now + timedelta(days=68))


def test_retiring_closes_tokens_and_session(enrolled, operator):
    agent, plain = enrolled
    session = SessionFactory(agent=agent)

    agents.retire(agent=agent, by=operator)

    session.refresh_from_db()
    assert find_caller(plain) is None
    assert session.ended_at is not None
    assert not agent.takes_jobs


def test_a_quarantine_is_told_and_cleared_with_that_of_its_gpus(enrolled, operator):
    agent, _ = enrolled
    gpu = GpuFactory(agent=agent, quarantined_at=timezone.now())

    agents.quarantine(agent=agent, by=None, reason="3 jobs in a row failed")
    assert (agent.takes_jobs, Notification.objects.get(user=operator).text) == (False, "3 jobs in a row failed")
    agents.clear_quarantine(agent=agent, by=operator)

    gpu.refresh_from_db()
    assert (agent.takes_jobs, agent.failures_in_a_row, gpu.quarantined_at) == (True, 0, None)


def test_draining_ends_with_resuming(enrolled, operator):
    agent, _ = enrolled

    assert agents.drain(agent=agent, by=operator).is_draining
    assert not agents.resume(agent=agent, by=operator).is_draining


@pytest.mark.parametrize(
    "step", [agents.drain, agents.resume, agents.quarantine, agents.clear_quarantine, agents.retire]
)
def test_strangers_change_nothing(enrolled, stranger, step):
    with pytest.raises(agents.NotAllowed):
        step(agent=enrolled[0], by=stranger)


def test_moderators_may_drain_any_host(enrolled, moderator):
    assert agents.drain(agent=enrolled[0], by=moderator).is_draining


def test_what_is_shown_of_a_token_is_its_beginning(enrolled):
    agent, plain = enrolled

    assert str(token_of(agent)) == f"{plain[: secret_tokens.SHOWN_CHARACTERS]}…"
