"""Comments and disputes over the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.services.bans import ban
from leaderboard.api import community
from leaderboard.models import Comment, Dispute, SubmissionStatus, Visibility
from leaderboard.services import quotas
from leaderboard.services.comments import add_comment, hide_comment
from tests.factories import ResultFactory, SubmissionFactory, UserFactory, published_result
from tests.leaderboard.api.clients import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(owner):
    return published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))


@pytest.fixture
def comment(result, stranger):
    return add_comment(result=result, by=stranger, text="Which *driver*?")


def comments_of(result: Any) -> str:
    return f"/api/benchmarks/{result.pk}/comments"


def disputes_of(result: Any) -> str:
    return f"/api/benchmarks/{result.pk}/disputes"


def test_everyone_reads_the_comments_on_a_public_result(anonymous, comment, result):
    body = anonymous.get(comments_of(result)).json()

    row = body["results"][0]
    assert body["next"] is None
    assert (row["id"], row["author"], row["text"]) == (comment.pk, "stranger", "Which *driver*?")
    assert row["url"] == f"http://testserver/comments/{comment.pk}/"
    assert set(row) == set(community.CommentSerializer().fields)


def test_comments_are_read_page_by_page_in_a_fixed_number_of_queries(
    anonymous, result, stranger, django_assert_max_num_queries
):
    Comment.objects.bulk_create(Comment(result=result, author=stranger, text=f"n{n}") for n in range(5))

    first = anonymous.get(comments_of(result), {"limit": 3}).json()
    with django_assert_max_num_queries(2):
        second = anonymous.get(first["next"]).json()

    assert [row["text"] for row in (*first["results"], *second["results"])] == ["n0", "n1", "n2", "n3", "n4"]


def test_a_comment_is_posted_with_the_scope_submit(foreign, result, stranger):
    response = foreign.post(comments_of(result), {"text": "Which driver?"}, format="json")

    assert response.status_code == 201
    assert response.json()["text"] == "Which driver?"
    assert Comment.objects.get().author == stranger


@pytest.mark.parametrize(
    "path", ["/api/benchmarks/{0.result_id}/comments", "/api/benchmarks/{0.result_id}/disputes", "/api/comments/{0.pk}"]
)
def test_writing_needs_the_scope_submit(anonymous, stranger, comment, path):
    reading = client_of(stranger, "read")
    method = "patch" if path.endswith("{0.pk}") else "post"

    assert getattr(anonymous, method)(path.format(comment), {}, format="json").status_code == 401
    assert getattr(reading, method)(path.format(comment), {}, format="json").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": 1, "hidden_at": None}, "hidden_at"),
        ({"text": "a\u202eb"}, "text"),
    ],
    ids=["none", "empty", "unknown field", "hidden character"],
)
def test_a_wrong_comment_names_its_field(foreign, result, body, field):
    response = foreign.post(comments_of(result), body, format="json")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert not Comment.objects.exists()


@pytest.mark.parametrize("what", ["comments", "disputes"])
def test_what_one_cannot_see_is_not_found(foreign, anonymous, owner, what):
    private = ResultFactory(submission__owner=owner, submission__visibility=Visibility.PRIVATE)
    path = f"/api/benchmarks/{private.pk}/{what}"

    assert anonymous.get(path).status_code == 404
    assert foreign.get(path).status_code == 404
    assert foreign.post(path, {"text": "x", "reason": "x"}, format="json").status_code == 404


def test_the_state_in_the_way_is_a_conflict(api, foreign, comment, result):
    assert api.post(disputes_of(result), {"reason": "x"}, format="json").status_code == 409
    assert api.post(comments_of(ResultFactory(submission__owner=result.submission.owner)), {"text": "x"},
                    format="json").status_code == 409  # fmt: skip


def test_the_banned_are_told_why(foreign, result, stranger, moderator):
    ban(user=stranger, by=moderator, reason="Spam.")

    response = foreign.post(comments_of(result), {"text": "Buy."}, format="json")

    assert response.status_code == 403
    assert "Spam." in response.json()["error"]["message"]


def test_over_the_quota_the_answer_says_when_to_go_on(monkeypatch, foreign, comment, result):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.COMMENTS, 1)

    response = foreign.post(comments_of(result), {"text": "More."}, format="json")

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_its_author_changes_a_comment(foreign, comment):
    response = foreign.patch(f"/api/comments/{comment.pk}", {"text": "Which CUDA?"}, format="json")

    assert response.json()["text"] == "Which CUDA?"
    assert response.json()["edited_at"]


def test_its_author_deletes_a_comment_once(foreign, comment, result):
    assert foreign.delete(f"/api/comments/{comment.pk}").status_code == 204
    assert foreign.delete(f"/api/comments/{comment.pk}").status_code == 409

    row = foreign.get(comments_of(result)).json()["results"][0]
    assert row["text"] is None
    assert row["deleted_at"]


def test_a_comment_of_someone_else_is_not_found(api, comment):
    assert api.patch(f"/api/comments/{comment.pk}", {"text": "x"}, format="json").status_code == 404
    assert api.delete(f"/api/comments/{comment.pk}").status_code == 404


@pytest.mark.parametrize(("who", "scopes", "reads"), [
    ("stranger", ("read",), True), ("moderator", ("read",), True), ("owner", ("read",), False),
    ("stranger", ("submit",), False),
], ids=["author", "moderator", "another", "author without the scope read"])  # fmt: skip
def test_hidden_text_goes_to_its_author_and_moderators_alone(request, comment, result, moderator, who, scopes, reads):
    hide_comment(comment=comment, by=moderator, reason="Insults.")

    response = client_of(request.getfixturevalue(who), *scopes).get(comments_of(result))

    assert response.json()["results"][0]["hidden_reason"] == "Insults."
    assert ("driver" in response.content.decode()) is reads


def test_everyone_reads_the_disputes_about_a_public_result(anonymous, foreign, result):
    made = foreign.post(
        disputes_of(result), {"reason": "Too fast.", "evidence_url": "https://example.org/"}, format="json"
    )

    row = anonymous.get(disputes_of(result)).json()["results"][0]
    assert made.status_code == 201
    assert row == made.json()
    assert (row["raised_by"], row["state"], row["resolution"]) == ("stranger", "open", None)
    assert set(row) == set(community.DisputeSerializer().fields)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"reason": ""}, "reason"), ({"reason": "x", "evidence_url": "http://x.org"}, "evidence_url"),
     ({"reason": "x", "state": "upheld"}, "state")],
    ids=["empty", "http", "state"],
)  # fmt: skip
def test_a_wrong_dispute_names_its_field(foreign, result, body, field):
    response = foreign.post(disputes_of(result), body, format="json")

    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]
    assert not Dispute.objects.exists()


def test_disputes_take_as_many_queries_for_many_as_for_one(anonymous, result, django_assert_num_queries):
    for _ in range(5):
        Dispute.objects.create(result=result, raised_by=UserFactory(), resolved_by=UserFactory(), reason="n")

    with django_assert_num_queries(2):
        assert len(anonymous.get(disputes_of(result)).json()["results"]) == 5
