"""Every figure shown has a badge beside it that leads to why."""

import re

import pytest

from leaderboard.checks import CHECK_SET
from leaderboard.models import Finding, ReviewAction, ReviewEvent, ScoreReview, SubmissionStatus, Trust
from leaderboard.services.rescoring import keep_score, rescore_published
from tests.factories import SubmissionFactory, draft, normal_file, published_result
from tests.leaderboard.browsing import text, upload

pytestmark = pytest.mark.django_db


def badges(response):
    """(label, where it leads) of each badge that is a link."""
    found = re.findall(r'<a class="trust [^"]*" href="([^"]*)"[^>]*>([^<]+)</a>', response.content.decode())
    return {(label, href) for href, label in found}


def unlinked(response):
    return re.findall(r'<span class="trust [^"]*"[^>]*>([^<]+)</span>', response.content.decode())


@pytest.fixture
def result(db):
    return published_result()


@pytest.mark.parametrize(
    "query", ["", "?view=all", "?min_trust=T1", "?model=nothing"], ids=["best", "all", "T1", "none"]
)
def test_every_row_of_the_leaderboard_leads_to_its_findings(client, result, query):
    response = client.get(f"/{query}")

    expected = set() if "nothing" in query else {("Checks passed", f"/results/{result.pk}/#findings")}
    assert badges(response) == expected
    assert unlinked(response) == []


def test_the_answer_to_a_question_has_a_badge_of_its_own(client, result):
    response = client.get(f"/?hardware={result.hardware.slug}")

    answer = re.search(r'<p class="note answer">.*?</p>', response.content.decode(), re.S).group()
    assert f'href="/results/{result.pk}/#findings"' in answer


def test_the_pages_of_model_and_hardware_have_badges(client, result):
    for page in (f"/models/{result.model.name}/", f"/hardware/{result.hardware.slug}/"):
        assert badges(client.get(page)) == {("Checks passed", f"/results/{result.pk}/#findings")}


def test_the_badge_of_a_result_leads_to_what_was_found_on_it(client, result):
    response = client.get(f"/results/{result.pk}/")

    assert ("Checks passed", "#findings") in badges(response)
    assert 'id="findings"' in response.content.decode()


def test_the_figures_of_a_submission_have_badges(client, small_catalogue, owner):
    submission = draft(owner, normal_file())
    client.force_login(owner)

    response = client.get(f"/submissions/{submission.pk}/")

    result = submission.results.get()
    assert badges(response) == {("Self-reported", f"/results/{result.pk}/#findings")}
    assert unlinked(response) == []


def test_the_figures_of_a_refused_upload_lead_to_what_the_levels_mean(client, small_catalogue, owner):
    client.force_login(owner)

    response = upload(client, ("result.json", normal_file(avg_power_w=9e4).content))

    assert response.status_code == 422
    assert badges(response) == {("Draft", "/methodology/#trust")}


def test_the_api_names_the_trust_of_every_result(client, result):
    assert client.get("/api/benchmarks").json()["results"][0]["trust"] == "T2"
    assert client.get(f"/api/benchmarks/{result.pk}").json()["trust"] == "T2"


@pytest.mark.parametrize("query", ["", "?columns=tokens_per_joule"], ids=["all columns", "one column"])
def test_every_export_has_a_column_of_trust(client, result, query):
    head, row = b"".join(client.get(f"/api/benchmarks.csv{query}").streaming_content).decode().splitlines()

    assert dict(zip(head.split(","), row.split(","), strict=True))["trust"] == "T2"


def checked(client, result):
    return re.search(r"What the checks found (.*?)\. What ", text(client.get(f"/results/{result.pk}/"))).group(1)


def test_a_result_says_when_it_was_checked_and_with_which_set(client):
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, check_set=CHECK_SET)
    result = published_result(submission=submission)

    assert checked(client, result) == f"Checked {submission.created_at:%Y-%m-%d} with check set {CHECK_SET}"


def test_a_result_that_was_checked_again_says_so(client):
    result = published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, check_set="2026.1"))
    Finding.objects.create(result=result, code="DUR1", severity="W", message="Short.", check_set="2026.1")
    ReviewEvent.objects.create(
        submission=result.submission,
        action=ReviewAction.MAP,
        from_status=SubmissionStatus.PUBLISHED,
        to_status=SubmissionStatus.PUBLISHED,
    )

    assert checked(client, result).endswith("with check set 2026.1")


def test_findings_that_were_not_applied_are_not_claimed(client, moderator):
    result = published_result(
        submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, check_set="2026.1"), duration_s=5.0
    )
    rescore_published()
    keep_score(score_review=ScoreReview.objects.get(), by=moderator, reason="Explained.")

    assert checked(client, result).endswith(f"with a check set before {CHECK_SET}")


def test_a_finding_says_why_and_leads_to_its_check(client, result):
    Finding.objects.create(
        result=result,
        code="OUT1",
        severity="R",
        message="Far from its peers.",
        check_set=CHECK_SET,
        limit="z at most 6",
    )

    response = client.get(f"/results/{result.pk}/")

    assert "Far from its peers." in text(response)
    assert "limit z at most 6" in text(response)
    assert 'href="/methodology/#OUT1"' in response.content.decode()
    assert 'id="OUT1"' in client.get("/methodology/").content.decode()


def test_the_methodology_lists_every_level(client):
    shown = text(client.get("/methodology/"))

    assert all(trust.label in shown for trust in Trust)
    assert f"now {CHECK_SET}" in shown
