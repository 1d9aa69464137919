"""Disputes, reported comments and new scores in the admin: what waits first, and each step with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from leaderboard.models import (
    CannedAnswer,
    Comment,
    CommentReport,
    Dispute,
    DisputeState,
    ReviewEvent,
    ScoreReview,
    ScoreReviewState,
    Submission,
    Trust,
)
from tests.factories import UserFactory, published_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, moderator: Any) -> Client:
    client.force_login(moderator)
    return client


def page(row: Any) -> str:
    return reverse(f"admin:leaderboard_{row._meta.model_name}_change", args=[row.pk])


def listed(admin: Client, name: str, query: str = "") -> str:
    return admin.get(reverse(f"admin:leaderboard_{name}_changelist") + query).content.decode()


def post(admin: Client, row: Any, decision: str, reason: str = "Looked at it.") -> str:
    return admin.post(page(row), {"decision": decision, "reason": reason}, follow=True).content.decode()


@pytest.fixture
def dispute(stranger: Any, owner: Any) -> Dispute:
    result = published_result(submission__owner=owner, submission__status="published")
    return Dispute.objects.create(result=result, raised_by=stranger, reason="The energy is of half the GPUs.")


@pytest.fixture
def comment(stranger: Any) -> Comment:
    comment = Comment.objects.create(result=published_result(), author=stranger, text="Buy my GPUs.")
    CommentReport.objects.create(comment=comment, raised_by=UserFactory(), reason="Advertising.")
    return comment


@pytest.fixture
def score() -> ScoreReview:
    result = published_result(trust=Trust.CHECKS_PASSED)
    findings = [{"code": "OUT1", "severity": "R", "observed": "9", "limit": "3", "message": "Far off.", "field": ""}]
    return ScoreReview.objects.create(
        result=result, check_set="2026.9", trust_before=30, trust_after=10, findings=findings
    )


def test_running_disputes_are_listed_and_settled_ones_on_demand(admin, dispute):
    Dispute.objects.create(result=dispute.result, raised_by=UserFactory(), reason="Old one.", state="dismissed")

    assert "half the GPUs" in listed(admin, "dispute")
    assert "Old one." not in listed(admin, "dispute")
    assert "Old one." in listed(admin, "dispute", "?state=all")


def test_a_dispute_shows_what_is_said_and_where(admin, dispute):
    content = admin.get(page(dispute)).content.decode()

    assert "half the GPUs" in content
    assert reverse("leaderboard:result", args=[dispute.result_id]) in content
    assert reverse("admin:leaderboard_submission_change", args=[dispute.result.submission_id]) in content


@pytest.mark.parametrize(
    ("decision", "state", "status"),
    [
        ("take-up", DisputeState.TAKEN_UP, "disputed"),
        ("uphold", DisputeState.UPHELD, "invalidated"),
        ("dismiss", DisputeState.DISMISSED, "published"),
    ],
    ids=["take-up", "uphold", "dismiss"],
)
def test_a_dispute_is_decided_with_a_reason(admin, dispute, decision, state, status):
    post(admin, dispute, decision)

    assert Dispute.objects.get().state == state
    assert Submission.objects.get().status == status
    assert ReviewEvent.objects.filter(reason="Looked at it.").exists()


def test_a_dispute_without_a_reason_stays_open(admin, dispute):
    assert "Give a reason" in post(admin, dispute, "uphold", reason=" ")

    assert Dispute.objects.get().state == DisputeState.OPEN


def test_a_dispute_is_not_decided_twice(admin, dispute):
    post(admin, dispute, "dismiss")

    content = post(admin, dispute, "uphold")

    assert "no longer in that state" in content
    assert Submission.objects.get().status == "published"


def test_several_disputes_are_decided_at_once(admin, dispute):
    other = Dispute.objects.create(result=published_result(), raised_by=UserFactory(), reason="r")
    url = reverse("admin:leaderboard_dispute_changelist")
    chosen = {"action": "dismiss", "_selected_action": [dispute.pk, other.pk]}

    assert "A reason is needed." in admin.post(url, chosen).content.decode()
    admin.post(url, {**chosen, "reason": "Neither."})

    assert Dispute.objects.filter(state="dismissed", resolution="Neither.").count() == 2


def test_a_dispute_is_answered_with_a_canned_answer(admin, dispute):
    answer = CannedAnswer.objects.create(title="No evidence", action="dismiss-dispute", text="Nothing to check.")

    assert "No evidence" in admin.get(page(dispute)).content.decode()
    admin.post(page(dispute), {"decision": "dismiss", "reason": "", "answer": str(answer.pk)})

    assert Dispute.objects.get().resolution == "Nothing to check."


def test_reported_comments_are_listed_until_they_are_looked_at(admin, comment):
    Comment.objects.create(result=comment.result, author=comment.author, text="Harmless.")

    content = listed(admin, "comment")

    assert "Buy my GPUs." in content
    assert "Harmless." not in content


def test_a_comment_shows_its_reports(admin, comment):
    content = admin.get(page(comment)).content.decode()

    assert "Buy my GPUs." in content
    assert "Advertising." in content


def test_a_comment_is_hidden_with_a_reason_and_shown_again(admin, comment):
    post(admin, comment, "hide")
    hidden = Comment.objects.get()
    post(admin, comment, "show", reason="")

    assert hidden.hidden_reason == "Looked at it."
    assert Comment.objects.get().hidden_at is None
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"hide-comment", "show-comment"}


def test_reports_are_dismissed(admin, comment):
    post(admin, comment, "dismiss-reports")

    assert CommentReport.objects.get().handled_at is not None
    assert "Buy my GPUs." not in listed(admin, "comment")


def test_new_scores_are_listed_with_what_they_change(admin, score):
    content = listed(admin, "scorereview")

    assert "Checks passed to Self-reported" in content
    assert "OUT1" in content
    assert "Far off." in admin.get(page(score)).content.decode()


@pytest.mark.parametrize(
    ("decision", "state", "trust"),
    [("apply", ScoreReviewState.APPLIED, 10), ("keep", ScoreReviewState.KEPT, 30)],
    ids=["apply", "keep"],
)
def test_a_new_score_is_decided_with_a_reason(admin, score, decision, state, trust):
    post(admin, score, decision)

    score.refresh_from_db()
    score.result.refresh_from_db()
    assert (score.state, score.result.trust) == (state, trust)


def test_a_score_is_not_decided_twice(admin, score):
    post(admin, score, "keep")

    assert "decided before" in post(admin, score, "apply")


@pytest.mark.parametrize("name", ["dispute", "comment", "scorereview"])
def test_nothing_is_made_or_removed_by_hand(admin, dispute, comment, score, name):
    row = {"dispute": dispute, "comment": comment, "scorereview": score}[name]

    assert admin.get(reverse(f"admin:leaderboard_{name}_add")).status_code == 403
    assert admin.post(reverse(f"admin:leaderboard_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["dispute", "comment", "scorereview"])
def test_lists_take_as_many_queries_for_twenty_as_for_two(admin, name, django_assert_num_queries):
    def fill(number: int) -> None:
        for _ in range(number):
            result = published_result()
            Dispute.objects.create(result=result, raised_by=UserFactory(), reason="r")
            ScoreReview.objects.create(result=result, check_set="9", trust_before=30, trust_after=10)
            comment = Comment.objects.create(result=result, author=UserFactory(), text="t")
            CommentReport.objects.create(comment=comment, raised_by=UserFactory(), reason="r")

    url = reverse(f"admin:leaderboard_{name}_changelist")
    fill(2)
    admin.get(url)
    with django_assert_num_queries(30, exact=False) as few:
        admin.get(url)
    fill(18)

    with django_assert_num_queries(len(few.captured_queries)):
        admin.get(url)


def test_people_are_linked_to_their_public_page_not_to_one_that_moderators_may_not_open(admin, dispute, stranger):
    content = admin.get(page(dispute)).content.decode()

    assert f'href="/u/{stranger.username}/"' in content
    assert "/admin/accounts/user/" not in content


def test_who_deleted_their_account_is_not_linked(admin, dispute, stranger):
    User.objects.filter(pk=stranger.pk).update(deleted_at=timezone.now())

    assert f"/u/{stranger.username}/" not in admin.get(page(dispute)).content.decode()
