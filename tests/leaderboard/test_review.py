"""What moderators decide, and that it leaves who, when and why."""

from __future__ import annotations

import pytest

from leaderboard.models import Result, ReviewAction, ReviewEvent, Submission, SubmissionStatus, Trust
from leaderboard.services.review import DECISIONS, review
from leaderboard.services.submissions import SubmissionRefused
from tests.factories import ResultFactory, SubmissionFactory, UserFactory, pending

S, A = SubmissionStatus, ReviewAction
pytestmark = pytest.mark.django_db
STARTS = {
    A.APPROVE: {S.PENDING},
    A.REJECT: {S.PENDING},
    A.REQUEST_CHANGES: {S.PENDING},
    A.DISPUTE: {S.PUBLISHED},
    A.INVALIDATE: {S.DISPUTED},
    A.RESTORE: {S.DISPUTED},
}
CASES = [(action, status) for action in DECISIONS for status in S]


@pytest.mark.parametrize(("action", "status"), CASES)
def test_a_decision_is_possible_from_where_it_makes_sense_and_from_nowhere_else(action, status, owner, moderator):
    submission = ResultFactory(submission__status=status, submission__owner=owner).submission

    if status not in STARTS[action]:
        with pytest.raises(SubmissionRefused):
            review(submission=submission, action=action, by=moderator, reason="Because.")
        assert not ReviewEvent.objects.exists()
        return
    review(submission=submission, action=action, by=moderator, reason=" Because. ")

    event = ReviewEvent.objects.get()
    assert Submission.objects.get().status == DECISIONS[action].to
    assert (event.actor, event.action, event.reason) == (moderator, action, "Because.")
    assert (event.from_status, event.to_status) == (status, DECISIONS[action].to)


@pytest.mark.parametrize("action", [action for action, decision in DECISIONS.items() if decision.needs_reason])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_decision_against_someone_needs_a_reason(action, reason, moderator):
    submission = SubmissionFactory(status=next(iter(STARTS[action])))

    with pytest.raises(SubmissionRefused, match="Give a reason") as refused:
        review(submission=submission, action=action, by=moderator, reason=reason)

    assert refused.value.field == "reason"
    assert Submission.objects.get().status == submission.status


def test_approving_needs_no_reason_and_ranks_and_dates_it(moderator):
    result = ResultFactory(trust=Trust.SELF_REPORTED)

    review(submission=result.submission, action=A.APPROVE, by=moderator)

    result.refresh_from_db()
    assert result.is_ranked
    assert result.submission.published_at is not None


def test_approval_does_not_raise_the_trust_level(moderator):
    result = ResultFactory(trust=Trust.SELF_REPORTED)

    review(submission=result.submission, action=A.APPROVE, by=moderator)

    result.refresh_from_db()
    assert result.trust == Trust.SELF_REPORTED


@pytest.mark.parametrize("action", [A.REJECT, A.REQUEST_CHANGES])
def test_what_is_not_approved_is_not_ranked(action, moderator):
    result = ResultFactory()

    review(submission=result.submission, action=action, by=moderator, reason="No.")

    assert not Result.objects.ranked().exists()


def test_nobody_reviews_their_own_submission(moderator):
    submission = SubmissionFactory(owner=moderator)

    with pytest.raises(SubmissionRefused, match="Nobody reviews their own submission"):
        review(submission=submission, action=A.APPROVE, by=moderator)

    assert Submission.objects.get().status == S.PENDING


def test_who_is_no_moderator_decides_nothing(stranger):
    submission = SubmissionFactory()

    for by in (stranger, UserFactory(is_staff=True)):
        with pytest.raises(SubmissionRefused, match="is not a moderator"):
            review(submission=submission, action=A.APPROVE, by=by)


def test_a_moderator_whose_account_is_closed_decides_nothing(moderator):
    moderator.is_active = False

    with pytest.raises(SubmissionRefused, match="is not a moderator"):
        review(submission=SubmissionFactory(), action=A.APPROVE, by=moderator)


def test_a_decision_on_a_stale_page_looks_at_what_is_true_now(moderator):
    stale = SubmissionFactory()
    Submission.objects.update(status=S.DISPUTED)

    with pytest.raises(SubmissionRefused, match="It is disputed"):
        review(submission=stale, action=A.APPROVE, by=moderator)

    assert Submission.objects.get().status == S.DISPUTED


def test_deciding_twice_gives_one_line(moderator):
    submission = SubmissionFactory()
    review(submission=submission, action=A.APPROVE, by=moderator)

    with pytest.raises(SubmissionRefused):
        review(submission=submission, action=A.APPROVE, by=moderator)

    assert ReviewEvent.objects.count() == 1


def test_a_settled_dispute_keeps_the_date_of_publication(owner, moderator, small_catalogue, stored_files):
    submission = pending(owner)
    for action in (ReviewAction.APPROVE, ReviewAction.DISPUTE):
        review(submission=submission, action=action, by=moderator, reason="Looked at.")
    published_at = Submission.objects.get().published_at

    review(submission=submission, action=ReviewAction.RESTORE, by=moderator, reason="It stands.")

    assert Submission.objects.get().published_at == published_at
