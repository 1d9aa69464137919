"""What people do at the same moment: one of them is refused in words, and everything still agrees with everything."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.services.deletion import delete_account
from leaderboard.models import (
    Comment,
    Dispute,
    DisputeState,
    Provenance,
    Result,
    ReviewAction,
    ScoreReview,
    Submission,
    SubmissionStatus,
    Trust,
    Visibility,
)
from leaderboard.services import quotas
from leaderboard.services.batches import BatchOptions, open_batch, read_batch
from leaderboard.services.comments import add_comment
from leaderboard.services.disputes import dismiss, open_dispute, take_up, uphold
from leaderboard.services.quotas import Quota
from leaderboard.services.reading import read_upload
from leaderboard.services.replacing import replace_files
from leaderboard.services.rescoring import apply_score
from leaderboard.services.review import review
from leaderboard.services.submissions import delete, store_reading, submit, withdraw
from tests.factories import UserFactory, draft, normal_file, pending, published_result, read, small_catalogue
from tests.leaderboard.browsing import archive
from tests.security.invariants import assert_sound
from tests.security.racing import at_once

S = SubmissionStatus
#: on PostgreSQL threads meet in another way each time
ROUNDS = range(4 if connection.vendor == "postgresql" else 1)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stored_files")]


@pytest.fixture(params=[False, True], ids=["in-order", "the-other-way-round"])
def order(request):
    """SQLite does one thing after the other, so each test runs both ways."""
    return (lambda steps: steps[::-1]) if request.param else (lambda steps: steps)


@pytest.fixture
def desk(transactional_db, owner, moderator):
    small_catalogue()
    return owner, moderator


def numbered(number: int, **fields: Any) -> Any:
    """A measurement of its own."""
    return normal_file(duration_s=128.0 + number / 1000, **fields)


def published(owner: User, moderator: User, number: int = 0) -> Submission:
    submission = pending(owner, numbered(number))
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    return fresh(submission)


def fresh(submission: Submission) -> Submission:
    """As another request reads it."""
    return Submission.objects.get(pk=submission.pk)


def replacing(submission: Submission, number: int) -> Any:
    new = fresh(submission)
    reading = read_upload(
        [numbered(500 + number)], stated={}, provenance=Provenance.UPLOAD, owner=new.owner, replacing=new
    )
    assert new.owner is not None
    return partial(replace_files, submission=new, reading=reading, by=new.owner, reason="Wrong clock.")


def deciding(submission: Submission, by: User, action: ReviewAction = ReviewAction.APPROVE) -> Any:
    return partial(review, submission=fresh(submission), action=action, by=by, reason="Because.")


def test_files_that_nobody_saw_are_not_approved(desk, order):
    owner, moderator = desk
    for number in ROUNDS:
        submission = pending(owner, numbered(number))

        at_once(*order([deciding(submission, moderator), replacing(submission, number)]))

        assert fresh(submission).status == S.PENDING
        assert_sound()


def test_what_is_withdrawn_while_it_is_approved_ends_withdrawn(desk, order):
    owner, moderator = desk
    for number in ROUNDS:
        submission = pending(owner, numbered(number))

        at_once(*order([deciding(submission, moderator), partial(withdraw, submission=fresh(submission), by=owner)]))

        assert fresh(submission).status == S.WITHDRAWN
        assert_sound()


def test_of_two_moderators_one_decides(desk, order):
    owner, moderator = desk
    other = UserFactory()
    other.user_permissions.set(moderator.user_permissions.all())
    for number in ROUNDS:
        submission = pending(owner, numbered(number))

        outcomes = at_once(
            *order([deciding(submission, moderator), deciding(submission, other, ReviewAction.REQUEST_CHANGES)])
        )

        assert outcomes.count("done") == 1
        assert submission.events.count() == 2
        assert_sound()


def test_a_dispute_is_settled_once(desk, order):
    owner, moderator = desk
    other = UserFactory()
    other.user_permissions.set(moderator.user_permissions.all())
    for number in ROUNDS:
        result = published(owner, moderator, number).results.get()
        dispute = open_dispute(result=result, by=UserFactory(), reason="Too fast.")
        take_up(dispute=dispute, by=moderator, reason="I look.")
        mine, theirs = Dispute.objects.get(pk=dispute.pk), Dispute.objects.get(pk=dispute.pk)

        outcomes = at_once(
            *order(
                [
                    partial(uphold, dispute=mine, by=moderator, reason="Wrong."),
                    partial(dismiss, dispute=theirs, by=other, reason="Right."),
                ]
            )
        )

        dispute.refresh_from_db()
        assert outcomes.count("done") == 1
        assert (dispute.state, fresh(result.submission).status) in {
            (DisputeState.UPHELD, S.INVALIDATED),
            (DisputeState.DISMISSED, S.PUBLISHED),
        }
        assert_sound()


def test_findings_of_old_figures_are_not_put_on_new_ones(desk, order):
    owner, moderator = desk
    for number in ROUNDS:
        submission = published(owner, moderator, number)
        result = submission.results.get()
        row = ScoreReview.objects.create(
            result=result, check_set="new", trust_before=result.trust, trust_after=Trust.DRAFT, findings=[]
        )

        at_once(
            *order(
                [
                    partial(apply_score, score_review=row, by=moderator, reason="Newer."),
                    replacing(submission, number),
                ]
            )
            if ScoreReview.objects.filter(pk=row.pk).exists()
            else ()
        )

        result.refresh_from_db()
        assert fresh(submission).status == S.PENDING
        assert result.trust != Trust.DRAFT
        assert_sound()


def test_an_account_is_deleted_while_a_moderator_decides(desk, order):
    _, moderator = desk
    for number in ROUNDS:
        leaver = UserFactory()
        kept, waiting = published(leaver, moderator, 2 * number), pending(leaver, numbered(2 * number + 1))
        kept.results.update(precision="fp8")

        at_once(
            *order(
                [
                    partial(delete_account, user=leaver, keep_published=False),
                    deciding(waiting, moderator),
                    deciding(kept, moderator, ReviewAction.DISPUTE),
                ]
            )
        )

        assert not Result.objects.filter(submission__owner=leaver).exists()
        assert_sound()


def test_an_account_is_deleted_while_it_uploads_and_replaces(desk, order):
    for number in ROUNDS:
        leaver = UserFactory()
        first = draft(leaver, numbered(number))
        reading = read(numbered(100 + number))

        at_once(
            *order(
                [
                    partial(delete_account, user=leaver, keep_published=False),
                    partial(store_reading, reading=reading, owner=leaver, provenance=Provenance.API),
                    replacing(first, number),
                ]
            )
        )

        assert not Submission.objects.filter(owner=leaver).exists()
        assert_sound()


def test_an_account_is_deleted_while_its_batch_is_read(desk, order):
    for number in ROUNDS:
        leaver = UserFactory()
        content = numbered(number).content
        batch = open_batch(
            owner=leaver,
            uploads=[("many.zip", io.BytesIO(archive(("result.json", content))))],
            files_total=1,
            options=BatchOptions(provenance=Provenance.UPLOAD),
        )

        at_once(
            *order(
                [
                    partial(delete_account, user=leaver, keep_published=False),
                    partial(read_batch, batch.pk),
                ]
            )
        )

        assert not Submission.objects.filter(owner=leaver).exists()
        assert_sound()


def test_a_file_is_kept_for_who_gives_it_as_somebody_deletes_it(desk, order, stranger):
    owner, _ = desk
    for number in ROUNDS:
        first = draft(owner, numbered(number))
        reading = read(numbered(number))

        at_once(
            *order(
                [
                    partial(delete, submission=first, by=owner),
                    partial(store_reading, reading=reading, owner=stranger, provenance=Provenance.API),
                ]
            )
        )

        assert_sound()


def test_the_same_measurement_is_handed_in_once(desk, order, stranger):
    owner, _ = desk
    for number in ROUNDS:
        mine, theirs = draft(owner, numbered(number)), draft(stranger, numbered(number))

        outcomes = at_once(
            *order(
                [
                    partial(submit, submission=mine, by=owner, visibility=Visibility.PUBLIC),
                    partial(submit, submission=theirs, by=stranger, visibility=Visibility.PUBLIC),
                ]
            )
        )

        assert outcomes.count("done") == 1
        assert_sound()


def test_a_submission_is_deleted_once(desk, order):
    owner, moderator = desk
    for number in ROUNDS:
        submission = pending(owner, numbered(number))

        at_once(
            *order(
                [
                    partial(delete, submission=fresh(submission), by=owner),
                    partial(delete, submission=fresh(submission), by=owner),
                    deciding(submission, moderator),
                ]
            )
        )

        assert_sound()


@pytest.mark.parametrize("what", [Quota.COMMENTS, Quota.DISPUTES], ids=["comments", "disputes"])
def test_of_many_at_once_exactly_the_share_is_taken(desk, monkeypatch, what):
    monkeypatch.setitem(quotas.LIMITS, what, 5)
    writer = UserFactory()
    results = [published_result() for _ in range(20)]

    def write(number: int) -> None:
        person = User.objects.get(pk=writer.pk)
        if what == Quota.COMMENTS:
            add_comment(result=results[number], by=person, text="Nice.")
        else:
            open_dispute(result=results[number], by=person, reason="Too fast.")

    at_once(*(partial(write, number) for number in range(20)))

    assert (Comment if what == Quota.COMMENTS else Dispute).objects.count() == 5
