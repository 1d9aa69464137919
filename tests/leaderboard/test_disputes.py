"""Disputes as services: raised by readers, settled by moderators, told to both sides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import Notification, NotificationKind
from accounts.services.bans import Banned, ban
from leaderboard.models import Dispute, DisputeState, ReviewAction, ReviewEvent, SubmissionStatus, Visibility
from leaderboard.queries.facets import data_version
from leaderboard.services import quotas
from leaderboard.services.disputes import DisputeRefused, dismiss, open_dispute, retract_dispute, take_up, uphold
from leaderboard.services.review import review
from leaderboard.services.submissions import delete, withdraw
from tests.factories import ResultFactory, SubmissionFactory, UserFactory, published_result

pytestmark = pytest.mark.django_db
S = SubmissionStatus


@pytest.fixture
def result(owner):
    return published_result(submission=SubmissionFactory(owner=owner, status=S.PUBLISHED))


@pytest.fixture
def dispute(result, stranger):
    return open_dispute(result=result, by=stranger, reason="Above the roofline.", evidence_url="https://example.org/e")


def status(result):
    result.submission.refresh_from_db()
    return result.submission.status


def is_ranked(result):
    result.refresh_from_db()
    return result.is_ranked


def actions(result):
    return list(ReviewEvent.objects.filter(submission=result.submission).values_list("action", flat=True))


def told(person, kind=NotificationKind.DISPUTE):
    return list(Notification.objects.filter(user=person, kind=kind).order_by("pk").values_list("title", flat=True))


def test_a_result_with_an_open_dispute_stays_ranked(dispute, result):
    assert dispute.state == DisputeState.OPEN
    assert (status(result), is_ranked(result)) == (S.PUBLISHED, True)
    assert actions(result) == ["open-dispute"]


def test_the_owner_and_the_moderators_hear_of_a_dispute(moderator, dispute, result, owner, stranger):
    assert told(owner) == [f"stranger disputes {result}"]
    assert told(moderator, NotificationKind.MODERATION) == [f"stranger disputes {result}"]
    assert not Notification.objects.filter(user=stranger).exists()
    assert Notification.objects.get(user=owner).url == f"/results/{result.pk}/#dispute-{dispute.pk}"


def test_a_dispute_makes_the_submission_need_a_moderator_more(result, stranger):
    before = result.submission.need

    open_dispute(result=result, by=stranger, reason="Too fast.")

    result.submission.refresh_from_db()
    assert result.submission.need > before


def test_a_dispute_changes_what_the_leaderboard_shows(result, stranger):
    before = data_version()

    open_dispute(result=result, by=stranger, reason="Too fast.")

    assert data_version() > before


@pytest.mark.parametrize("state", ["draft", "pending", "changes_requested", "rejected", "invalidated", "withdrawn"])
def test_only_what_is_published_can_be_disputed(stranger, state):
    result = ResultFactory(submission__status=state)

    with pytest.raises(DisputeRefused, match="Only a published result"):
        open_dispute(result=result, by=stranger, reason="Too fast.")


def test_a_private_result_cannot_be_disputed(stranger):
    result = ResultFactory(submission__status=S.PUBLISHED, submission__visibility=Visibility.PRIVATE)

    with pytest.raises(DisputeRefused, match="Only a published result"):
        open_dispute(result=result, by=stranger, reason="Too fast.")


def test_nobody_disputes_their_own_result(result, owner):
    with pytest.raises(DisputeRefused, match="your own"):
        open_dispute(result=result, by=owner, reason="Too fast.")


def test_a_reader_has_one_running_dispute_about_a_result(dispute, result, stranger):
    with pytest.raises(DisputeRefused, match="still running"):
        open_dispute(result=result, by=stranger, reason="Again.")


def test_after_the_end_of_a_dispute_there_may_be_another(dispute, result, stranger):
    retract_dispute(dispute=dispute, by=stranger)

    assert open_dispute(result=result, by=stranger, reason="Again.").pk


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "javascript:alert(1)", "example.org", "https://", "https://x/" + "a" * 500, "https://a b/"],
    ids=["http", "script", "no scheme", "no host", "long", "space"],
)
def test_evidence_is_an_https_link(result, stranger, url):
    with pytest.raises(DisputeRefused, match="evidence_url") as refused:
        open_dispute(result=result, by=stranger, reason="Too fast.", evidence_url=url)

    assert refused.value.field == "evidence_url"
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("reason", ["", "x" * 4001, "a\u202eb"], ids=["empty", "long", "hidden"])
def test_a_dispute_needs_a_reason_that_can_be_read(result, stranger, reason):
    with pytest.raises(DisputeRefused, match="reason: "):
        open_dispute(result=result, by=stranger, reason=reason)


def test_the_banned_raise_no_dispute(result, stranger, moderator):
    ban(user=stranger, by=moderator, reason="Spam.")

    with pytest.raises(Banned):
        open_dispute(result=result, by=stranger, reason="Too fast.")


def test_disputes_of_a_day_are_counted(monkeypatch, dispute, stranger):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.DISPUTES, 1)

    with pytest.raises(quotas.OverQuota, match="1 disputes"):
        open_dispute(result=published_result(), by=stranger, reason="Too fast.")


def test_who_raised_a_dispute_retracts_it(dispute, result, stranger, owner):
    retract_dispute(dispute=dispute, by=stranger)

    assert dispute.state == DisputeState.RETRACTED
    assert actions(result) == ["open-dispute", "retract-dispute"]
    assert told(owner)[-1] == f"The dispute about {result} was retracted"


def test_nobody_else_retracts_it(dispute, owner):
    with pytest.raises(DisputeRefused, match="Only who raised"):
        retract_dispute(dispute=dispute, by=owner)


def test_a_dispute_that_is_looked_into_is_no_longer_retracted(dispute, stranger, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    with pytest.raises(DisputeRefused, match="being looked into"):
        retract_dispute(dispute=dispute, by=stranger)


def test_taken_up_the_submission_is_disputed_and_not_ranked(dispute, result, stranger, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    assert dispute.state == DisputeState.TAKEN_UP
    assert (status(result), is_ranked(result)) == (S.DISPUTED, False)
    assert told(stranger) == [f"Your dispute about {result} is looked into"]


def test_upheld_the_submission_is_invalid(dispute, result, stranger, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    uphold(dispute=dispute, by=moderator, reason="It counts padding.")

    assert (dispute.state, dispute.resolution, dispute.resolved_by) == (
        DisputeState.UPHELD, "It counts padding.", moderator,
    )  # fmt: skip
    assert (status(result), is_ranked(result)) == (S.INVALIDATED, False)
    assert told(stranger)[-1] == f"Your dispute about {result} was upheld"


def test_an_open_dispute_can_be_upheld_at_once(dispute, result, moderator):
    uphold(dispute=dispute, by=moderator, reason="It counts padding.")

    assert status(result) == S.INVALIDATED
    assert actions(result) == ["open-dispute", "dispute", "invalidate"]


def test_dismissed_the_submission_is_ranked_again(dispute, result, stranger, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    dismiss(dispute=dispute, by=moderator, reason="The limit is that of another GPU.")

    assert dispute.state == DisputeState.DISMISSED
    assert (status(result), is_ranked(result)) == (S.PUBLISHED, True)
    assert told(stranger)[-1] == f"Your dispute about {result} was dismissed"


def test_an_open_dispute_can_be_dismissed(dispute, result, owner, moderator):
    dismiss(dispute=dispute, by=moderator, reason="No evidence.")

    assert status(result) == S.PUBLISHED
    assert actions(result) == ["open-dispute", "dismiss-dispute"]
    assert told(owner)[-1] == f"A dispute about {result} was dismissed"


def test_upholding_one_answers_the_others(dispute, result, moderator):
    other = open_dispute(result=result, by=UserFactory(), reason="Too cold.")

    uphold(dispute=dispute, by=moderator, reason="It counts padding.")

    other.refresh_from_db()
    assert (other.state, other.resolution) == (DisputeState.UPHELD, "It counts padding.")
    assert told(other.raised_by) == [f"Your dispute about {result} was upheld"]


def test_upholding_one_answers_those_about_other_results_of_the_submission(dispute, result, moderator):
    sibling = published_result(submission=result.submission)
    other = open_dispute(result=sibling, by=UserFactory(), reason="Too cold.")

    uphold(dispute=dispute, by=moderator, reason="It counts padding.")

    other.refresh_from_db()
    assert other.state == DisputeState.UPHELD


def test_dismissing_one_keeps_the_submission_disputed_while_another_is_looked_into(dispute, result, moderator):
    other = open_dispute(result=result, by=UserFactory(), reason="Too cold.")
    for one in (dispute, other):
        take_up(dispute=one, by=moderator, reason="Plausible.")

    dismiss(dispute=dispute, by=moderator, reason="The limit is that of another GPU.")
    assert (status(result), is_ranked(result)) == (S.DISPUTED, False)

    dismiss(dispute=other, by=moderator, reason="It was liquid-cooled.")
    assert (status(result), is_ranked(result)) == (S.PUBLISHED, True)


def test_dismissing_an_open_one_leaves_the_one_that_is_looked_into(dispute, result, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")
    other = open_dispute(result=result, by=UserFactory(), reason="Too cold.")

    dismiss(dispute=other, by=moderator, reason="No evidence.")

    assert status(result) == S.DISPUTED


@pytest.mark.parametrize("settle", [take_up, uphold, dismiss], ids=["take up", "uphold", "dismiss"])
def test_who_may_not_decide(settle, result, dispute, owner, stranger):
    for person in (owner, stranger, UserFactory()):
        with pytest.raises(DisputeRefused, match="not a moderator"):
            settle(dispute=dispute, by=person, reason="x")


@pytest.mark.parametrize("settle", [take_up, uphold, dismiss], ids=["take up", "uphold", "dismiss"])
def test_a_moderator_decides_neither_on_their_own_result_nor_on_their_own_dispute(settle, dispute, moderator):
    raised = open_dispute(result=published_result(), by=moderator, reason="Too fast.")
    owned = open_dispute(
        result=published_result(submission=SubmissionFactory(owner=moderator, status=S.PUBLISHED)),
        by=UserFactory(),
        reason="Too fast.",
    )

    for one in (raised, owned):
        with pytest.raises(DisputeRefused, match="Nobody decides"):
            settle(dispute=one, by=moderator, reason="x")


@pytest.mark.parametrize("settle", [take_up, uphold, dismiss], ids=["take up", "uphold", "dismiss"])
def test_a_decision_needs_a_reason_and_happens_once(settle, dispute, result, moderator):
    with pytest.raises(DisputeRefused, match="reason: "):
        settle(dispute=dispute, by=moderator, reason=" ")
    settle(dispute=dispute, by=moderator, reason="x")
    before = actions(result)

    with pytest.raises(DisputeRefused):
        settle(dispute=dispute, by=moderator, reason="x")
    assert actions(result) == before


@pytest.mark.parametrize("settle", [uphold, dismiss], ids=["uphold", "dismiss"])
def test_a_dispute_about_a_withdrawn_result_can_still_be_settled(settle, dispute, result, owner, moderator):
    withdraw(submission=result.submission, by=owner, reason="Padding.")

    settle(dispute=dispute, by=moderator, reason="Settled.")

    assert dispute.state in (DisputeState.UPHELD, DisputeState.DISMISSED)
    assert status(result) == S.WITHDRAWN


def test_who_raised_a_dispute_is_told_of_the_withdrawal(dispute, result, owner, stranger):
    withdraw(submission=result.submission, by=owner, reason="Padding.")

    assert told(stranger) == [f"{result}, which you dispute, was withdrawn"]


def test_a_dispute_lapses_with_its_result_and_who_raised_it_is_told(dispute, result, owner, stranger):
    title = str(result)
    delete(submission=result.submission, by=owner, reason="Measured anew.")

    dispute.refresh_from_db()
    assert (dispute.state, dispute.result, dispute.title) == (DisputeState.LAPSED, None, title)
    assert told(stranger) == [f"Your dispute about {title} was closed"]


def test_a_settled_dispute_stays_as_it_ended_when_the_result_is_deleted(dispute, result, owner, moderator):
    uphold(dispute=dispute, by=moderator, reason="It counts padding.")

    delete(submission=result.submission, by=owner)

    dispute.refresh_from_db()
    assert (dispute.state, dispute.resolution) == (DisputeState.UPHELD, "It counts padding.")


@pytest.mark.parametrize("settle", [take_up, uphold, dismiss], ids=["take-up", "uphold", "dismiss"])
def test_a_lapsed_dispute_is_not_settled(settle, dispute, result, owner, moderator):
    delete(submission=result.submission, by=owner)
    dispute.refresh_from_db()

    with pytest.raises(DisputeRefused, match="no longer in that state"):
        settle(dispute=dispute, by=moderator, reason="Settled.")


@pytest.mark.parametrize(
    ("action", "state"),
    [(ReviewAction.INVALIDATE, DisputeState.UPHELD), (ReviewAction.RESTORE, DisputeState.DISMISSED)],
    ids=["invalidate", "restore"],
)
def test_a_decision_on_the_submission_answers_its_disputes(dispute, result, stranger, moderator, action, state):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")

    review(submission=result.submission, action=action, by=moderator, reason="Looked into.")

    dispute.refresh_from_db()
    assert (dispute.state, dispute.resolution, dispute.resolved_by) == (state, "Looked into.", moderator)
    assert len(told(stranger)) == 2


def test_restoring_leaves_the_disputes_that_nobody_has_looked_into(dispute, result, moderator):
    take_up(dispute=dispute, by=moderator, reason="Plausible.")
    other = open_dispute(result=result, by=UserFactory(), reason="Too cold.")

    review(submission=result.submission, action=ReviewAction.RESTORE, by=moderator, reason="Looked into.")

    other.refresh_from_db()
    assert other.state == DisputeState.OPEN


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_of_two_moderators_at_once_one_settles_a_dispute(result, stranger, moderator):
    dispute = open_dispute(result=result, by=stranger, reason="Too fast.")
    start = Barrier(2)

    def settle(decide):
        try:
            start.wait()
            decide(dispute=Dispute.objects.get(pk=dispute.pk), by=moderator, reason="Looked into.")
        except DisputeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(settle, (uphold, dismiss)))

    dispute.refresh_from_db()
    assert sorted(done) == [False, True]
    assert (dispute.state, status(result)) == (
        (DisputeState.UPHELD, S.INVALIDATED) if done[0] else (DisputeState.DISMISSED, S.PUBLISHED)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_form_sent_twice_at_once_raises_one_dispute(result, stranger):
    start = Barrier(2)

    def send(_):
        try:
            start.wait()
            open_dispute(result=result, by=stranger, reason="Too fast.")
        except DisputeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(send, range(2)))

    assert sorted(done) == [False, True]
    assert Dispute.objects.count() == 1
