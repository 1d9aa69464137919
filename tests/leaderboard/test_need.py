"""What orders the queue: why a moderator is needed, and how much."""

from __future__ import annotations

import pytest

from leaderboard.models import (
    Dispute,
    DisputeState,
    Finding,
    Result,
    ReviewAction,
    ScoreReview,
    Submission,
    SubmissionStatus,
    Trust,
)
from leaderboard.queries.need import REASONS, count_needs, need_of, need_words, waiting
from leaderboard.services.need import refresh_need
from leaderboard.services.review import review
from tests.factories import (
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(db):
    """An owner who has published before, so that their next submission is not their first."""
    user = UserFactory(username="known")
    SubmissionFactory(owner=user, status="withdrawn", published_at="2026-01-01T00:00Z")
    return user


def waiting_result(owner, **fields):
    return ResultFactory(submission__owner=owner, trust=Trust.SELF_REPORTED, **fields)


def find(result: Result, severity: str, code: str = "X1") -> None:
    Finding.objects.create(result=result, code=code, severity=severity, message="m", check_set="1")


def words(submission: Submission) -> str:
    return need_words(count_needs(Submission.objects.filter(pk=submission.pk))[submission.pk])


def need(submission: Submission) -> int:
    refresh_need(Submission.objects.filter(pk=submission.pk))
    submission.refresh_from_db()
    return submission.need


def test_nothing_special_needs_nothing(known):
    submission = waiting_result(known).submission

    assert (need(submission), words(submission)) == (0, "")


def test_findings_for_review_weigh_more_than_warnings(known):
    for_review, warned = waiting_result(known), waiting_result(known)
    find(for_review, "R")
    for number in range(10):
        find(warned, "W", f"W{number}")

    assert need(for_review.submission) > need(warned.submission) > 0


def test_the_words_name_each_reason_and_its_number_weightiest_first(known):
    result = waiting_result(known)
    for severity, number in (("R", 2), ("W", 1)):
        for n in range(number):
            find(result, severity, f"{severity}{n}")

    assert words(result.submission) == "2 for review, 1 warning"


def test_the_first_submission_of_somebody_is_named(owner):
    assert words(waiting_result(owner).submission) == "new contributor"


def test_an_import_has_no_newcomer():
    assert words(waiting_result(None).submission) == ""


def test_an_open_dispute_puts_a_published_submission_before_pending_ones(known, stranger):
    disputed = published_result(submission__owner=known, submission__status="published")
    Dispute.objects.create(result=disputed, raised_by=stranger, reason="r")
    pending = waiting_result(known)
    for number in range(40):
        find(pending, "R", f"R{number}")

    assert need(disputed.submission) > need(pending.submission)


@pytest.mark.parametrize("state", [DisputeState.DISMISSED, DisputeState.UPHELD, DisputeState.RETRACTED])
def test_a_dispute_that_is_over_needs_nobody(known, stranger, state):
    result = published_result(submission__owner=known, submission__status="published")
    Dispute.objects.create(result=result, raised_by=stranger, reason="r", state=state)

    assert need(result.submission) == 0


def test_a_new_score_is_named(known):
    result = published_result(submission__owner=known, submission__status="published")
    ScoreReview.objects.create(result=result, check_set="9", trust_before=30, trust_after=10)

    assert words(result.submission) == "1 new score to judge"


def test_a_disputed_submission_is_named(known):
    assert words(SubmissionFactory(owner=known, status="disputed")) == "disputed"


def test_a_result_that_would_be_first_on_its_gpu_is_named(known):
    gpu, better = HardwareFactory(), HardwareFactory()
    for _ in range(4):
        published_result(hardware=better, tokens_per_joule=9.0)
        published_result(hardware=gpu, tokens_per_joule=2.0)
    first = ResultFactory(submission__owner=known, hardware=gpu, tokens_per_joule=3.0)
    last = ResultFactory(submission__owner=known, hardware=gpu, tokens_per_joule=1.0)

    assert words(first.submission) == "would be in a top 3"
    assert words(last.submission) == ""


def test_a_result_that_would_be_first_for_its_model_is_named(known):
    model = LanguageModelFactory()
    for _ in range(4):
        published_result(tokens_per_joule=9.0)
        published_result(model=model, tokens_per_joule=2.0)

    assert words(ResultFactory(submission__owner=known, model=model, tokens_per_joule=3.0).submission) == (
        "would be in a top 3"
    )


def test_what_the_default_board_hides_is_in_no_top(known):
    result = ResultFactory(submission__owner=known, trust=Trust.SELF_REPORTED, tokens_per_joule=99.0)

    assert words(result.submission) == ""


def test_many_of_one_reason_stop_counting(known):
    result = waiting_result(known)
    for number in range(REASONS["review"].most + 20):
        find(result, "R", f"R{number}")

    assert need(result.submission) == REASONS["review"].weight * REASONS["review"].most


def test_the_need_fits_its_column():
    everything = dict.fromkeys(REASONS, 10**6)

    assert need_of(everything) < 32_767  # type: ignore[arg-type]  # a Counter is a dict


def test_a_decision_takes_the_need_away(moderator, known):
    result = waiting_result(known)
    find(result, "R")
    assert need(result.submission) > 0

    review(submission=result.submission, action=ReviewAction.APPROVE, by=moderator)

    result.submission.refresh_from_db()
    assert result.submission.need == 0


def test_need_takes_as_many_queries_for_forty_as_for_four(known, django_assert_num_queries):
    def fill(number):
        for _ in range(number):
            find(ResultFactory(submission__owner=known), "R")
        return Submission.objects.filter(status=SubmissionStatus.PENDING)

    made = fill(4)
    with django_assert_num_queries(100, exact=False) as few:
        refresh_need(made)
    made = fill(36)

    with django_assert_num_queries(len(few.captured_queries)):
        refresh_need(made)
    assert made.filter(need__gt=0).count() == 40


def test_a_sliced_queryset_is_fine(known):
    find(waiting_result(known), "R")

    refresh_need(Submission.objects.order_by("pk")[:5])

    assert Submission.objects.filter(need__gt=0).count() == 1


def test_pending_and_disputed_and_what_has_something_open_wait(known, stranger):
    pending, disputed = SubmissionFactory(), SubmissionFactory(status="disputed")
    published = published_result()
    published_result()
    rescored = published_result()
    SubmissionFactory(status="rejected")
    Dispute.objects.create(result=published, raised_by=stranger, reason="r")
    ScoreReview.objects.create(result=rescored, check_set="9", trust_before=30, trust_after=10)

    found = waiting(Submission.objects.all())

    assert set(found) == {pending, disputed, published.submission, rescored.submission}


def test_what_is_deleted_waits_for_nobody():
    SubmissionFactory(deleted_at="2026-01-01T00:00Z")

    assert not waiting(Submission.objects.all()).exists()
