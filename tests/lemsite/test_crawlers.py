"""robots.txt, llms.txt and the sitemap: right addresses, and only what is public."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from leaderboard.models import SubmissionStatus, WeeklyDigest
from lemsite import sitemaps
from tests.factories import LanguageModelFactory, ResultFactory, SubmissionFactory, published_result
from tests.runs.factories import RunFactory

pytestmark = pytest.mark.django_db
NS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
PUBLISHED = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def locations(client, path):
    """address -> lastmod"""
    root = ET.fromstring(client.get(path).content)
    return {entry.findtext(f"{NS}loc"): entry.findtext(f"{NS}lastmod") for entry in root}


def published():
    return published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, published_at=PUBLISHED))


def test_robots_are_led_to_the_sitemap(client):
    text = client.get("/robots.txt").content.decode()

    assert "Sitemap: http://testserver/sitemap.xml" in text
    assert "Disallow: /admin/" in text
    assert "User-agent: Twitterbot" in text


def test_the_index_names_every_part_at_the_public_address(client):
    assert set(locations(client, "/sitemap.xml")) == {
        f"http://testserver/sitemap-{part}.xml" for part in sitemaps.PARTS
    }


def test_the_pages_of_the_sitemap_are_all_there(client):
    for address in locations(client, "/sitemap-pages.xml"):
        assert client.get(address.removeprefix("http://testserver")).status_code == 200, address


def test_ranked_results_are_listed_with_their_date(client):
    result = published()
    ResultFactory()

    found = locations(client, "/sitemap-results.xml")

    assert found == {f"http://testserver/results/{result.pk}/": "2026-05-01"}
    assert locations(client, "/sitemap.xml")["http://testserver/sitemap-results.xml"] == "2026-05-01T12:00:00+00:00"


def test_many_results_are_parted(client, monkeypatch):
    monkeypatch.setattr(sitemaps._Part, "limit", 2)
    for _ in range(3):
        published()

    assert "http://testserver/sitemap-results.xml?p=2" in locations(client, "/sitemap.xml")
    assert len(locations(client, "/sitemap-results.xml?p=2")) == 1


def test_a_model_has_the_date_of_its_newest_result(client):
    LanguageModelFactory(name="org/without")
    result = published()

    found = locations(client, "/sitemap-models.xml")

    assert found[f"http://testserver/models/{result.model.name}/"] == "2026-05-01"
    assert found["http://testserver/models/org/without/"] is None


def test_simulated_runs_are_not_listed(client):
    RunFactory(key="real")
    RunFactory(key="made-up", is_simulated=True)

    assert list(locations(client, "/sitemap-runs.xml")) == ["http://testserver/runs/real/"]


def test_names_with_odd_letters_are_escaped(client):
    LanguageModelFactory(name="org/a&b<c é")

    assert "http://testserver/models/org/a&b%3Cc%20%C3%A9/" in locations(client, "/sitemap-models.xml")


def test_digests_are_listed(client):
    WeeklyDigest.objects.create(week=datetime(2026, 11, 9, tzinfo=UTC).date(), content={})

    assert list(locations(client, "/sitemap-digests.xml")) == ["http://testserver/digest/2026-W46/"]


@pytest.mark.parametrize("path", ["/sitemap-nothing.xml", "/sitemap-results.xml?p=99", "/sitemap-results.xml?p=x"])
def test_a_part_that_is_not_there_is_404(client, path):
    assert client.get(path).status_code == 404


def test_the_sitemap_is_not_sent_twice(client):
    etag = client.get("/sitemap.xml")["ETag"]

    assert client.get("/sitemap.xml", headers={"If-None-Match": etag}).status_code == 304
    published()
    assert client.get("/sitemap.xml", headers={"If-None-Match": etag}).status_code == 200


def test_llms_txt_says_what_the_site_is_and_each_of_its_links_leads_somewhere(client):
    text = client.get("/llms.txt").content.decode()

    assert text.startswith("# lemsite\n\n> Measured energy")
    assert "`tokens_per_joule` (tok/J): output tokens per joule" in text
    assert "- T4: Measured again" in text
    addresses = re.findall(r"\]\(http://testserver([^)]*)\)", text)
    assert len(addresses) > 8
    for address in addresses:
        assert client.get(address).status_code == 200, address
