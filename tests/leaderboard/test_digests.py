"""Weekly digests: what is in them, and that nothing is said of what is no longer public."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from leaderboard import tasks
from leaderboard.models import (
    Dispute,
    DisputeState,
    Result,
    ReviewAction,
    ReviewEvent,
    SubmissionStatus,
    Trust,
    WeeklyDigest,
)
from leaderboard.queries.digests import Week, new_bests
from leaderboard.services.digests import MOST, digest_content, last_ended_week, write_missing_digests
from leaderboard.services.ranking import unrank
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 9)
#: a Saturday of the week after
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IN_WEEK = datetime(2026, 11, 11, 12, 0, tzinfo=UTC)
BEFORE = IN_WEEK - timedelta(days=20)


@pytest.fixture
def catalogue_of_one():
    return {
        "model": LanguageModelFactory(name="org/lemon", title="Lemon 8B"),
        "hardware": HardwareFactory(slug="h100", name="H100 SXM"),
        "backend": BackendFactory(),
    }


def published(at, **fields) -> Result:
    return published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, published_at=at), **fields)


def content() -> dict:
    return digest_content(Week(MONDAY), is_last=True)


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (NOW, MONDAY),
        (datetime(2026, 11, 16, 0, 0, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 15, 23, 59, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_the_week_that_is_over_is_the_last_one_before_this_monday(now, monday):
    assert last_ended_week(now) == monday


def test_results_are_counted_by_model_and_gpu(catalogue_of_one):
    for _ in range(2):
        published(IN_WEEK, **catalogue_of_one)
    published(BEFORE, **catalogue_of_one)
    published(IN_WEEK)

    found = content()

    assert (found["results"], found["submissions"]) == (3, 3)
    assert found["pairs"][0] == [catalogue_of_one["model"].pk, catalogue_of_one["hardware"].pk, 2]
    assert found["first_pairs"] == 1


@pytest.mark.parametrize("at", [Week(MONDAY).start, Week(MONDAY).end - timedelta(microseconds=1)])
def test_a_week_holds_its_first_and_its_last_moment(at):
    published(at)

    assert content()["results"] == 1


@pytest.mark.parametrize("at", [Week(MONDAY).start - timedelta(microseconds=1), Week(MONDAY).end])
def test_a_week_holds_nothing_of_its_neighbours(at):
    published(at)

    assert content()["results"] == 0


def test_a_new_best_has_the_factor_over_the_one_before(catalogue_of_one):
    before = published(BEFORE, tokens_per_joule=2.0, **catalogue_of_one)
    published(BEFORE, tokens_per_joule=1.0, **catalogue_of_one)
    best = published(IN_WEEK, tokens_per_joule=3.0, throughput_tokens_per_s=10.0, **catalogue_of_one)

    assert content()["bests"] == [
        {"metric": "tokens_per_joule", "result": str(best.pk), "before": str(before.pk), "factor": 1.5}
    ]


def test_a_lower_latency_is_better(catalogue_of_one):
    published(BEFORE, itl_ms_p50=20.0, **catalogue_of_one)
    published(IN_WEEK, itl_ms_p50=10.0, **catalogue_of_one)

    (best,) = (best for best in content()["bests"] if best["metric"] == "itl_ms_p50")

    assert best["factor"] == 2.0


@pytest.mark.parametrize("other", [{"gpu_count": 2}, {"energy_scope": "wall"}, {"trust": Trust.SELF_REPORTED}])
def test_what_is_not_comparable_or_not_trusted_is_no_new_best(catalogue_of_one, other):
    published(BEFORE, tokens_per_joule=2.0, **catalogue_of_one)
    published(IN_WEEK, tokens_per_joule=3.0, **catalogue_of_one, **other)

    assert [best.metric for best in new_bests(Week(MONDAY))] == []


def test_a_digest_is_a_page_and_never_more():
    for _ in range(MOST + 2):
        published(IN_WEEK)

    found = content()

    assert len(found["pairs"]) == MOST
    assert found["more_pairs"] == 2


def test_additions_to_the_catalogue_are_those_since_the_digest_before(catalogue_of_one):
    published(BEFORE, **catalogue_of_one)
    first = digest_content(Week(MONDAY - timedelta(weeks=1)), is_last=True)
    WeeklyDigest.objects.create(week=MONDAY - timedelta(weeks=1), content=first)
    LanguageModelFactory(name="org/new-one")

    assert first["added"] == {"models": [], "hardware": []}
    assert content()["added"] == {"models": ["org/new-one"], "hardware": []}


def test_withdrawn_and_invalidated_submissions_are_counted():
    for action in (ReviewAction.WITHDRAW, ReviewAction.INVALIDATE):
        event = ReviewEvent(
            submission=SubmissionFactory(),
            action=action,
            from_status=SubmissionStatus.PUBLISHED,
            to_status=SubmissionStatus.WITHDRAWN,
        )
        ReviewEvent.objects.bulk_create([event])
    today = datetime.now(UTC).date()
    found = digest_content(Week(today - timedelta(days=today.weekday())), is_last=False)

    assert (found["withdrawn"], found["invalidated"]) == (1, 1)


def test_digests_are_written_once_for_each_week_since_the_first_result():
    published(IN_WEEK - timedelta(weeks=2))

    written = write_missing_digests(NOW)

    assert [digest.week for digest in written] == [MONDAY - timedelta(weeks=n) for n in (2, 1, 0)]
    assert write_missing_digests(NOW) == []


def test_weeks_longer_ago_than_eight_are_left(catalogue_of_one):
    published(IN_WEEK - timedelta(weeks=20), **catalogue_of_one)

    assert len(write_missing_digests(NOW)) == 8


def test_a_site_without_results_has_no_digest():
    assert write_missing_digests(NOW) == []


def test_the_task_writes_what_is_missing(monkeypatch):
    published(IN_WEEK)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)

    tasks.write_weekly_digests()

    assert WeeklyDigest.objects.get().week == MONDAY


def test_the_page_says_what_came_and_what_is_better(client, catalogue_of_one):
    published(BEFORE, tokens_per_joule=2.0, **catalogue_of_one)
    best = published(IN_WEEK, tokens_per_joule=3.0, **catalogue_of_one)
    write_missing_digests(NOW)

    response = client.get("/digest/2026-W46/")

    page = text(response)
    assert "1 result came in with 1 submission." in page
    assert "Lemon 8B on 1 x H100 SXM" in page
    assert "1.5 times better than" in page
    assert f'href="/results/{best.pk}/"' in response.content.decode()


def test_a_result_that_is_no_longer_public_is_neither_named_nor_linked(client, catalogue_of_one):
    before = published(BEFORE, tokens_per_joule=2.0, **catalogue_of_one)
    best = published(IN_WEEK, tokens_per_joule=3.456, **catalogue_of_one)
    write_missing_digests(NOW)
    unrank(Result.objects.filter(pk=best.pk))

    response = client.get("/digest/2026-W46/")

    page = response.content.decode()
    assert "1 entry rested on results that are not public any more" in page
    assert "3.456" not in page
    assert str(best.pk) not in page
    assert str(before.pk) not in page


def test_a_settled_dispute_is_named(client, catalogue_of_one):
    result = published(BEFORE, **catalogue_of_one)
    Dispute.objects.create(
        result=result,
        title="Lemon 8B on H100",
        raised_by=UserFactory(),
        reason="?",
        state=DisputeState.DISMISSED,
        resolved_at=IN_WEEK,
    )
    write_missing_digests(NOW)

    assert "The dispute about Lemon 8B on H100 was dismissed." in text(client.get("/digest/2026-W46/"))


def test_hostile_names_stay_text(client, catalogue_of_one):
    hostile = LanguageModelFactory(name="x/evil", title="<script>alert(1)</script>")
    published(IN_WEEK, **{**catalogue_of_one, "model": hostile})
    write_missing_digests(NOW)

    for path in ("/digest/", "/digest/2026-W46/", "/digest/feed.atom"):
        assert "<script>alert" not in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["2026-W46", "2026-W54", "2026-W0", "0-W1", "99999-W1"])
def test_a_week_without_digest_is_404(client, path):
    assert client.get(f"/digest/{path}/").status_code == 404


def test_the_list_shows_the_newest_and_leads_to_the_others(client):
    published(IN_WEEK - timedelta(weeks=1))
    write_missing_digests(NOW)

    page = client.get("/digest/").content.decode()

    assert "Week 46 of 2026" in page
    assert 'href="/digest/2026-W45/"' in page


def test_the_list_is_there_before_the_first_digest(client):
    assert "No week with public results is over yet." in text(client.get("/digest/"))


def test_the_feed_has_an_entry_for_each_week(client, catalogue_of_one):
    published(IN_WEEK, **catalogue_of_one)
    write_missing_digests(NOW)

    response = client.get("/digest/feed.atom")

    root = ET.fromstring(response.content)
    (entry,) = root.iter("{http://www.w3.org/2005/Atom}entry")
    assert entry.findtext("{http://www.w3.org/2005/Atom}title") == "Week 46 of 2026"
    assert "1 result came in" in str(entry.findtext("{http://www.w3.org/2005/Atom}summary"))
    assert client.get("/digest/feed.atom", headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_an_empty_week_says_so(client):
    published(IN_WEEK - timedelta(weeks=1))
    write_missing_digests(NOW)

    assert "No result was published in this week." in text(client.get("/digest/2026-W46/"))
