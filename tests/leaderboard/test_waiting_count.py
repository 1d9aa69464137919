"""How much waits, on every page of a moderator, and nothing of it on anybody else's."""

from __future__ import annotations

import pytest
from django.template import RequestContext, Template
from django.test import RequestFactory
from django.urls import reverse

from leaderboard.models import Comment, CommentReport, Dispute, ScoreReview, UnknownName
from leaderboard.queries.moderation import count_waiting
from tests.factories import SubmissionFactory, UserFactory, published_result

pytestmark = pytest.mark.django_db


def everything(stranger) -> None:
    """One of each kind that waits, and one of each that does not."""
    for status in ("pending", "disputed", "draft", "published", "rejected"):
        SubmissionFactory(status=status)
    SubmissionFactory(deleted_at="2026-01-01T00:00Z")
    result = published_result()
    for state in ("open", "taken-up", "dismissed"):
        Dispute.objects.create(result=result, raised_by=UserFactory(), reason="r", state=state)
    ScoreReview.objects.create(result=result, check_set="8", trust_before=30, trust_after=10, state="kept")
    ScoreReview.objects.create(result=result, check_set="9", trust_before=30, trust_after=10)
    comment = Comment.objects.create(result=result, author=stranger, text="t")
    CommentReport.objects.create(comment=comment, raised_by=UserFactory(), reason="r")
    CommentReport.objects.create(comment=comment, raised_by=UserFactory(), reason="r", handled_at="2026-01-01T00:00Z")
    UnknownName.objects.create(kind="model", name="a", written_as="A")
    UnknownName.objects.create(kind="model", name="b", written_as="B", mapped_at="2026-01-01T00:00Z")


def test_all_that_waits_is_counted_in_one_query(stranger, django_assert_num_queries):
    everything(stranger)

    with django_assert_num_queries(1):
        assert count_waiting() == 6


def test_nothing_waits_on_an_empty_site():
    assert count_waiting() == 0


def test_a_moderator_sees_the_count_on_a_page(client, moderator):
    SubmissionFactory()
    client.force_login(moderator)

    content = client.get(reverse("leaderboard:methodology")).content.decode()

    assert 'class="waiting-chip"' in content
    assert f'href="{reverse("admin:leaderboard_submission_changelist")}"' in content


def test_a_moderator_sees_the_count_in_the_admin(client, moderator):
    SubmissionFactory()
    client.force_login(moderator)

    assert "1 waiting" in client.get(reverse("admin:index")).content.decode()


def test_a_moderator_with_nothing_to_do_sees_no_count(client, moderator):
    client.force_login(moderator)

    assert "waiting-chip" not in client.get(reverse("leaderboard:methodology")).content.decode()


@pytest.mark.parametrize("who", ["anonymous", "stranger", "staff"])
def test_nobody_else_sees_it(client, stranger, who):
    SubmissionFactory()
    if who != "anonymous":
        client.force_login(stranger if who == "stranger" else UserFactory(is_staff=True))

    assert "waiting-chip" not in client.get(reverse("leaderboard:methodology")).content.decode()


def test_for_others_it_costs_no_query(stranger, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = stranger

    with django_assert_num_queries(0):
        assert Template("{{ waiting_for_moderators }}").render(RequestContext(request)) == "0"


def test_what_no_template_asks_for_is_not_counted(moderator, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = moderator

    with django_assert_num_queries(0):
        Template("nothing").render(RequestContext(request))
