"""Uploads of many files in the browser, and what who may not upload now reads."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.services.bans import ban
from leaderboard.models import Provenance, Submission
from leaderboard.services import quotas
from leaderboard.services.batches import BatchOptions, open_batch, read_batch
from tests.factories import draft, normal_file
from tests.leaderboard.browsing import archive, text, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue", "stored_files")]


def url(submission: Submission) -> str:
    return reverse("leaderboard:submission", args=[submission.pk])


@pytest.fixture
def browser(client: Client, owner: Any) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def reader(stranger: Any) -> Client:
    """The stranger's browser."""
    client = Client()
    client.force_login(stranger)
    return client


# Many files


def many(count: int) -> bytes:
    members = [(f"{n}.json", normal_file(duration_s=128.0 + n / 10_000).content) for n in range(count)]
    return archive(*members, ("bad.json", b"{"))


def test_an_upload_of_many_files_becomes_a_batch(browser):
    response = upload(browser, ("many.zip", many(51)))

    assert response.url.startswith("/batches/")
    assert "Waiting" in text(browser.get(response.url))


def test_a_batch_can_be_asked_for(browser, owner):
    response = browser.post("/submit/?background=1", {"files": [_file("one.json", normal_file().content)]})

    assert response.url.startswith("/batches/")


def test_the_batch_page_shows_progress_then_the_draft_and_what_was_refused(browser, owner):
    batch = _batch(owner, many(3))
    waiting = browser.get(f"/batches/{batch.pk}/").content.decode()
    assert "<progress" in waiting
    assert 'hx-trigger="every 1s"' in waiting

    read_batch(batch.pk)

    done = browser.get(f"/batches/{batch.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in done
    assert "hx-trigger" not in done
    assert "bad.json" in done
    assert url(Submission.objects.get()) in done


def test_what_was_refused_is_downloaded_as_csv_without_formulas(browser, owner):
    batch = _batch(owner, archive(("=cmd.json", b"{"), ("good.json", normal_file().content)))
    read_batch(batch.pk)

    response = browser.get(f"/batches/{batch.pk}/refused.csv")

    assert response["Content-Type"].startswith("text/csv")
    assert "'=cmd.json" in response.content.decode()


def test_somebody_elses_batch_is_not_found(reader, owner):
    batch = _batch(owner, many(1))

    assert reader.get(f"/batches/{batch.pk}/").status_code == 404
    assert reader.get(f"/batches/{batch.pk}/refused.csv").status_code == 404
    assert Client().get(f"/batches/{batch.pk}/").status_code == 302


def test_a_large_draft_is_shown_fifty_in_full_and_all_in_a_table(browser, owner):
    entries = [normal_file(f"{n}.json", duration_s=128.0 + n / 10_000) for n in range(120)]
    submission = draft(owner, *entries)

    first, second = (browser.get(url(submission) + query).content.decode() for query in ("", "?page=2"))

    assert first.count('class="card preview"') == 50
    assert "Results 1 to 100 of 120" in first
    assert "Results 101 to 120 of 120" in second


def test_the_page_of_a_large_draft_takes_as_many_queries_as_that_of_a_small_one(browser, owner):
    counts = []
    for size in (51, 150):
        entries = [normal_file(f"{n}.json", duration_s=128.0 + size / 1000 + n / 100_000) for n in range(size)]
        submission = draft(owner, *entries)
        with CaptureQueriesContext(connection) as queries:
            browser.get(url(submission))
        counts.append(len(queries))

    assert counts[0] == counts[1]


# Who may not write now


def test_a_banned_uploader_reads_why(browser, owner, moderator):
    ban(user=owner, by=moderator, reason="Spam.")

    response = upload(browser, ("result.json", normal_file().content))

    assert response.status_code == 403
    assert "Spam." in text(response)


def test_who_uploaded_too_much_reads_when_more_is_possible(browser, owner, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.UPLOADS, 0)

    response = upload(browser, ("result.json", normal_file().content))

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "more is possible from" in text(response)


def _file(name: str, content: bytes) -> Any:
    return SimpleUploadedFile(name, content)


def _batch(owner: Any, content: bytes) -> Any:
    uploads = [("many.zip", io.BytesIO(content))]
    return open_batch(owner=owner, uploads=uploads, files_total=0, options=BatchOptions(provenance=Provenance.UPLOAD))
