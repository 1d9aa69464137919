"""The public page of a person: public things alone, counted right, escaped, and the same for everyone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from leaderboard.models import Dispute, DisputeState, SubmissionStatus, Trust, Visibility
from leaderboard.queries.people import MONTHS, results_per_month
from tests.factories import SubmissionFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
PAGE, API = "/u/owner/", "/api/users/owner/submissions"


def public_submission(owner: User, status: str = SubmissionStatus.PUBLISHED, **fields):
    return SubmissionFactory(owner=owner, status=status, published_at=fields.pop("at", timezone.now()), **fields)


def facts(page) -> dict[str, str]:
    return dict(page.context["page"].facts)


def test_the_page_shows_who_it_is_and_what_they_gave(client, owner):
    User.objects.update(display_name="Ada Lovelace")
    result = published_result(submission=public_submission(owner), tokens_per_joule=2.5)

    response = client.get(PAGE)

    assert "Ada Lovelace owner · here since" in text(response)
    assert f'href="/results/{result.pk}/"' in response.content.decode()
    assert "2.500 tok/J Checks passed" in text(response)
    assert facts(response)["Public submissions"] == "1"


@pytest.mark.parametrize(
    ("status", "visibility"),
    [
        (SubmissionStatus.DRAFT, Visibility.DRAFT),
        (SubmissionStatus.DRAFT, Visibility.PRIVATE),
        (SubmissionStatus.PENDING, Visibility.PUBLIC),
        (SubmissionStatus.CHANGES_REQUESTED, Visibility.PUBLIC),
        (SubmissionStatus.REJECTED, Visibility.PUBLIC),
        (SubmissionStatus.WITHDRAWN, Visibility.PUBLIC),
        (SubmissionStatus.PUBLISHED, Visibility.PRIVATE),
    ],
    ids=["draft", "private", "pending", "changes", "rejected", "withdrawn unseen", "published privately"],
)
@pytest.mark.parametrize("who", ["anonymous", "owner", "moderator"])
def test_what_is_not_public_never_shows_there(client, owner, moderator, status, visibility, who):
    submission = SubmissionFactory(owner=owner, status=status, visibility=visibility)
    result = published_result(submission=submission, model_name="secret/model")
    if who != "anonymous":
        client.force_login({"owner": owner, "moderator": moderator}[who])

    page, answer = client.get(PAGE), client.get(API)

    assert str(result.pk) not in page.content.decode()
    assert facts(page)["Results in them"] == "0"
    assert page.context["page"].charts == []
    assert answer.json() == {"results": [], "next": None}


def test_what_was_deleted_is_not_listed(client, owner):
    published_result(submission=public_submission(owner, deleted_at=timezone.now()))

    assert "Nothing public yet" in text(client.get(PAGE))


def test_the_trust_record_counts_levels_disputes_and_what_was_withdrawn(client, owner, stranger):
    standing = public_submission(owner)
    published_result(submission=standing, trust=Trust.CHECKS_PASSED)
    disputed = published_result(submission=standing, trust=Trust.SELF_REPORTED)
    published_result(submission=public_submission(owner, SubmissionStatus.WITHDRAWN))
    published_result(submission=public_submission(owner, SubmissionStatus.INVALIDATED))
    for state in (DisputeState.UPHELD, DisputeState.DISMISSED, DisputeState.DISMISSED, DisputeState.OPEN):
        Dispute.objects.create(result=disputed, raised_by=stranger, reason="odd", state=state)

    response = client.get(PAGE)

    assert [(badge.code, count) for badge, count in response.context["page"].levels] == [("T2", 1), ("T1", 1)]
    assert facts(response) == {
        "Public submissions": "3",
        "Results in them": "4",
        "Disputes upheld": "1",
        "Disputes dismissed": "2",
        "Disputes running": "1",
        "Results withdrawn": "1",
        "Results invalidated": "1",
    }
    assert "Withdrawn" in text(response)


def test_the_months_of_two_years_are_counted_and_empty_ones_kept(owner):
    now = datetime(2026, 3, 15, 12, tzinfo=UTC)
    for day in ((2026, 3, 15), (2026, 3, 1), (2024, 4, 1), (2024, 3, 31)):
        published_result(submission=public_submission(owner, at=datetime(*day, tzinfo=UTC)))

    months = results_per_month(owner, now)

    assert len(months) == MONTHS
    assert (f"{months[0][0]}", months[0][1]) == ("2024-04-01", 1)
    assert (f"{months[-1][0]}", months[-1][1]) == ("2026-03-01", 2)
    assert sum(count for _, count in months) == 3


def test_each_chart_has_a_table_behind_it_and_needs_no_script(client, owner):
    published_result(submission=public_submission(owner))

    response = client.get(PAGE)

    content = response.content.decode()
    months, levels = response.context["page"].charts
    assert (len(months.bars), len(levels.bars)) == (MONTHS, 5)
    assert content.count('<svg class="bars') == content.count("<figure") == 2
    assert content.count("<rect") == MONTHS + 5
    assert "style=" not in content
    assert max(bar.height for bar in months.bars) == 120


def test_many_results_come_page_by_page(client, owner):
    submission = public_submission(owner)
    for position in range(51):
        published_result(submission=submission, position=position)

    first, second = client.get(PAGE), client.get(f"{PAGE}?page=2")

    assert (len(first.context["page"].rows), len(second.context["page"].rows)) == (50, 1)
    assert first.context["page"].older_url == f"{PAGE}?page=2"
    assert second.context["page"].newer_url == f"{PAGE}?page=1"


@pytest.mark.parametrize("page", ["0", "-1", "x", "999", "1e9"])
def test_an_odd_page_number_is_no_error(client, owner, page):
    assert client.get(f"{PAGE}?page={page}").status_code == 200


def test_the_number_of_queries_does_not_grow(client, owner, django_assert_max_num_queries):
    for _ in range(6):
        published_result(submission=public_submission(owner))

    with django_assert_max_num_queries(8):
        client.get(PAGE)


@pytest.mark.parametrize("path", [PAGE, API, "/api/users/owner"])
@pytest.mark.parametrize("field", ["is_active", "deleted_at"])
def test_who_is_gone_has_no_page(client, owner, path, field):
    gone = {"is_active": False, "deleted_at": timezone.now()}
    User.objects.filter(pk=owner.pk).update(**{field: gone[field]})

    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/u/nobody/", "/api/users/nobody/submissions", "/u/%00/", "/u/%0a/"])
def test_nobody_has_no_page(client, db, path):
    assert client.get(path).status_code == 404


def test_the_page_takes_no_post(client, owner):
    assert client.post(PAGE).status_code == 405


def test_the_page_is_open_to_everyone_without_a_cookie(client, owner):
    assert not client.get(PAGE).cookies


def test_the_api_lists_public_submissions_page_by_page(client, owner):
    older = public_submission(owner)
    newer = public_submission(owner)
    for submission in (older, newer):
        published_result(submission=submission)
    type(older).objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(days=2))

    first = client.get(f"{API}?limit=1").json()
    second = client.get(first["next"]).json()

    assert [row["id"] for row in first["results"] + second["results"]] == [str(newer.pk), str(older.pk)]
    assert second["next"] is None
    assert (first["results"][0]["owner"], first["results"][0]["trust"]) == ("owner", "T2")


def test_the_api_refuses_an_odd_cursor(client, owner):
    assert client.get(f"{API}?cursor=x").status_code == 400


def test_the_page_of_a_result_leads_to_its_owner(client, owner):
    result = published_result(submission=public_submission(owner))

    assert f'href="{PAGE}"' in client.get(f"/results/{result.pk}/").content.decode()
