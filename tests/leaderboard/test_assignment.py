"""Who looks at a submission: taken, given back, handed to another moderator."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from leaderboard.models import ReviewEvent, Submission
from leaderboard.services.assignment import assign, give_back, take
from leaderboard.services.submissions import SubmissionRefused
from tests.factories import SubmissionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db):
    user = UserFactory(username="other", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))
    return user


@pytest.fixture
def submission(db):
    return SubmissionFactory()


def test_taking_it_leaves_a_line(submission, moderator):
    take(submission=submission, by=moderator)

    event = ReviewEvent.objects.get()
    assert Submission.objects.get().assignee == moderator
    assert (event.action, event.actor, event.reason) == ("assign", moderator, "Assigned to moderator.")
    assert (event.from_status, event.to_status) == ("pending", "pending")


def test_whoever_is_second_is_told_who_was_first(submission, moderator, other):
    take(submission=submission, by=moderator)

    with pytest.raises(SubmissionRefused, match="assigned to moderator already"):
        take(submission=submission, by=other)

    assert Submission.objects.get().assignee == moderator


def test_taking_it_twice_is_refused(submission, moderator):
    take(submission=submission, by=moderator)

    with pytest.raises(SubmissionRefused, match="already"):
        take(submission=submission, by=moderator)


def test_giving_it_back_makes_it_nobodys(submission, moderator):
    take(submission=submission, by=moderator)

    give_back(submission=submission, by=moderator)

    assert Submission.objects.get().assignee is None
    assert ReviewEvent.objects.last().reason == "Given back."


def test_only_ones_own_is_given_back(submission, moderator, other):
    take(submission=submission, by=moderator)

    with pytest.raises(SubmissionRefused, match="not assigned to you"):
        give_back(submission=submission, by=other)


def test_ones_own_is_handed_to_another(submission, moderator, other):
    take(submission=submission, by=moderator)

    assign(submission=submission, to=other, by=moderator)

    assert Submission.objects.get().assignee == other


def test_anothers_is_not_given_away(submission, moderator, other):
    take(submission=submission, by=moderator)

    with pytest.raises(SubmissionRefused, match="already"):
        assign(submission=submission, to=other, by=other)


def test_a_superuser_gives_away_anybodys(submission, moderator, other):
    take(submission=submission, by=moderator)

    assign(submission=submission, to=other, by=UserFactory(is_superuser=True))

    assert Submission.objects.get().assignee == other


def test_nobody_but_a_moderator_is_assigned(submission, moderator, stranger):
    with pytest.raises(SubmissionRefused, match="stranger is not a moderator"):
        assign(submission=submission, to=stranger, by=moderator)


def test_nobody_but_a_moderator_assigns(submission, moderator, stranger):
    with pytest.raises(SubmissionRefused, match="stranger is not a moderator"):
        assign(submission=submission, to=moderator, by=stranger)
    with pytest.raises(SubmissionRefused, match="stranger is not a moderator"):
        give_back(submission=submission, by=stranger)


def test_nobody_is_assigned_their_own(moderator, other):
    submission = SubmissionFactory(owner=moderator)

    with pytest.raises(SubmissionRefused, match="their own"):
        assign(submission=submission, to=moderator, by=other)


@pytest.mark.parametrize("status", ["draft", "published", "rejected", "withdrawn"])
def test_what_waits_for_nobody_is_not_assigned(moderator, status):
    with pytest.raises(SubmissionRefused, match="waits for no moderator"):
        take(submission=SubmissionFactory(status=status), by=moderator)
