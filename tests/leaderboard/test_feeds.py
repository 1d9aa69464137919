"""Feeds of new results: valid, stable, and never with what is not public."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone

from leaderboard.models import Submission, SubmissionStatus, Visibility
from leaderboard.services.ranking import unrank
from tests.factories import (
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
FEEDS = ["/feed.atom", "/feed.rss"]


def published(days_ago=1, **fields):
    at = datetime(2026, 5, 1, 12, 0, tzinfo=UTC) - timedelta(days=days_ago)
    submission = SubmissionFactory(
        status=SubmissionStatus.PUBLISHED, published_at=at, owner=fields.pop("owner", None) or UserFactory()
    )
    return published_result(submission=submission, **fields)


def entries(response):
    """(title, link, id) of each, whichever the format."""
    root = ET.fromstring(response.content)
    if root.tag == f"{ATOM}feed":
        return [
            (
                entry.findtext(f"{ATOM}title"),
                entry.find(f"{ATOM}link").get("href"),
                entry.findtext(f"{ATOM}id"),
            )
            for entry in root.iter(f"{ATOM}entry")
        ]
    return [(item.findtext("title"), item.findtext("link"), item.findtext("guid")) for item in root.iter("item")]


@pytest.mark.parametrize("path", FEEDS)
def test_an_entry_has_title_link_and_an_id_that_stays(client, path):
    model = LanguageModelFactory(title="Lemon 8B")
    result = published(model=model, hardware=HardwareFactory(name="H100 SXM"))

    (entry,) = entries(client.get(path))

    assert entry == (
        "Lemon 8B on 1 x H100 SXM",
        f"http://testserver/results/{result.pk}/",
        f"urn:uuid:{result.pk}",
    )


@pytest.mark.parametrize("path", FEEDS)
def test_the_newest_published_comes_first(client, path):
    old, new = published(days_ago=3), published(days_ago=1)

    assert [guid for *_, guid in entries(client.get(path))] == [f"urn:uuid:{new.pk}", f"urn:uuid:{old.pk}"]


def test_an_atom_feed_has_all_that_the_standard_asks_for(client):
    published()

    response = client.get("/feed.atom?q=lemon")

    root = ET.fromstring(response.content)
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert root.findtext(f"{ATOM}id") == "http://testserver/feed.atom?q=lemon"
    assert {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")} == {
        "alternate": "http://testserver/?q=lemon",
        "self": "http://testserver/feed.atom?q=lemon",
    }
    assert root.findtext(f"{ATOM}title") == "New results · lemon"
    assert root.findtext(f"{ATOM}updated")


def test_an_atom_entry_has_author_and_dates(client):
    published(owner=UserFactory(display_name="Ada"))

    root = ET.fromstring(client.get("/feed.atom").content)

    entry = root.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Ada"
    assert entry.findtext(f"{ATOM}updated") == "2026-04-30T12:00:00+00:00"
    assert entry.findtext(f"{ATOM}published") == "2026-04-30T12:00:00+00:00"


def test_an_rss_feed_has_all_that_the_standard_asks_for(client):
    published()

    response = client.get("/feed.rss")

    channel = ET.fromstring(response.content).find("channel")
    assert response["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert all(channel.findtext(name) for name in ("title", "link", "description"))
    assert channel.find("item/guid").get("isPermaLink") == "false"
    assert channel.findtext("item/pubDate") == "Thu, 30 Apr 2026 12:00:00 +0000"


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_takes_the_filters_of_the_leaderboard(client, path):
    gpu = HardwareFactory(slug="h100")
    wanted = published(hardware=gpu, tokens_per_joule=3.0)
    published(hardware=gpu, tokens_per_joule=1.0)
    published(tokens_per_joule=3.0)

    response = client.get(f"{path}?hardware=h100&tokens_per_joule_min=2")

    assert [guid for *_, guid in entries(response)] == [f"urn:uuid:{wanted.pk}"]


def test_order_pages_and_view_of_the_board_do_not_matter(client):
    for _ in range(2):
        published()

    assert len(entries(client.get("/feed.atom?sort=tokens_per_joule&limit=1&view=all"))) == 2


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize(
    ("status", "visibility"),
    [
        (SubmissionStatus.DRAFT, Visibility.PUBLIC),
        (SubmissionStatus.PENDING, Visibility.PUBLIC),
        (SubmissionStatus.WITHDRAWN, Visibility.PUBLIC),
        (SubmissionStatus.INVALIDATED, Visibility.PUBLIC),
        (SubmissionStatus.DISPUTED, Visibility.PUBLIC),
        (SubmissionStatus.REJECTED, Visibility.PUBLIC),
        (SubmissionStatus.PUBLISHED, Visibility.PRIVATE),
    ],
)
def test_what_is_not_public_is_in_no_feed_even_if_it_were_ranked(client, path, status, visibility):
    result = published()
    Submission.objects.filter(pk=result.submission_id).update(status=status, visibility=visibility)

    assert entries(client.get(path)) == []


@pytest.mark.parametrize("path", FEEDS)
def test_what_is_not_ranked_is_in_no_feed(client, path):
    result = published()
    ResultFactory(submission=result.submission)
    unrank(type(result).objects.filter(pk=result.pk))

    assert entries(client.get(path)) == []


@pytest.mark.parametrize("path", FEEDS)
def test_markup_in_names_is_text(client, path):
    published(
        model=LanguageModelFactory(title="<b>&amp;]]> \x0b model"), hardware=HardwareFactory(name="<script>alert(1)")
    )

    response = client.get(path)

    ((title, *_),) = entries(response)
    assert b"<script" not in response.content
    assert b"<b>" not in response.content
    assert "model on" in title


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize(
    ("query", "words"),
    [("min_trust=T9", "min_trust: "), ("limit=0", "limit: "), ("gpu_count=x", "gpu_count: "), ("cursor=x", "cursor: ")],
)
def test_a_parameter_that_is_not_right_is_named_in_words(client, path, query, words):
    response = client.get(f"{path}?{query}")

    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert words in response.content.decode()


@pytest.mark.parametrize("path", FEEDS)
def test_an_unchanged_feed_is_not_sent_again(client, path):
    published()
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    published()
    changed = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert first["Last-Modified"] == "Thu, 30 Apr 2026 12:00:00 GMT"


def test_a_feed_has_sixty_entries_at_most(client):
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, published_at=timezone.now())
    model, gpu = LanguageModelFactory(), HardwareFactory()
    for number in range(61):
        published_result(submission=submission, model=model, hardware=gpu, tokens_per_joule=1.0 + number)

    assert len(entries(client.get("/feed.atom"))) == 60


def test_a_feed_costs_the_same_however_many_entries_it_has(client, django_assert_max_num_queries):
    for _ in range(5):
        published()

    with django_assert_max_num_queries(3):
        client.get("/feed.atom")


@pytest.mark.parametrize("path", FEEDS)
def test_an_empty_feed_is_a_feed(client, path):
    assert entries(client.get(path)) == []


@pytest.mark.parametrize("path", FEEDS)
def test_feeds_are_read_alone(client, path):
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


def test_the_board_links_its_feeds_with_the_filters_in_force(client):
    HardwareFactory(slug="h100")

    page = client.get("/?hardware=h100&sort=-throughput_tokens_per_s&limit=10").content.decode()

    assert '<link rel="alternate" type="application/atom+xml" href="/feed.atom?hardware=h100"' in page
    assert '<a href="/feed.rss?hardware=h100"' in page


@pytest.mark.parametrize(
    ("page", "feed"),
    [("/models/org/lemon/", "/feed.atom?model=org%2Flemon"), ("/hardware/h100/", "/feed.atom?hardware=h100")],
)
def test_models_and_hardware_have_feeds_of_their_own(client, page, feed):
    LanguageModelFactory(name="org/lemon")
    HardwareFactory(slug="h100")

    response = client.get(page)

    assert f'type="application/atom+xml" href="{feed}"' in response.content.decode()
    assert "New results as a feed: Atom , RSS" in text(response)
