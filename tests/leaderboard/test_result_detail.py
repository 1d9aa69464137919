"""The page of one result, and its files."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse

from leaderboard.metrics import METRICS
from leaderboard.models import Finding, Result, ReviewAction, ReviewEvent, SubmissionStatus, Visibility
from leaderboard.services.review import review
from leaderboard.services.submissions import delete, withdraw
from tests.factories import ResultFactory, SubmissionFactory, draft, normal_file, pending, published_result
from tests.leaderboard.browsing import text
from tests.leaderboard.importers import samples

pytestmark = pytest.mark.django_db


def url(result: Result) -> str:
    return reverse("leaderboard:result", args=[result.pk])


@pytest.fixture
def gpt2(catalogue, stored_files, owner, moderator) -> Result:
    """The measured gpt2 file in three cycles, approved."""
    entries = [samples.entry(cycle, f"{n}.json") for n, cycle in enumerate(samples.cycles_of_result_2())]
    submission = pending(owner, *entries, gpu_count=1)
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator, reason="Looks right.")
    return submission.results.get()


def test_the_page_shows_what_ran_on_what(client, gpt2):
    shown = text(client.get(url(gpt2)))

    for part in ("GPT-2", "1 x A100 PCIe 40", "bf16", "Transformers", "batch 1", "3 runs", "Self-reported"):
        assert part in shown


def test_every_figure_carries_its_unit_and_where_it_comes_from(client, gpt2):
    shown = text(client.get(url(gpt2)))

    for metric in METRICS:
        if getattr(gpt2, metric.name, None) is not None:
            assert re.search(rf"{re.escape(metric.label)}.{{0,200}}? {re.escape(metric.unit)}\b", shown), metric.name
    for origin in ("from the file", "computed", "stated by the uploader"):
        assert origin in shown


def test_cycles_mean_spread_and_interval_are_on_the_page(client, gpt2):
    shown = text(client.get(url(gpt2)))

    for part in ("Cycle", "Mean", "Standard deviation", "95 % interval", "CV", "230.00", "±"):
        assert part in shown


def test_scope_findings_warnings_files_history_and_removed_parts_are_on_the_page(client, gpt2):
    shown = text(client.get(url(gpt2)))

    for part in (
        "Energy is that of the GPUs alone",
        "DUR1",
        "short_measurement_duration",
        "0.json",
        "effective_config.output_dir",
        "Looks right.",
        "model: gpt2",
    ):
        assert part in shown


def test_a_published_result_is_seen_by_everyone_without_a_cookie(client):
    response = client.get(url(published_result()))

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("status", ["draft", "pending", "changes_requested", "rejected"])
@pytest.mark.parametrize(("who", "code"), [("owner", 200), ("moderator", 200), ("stranger", 404), ("anonymous", 404)])
def test_an_unpublished_result_is_seen_by_its_owner_and_moderators(request, client, owner, status, who, code):
    result = ResultFactory(submission__owner=owner, submission__status=status)
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))

    assert client.get(url(result)).status_code == code


def test_a_private_result_is_seen_by_its_owner(client, owner, stranger):
    result = ResultFactory(submission__owner=owner, submission__visibility=Visibility.PRIVATE)
    client.force_login(stranger)
    assert client.get(url(result)).status_code == 404

    client.force_login(owner)
    assert "only you and moderators see this page" in text(client.get(url(result)))


@pytest.mark.parametrize(
    ("status", "says"), [("disputed", "Disputed: it is not ranked."), ("invalidated", "Invalidated: it is not ranked.")]
)
def test_a_result_that_fell_keeps_its_page_and_says_so(client, status, says):
    result = ResultFactory(submission__status=status)
    ReviewEvent.objects.create(
        submission=result.submission, action="dispute", from_status="published", to_status=status, reason="Too fast."
    )

    shown = text(client.get(url(result)))

    assert says in shown
    assert "Too fast." in shown


def test_a_withdrawn_result_keeps_its_page_with_date_and_reason(client, owner):
    submission = SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED, published_at="2026-01-01T00:00:00Z")
    result = published_result(submission=submission)

    withdraw(submission=submission, by=owner, reason="Wrong clock.")

    shown = text(client.get(url(result)))
    assert "Withdrawn: it is not ranked." in shown
    assert "Wrong clock." in shown


def test_a_deleted_result_is_gone(client, owner):
    result = ResultFactory(submission__owner=owner)
    delete(submission=result.submission, by=owner)
    client.force_login(owner)

    assert client.get(url(result)).status_code == 404


def test_a_result_that_never_was_is_not_found(client):
    assert client.get(reverse("leaderboard:result", args=[uuid.uuid4()])).status_code == 404


def test_findings_say_what_was_seen_and_what_is_allowed(client):
    result = published_result()
    Finding.objects.create(
        result=result, code="PWR2", severity="R", observed="12 W", limit="56 W", message="Below idle.", check_set="1"
    )

    shown = text(client.get(url(result)))

    for part in ("PWR2", "12 W", "56 W", "Below idle.", "For a moderator"):
        assert part in shown


def test_a_published_figure_links_to_its_source(client):
    result = published_result(source_name="A paper", source_url="https://example.org/p", source_date="2024-09-09")

    content = client.get(url(result)).content.decode()

    assert 'href="https://example.org/p"' in content
    assert "2024-09-09" in content


@pytest.mark.parametrize(
    ("provenance", "says"), [("imported", "carried over from a published source"), ("upload", "a deleted account")]
)
def test_a_result_without_owner_says_why(client, provenance, says):
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, owner=None, provenance=provenance)

    assert says in text(client.get(url(published_result(submission=submission))))


def test_a_result_with_nothing_but_a_name_still_has_a_page(client, owner):
    result = ResultFactory(
        submission__owner=owner, model=None, hardware=None, backend=None, model_name="", hardware_name="",
        backend_name="", gpu_count=None, precision="", batch_size=None, tokens_per_joule=None, energy_scope="",
        throughput_tokens_per_s=None,
    )  # fmt: skip
    client.force_login(owner)

    assert "model not stated on GPU not stated" in text(client.get(url(result)))


def test_queries_do_not_grow_with_cycles_and_findings(client, gpt2, django_assert_num_queries):
    with django_assert_num_queries(30, exact=False) as few:
        client.get(url(gpt2))
    for n in range(10):
        Finding.objects.create(result=gpt2, code=f"X{n}", severity="W", message="m", check_set="1")
        gpt2.measurements.create(cycle=n + 10)

    with django_assert_num_queries(len(few.captured_queries)):
        client.get(url(gpt2))


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_can_be_sent_to_the_page(client, method):
    assert getattr(client, method)(url(published_result())).status_code == 405


def raw_url(submission: Any) -> str:
    return reverse("leaderboard:raw_file", args=[submission.pk, submission.raw_files.first().pk])


def test_a_file_is_a_download_that_no_browser_runs(client, gpt2):
    response = client.get(raw_url(gpt2.submission))

    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="0.json"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert b"gpt2" in response.getvalue()


def test_a_file_name_cannot_break_out_of_its_header(client, owner, small_catalogue, stored_files):
    submission = draft(owner, normal_file('a";\r\nSet-Cookie: x=1;é.json'))
    client.force_login(owner)

    response = client.get(raw_url(submission))

    response.close()
    assert "\n" not in response["Content-Disposition"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(("who", "code"), [("owner", 200), ("moderator", 200), ("stranger", 404), ("anonymous", 404)])
def test_a_file_of_a_draft_is_its_owners(request, client, owner, small_catalogue, stored_files, who, code):
    submission = draft(owner)
    if who != "anonymous":
        client.force_login(request.getfixturevalue(who))

    response = client.get(raw_url(submission))

    response.close()
    assert response.status_code == code


def test_a_file_is_found_under_its_own_submission_only(client, owner, small_catalogue, stored_files):
    mine, other = draft(owner), draft(owner, normal_file(duration_s=128.3))
    client.force_login(owner)

    response = client.get(reverse("leaderboard:raw_file", args=[other.pk, mine.raw_files.get().pk]))

    assert response.status_code == 404
