"""The whole way of a measured file: uploaded, understood, approved, found among published figures."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leaderboard.models import Result, Submission, SubmissionStatus
from leaderboard.services.published import load_published
from tests.leaderboard.browsing import text
from tests.leaderboard.importers import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(catalogue: None, stored_files: Any) -> None:
    """A fresh site with its catalogue and its published figures."""
    load_published()


@pytest.fixture(params=["sample", "real"])
def gpt2(request: pytest.FixtureRequest) -> bytes:
    """The measured gpt2 file: as it is, and as the sample that this repository keeps of it."""
    if request.param == "sample":
        return samples.entry(samples.result_2()).content
    folder = request.getfixturevalue("shared_data")
    return (folder / "llenergymeasure/v2.0_real/gpt2_pytorch_v2.0.json").read_bytes()


def browser_of(user: Any) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def give(browser: Client, content: bytes) -> Submission:
    upload = SimpleUploadedFile("gpt2_pytorch_v2.0.json", content)
    browser.post("/submit/", {"files": [upload]})
    return Submission.objects.exclude(provenance="imported").get()


def test_a_measured_file_goes_from_upload_to_the_public_leaderboard(site, gpt2, client, owner, moderator):
    mine, admin = browser_of(owner), browser_of(moderator)

    # Uploaded, and understood.
    submission = give(mine, gpt2)
    preview = text(mine.get(f"/submissions/{submission.pk}/"))
    for part in ("GPT-2 on A100 PCIe 40GB", "640", "1,280", "2.8065", "0.35631", "149.01", "263.1", "bf16", "DUR1",
                 "effective_config.output_dir", "NVIDIA A100-PCIE-40GB"):  # fmt: skip
        assert part in preview, part

    # Completed, and handed in.
    mine.post(f"/submissions/{submission.pk}/state/", {"stated-gpu_count": "1"})
    mine.post(f"/submissions/{submission.pk}/confirm/", {"visibility": "public", "note": "An idle machine."})
    submission.refresh_from_db()
    assert submission.status == SubmissionStatus.PENDING
    result = Result.objects.get(submission=submission)
    assert client.get(f"/results/{result.pk}/").status_code == 404

    # Approved in the admin.
    assert str(submission.pk) in admin.get("/admin/leaderboard/submission/").content.decode()
    admin.post(f"/admin/leaderboard/submission/{submission.pk}/change/", {"decision": "approve", "reason": "Fine."})

    # Found by everyone: hidden at first, and the page says so.
    front = client.get("/")
    assert "1 self-reported result hidden" in text(front)
    assert str(result.pk) not in front.content.decode()
    assert str(result.pk) in client.get("/?min_trust=T1&q=gpt2").content.decode()
    detail = text(client.get(f"/results/{result.pk}/"))
    for part in ("2.8065", "tok/J", "0.35631", "149.01", "263.1", "stated by the uploader", "Fine."):
        assert part in detail
    assert "An idle machine." not in text(client.get("/"))


def test_the_first_page_of_a_fresh_site_is_made_of_published_figures(site, client):
    shown = text(client.get("/"))

    assert "191 configurations" in shown
    assert "Published" in shown
    assert "hidden" not in shown


def test_changes_are_asked_for_made_and_approved(site, client, owner, moderator):
    mine, admin = browser_of(owner), browser_of(moderator)
    submission = give(mine, samples.entry(samples.result_2()).content)
    path = f"/submissions/{submission.pk}/"
    decide = f"/admin/leaderboard/submission/{submission.pk}/change/"
    mine.post(f"{path}confirm/", {"visibility": "public"})

    admin.post(decide, {"decision": "request-changes", "reason": "How many GPUs?"})
    assert "How many GPUs?" in text(mine.get(path))
    mine.post(f"{path}state/", {"stated-gpu_count": "1"})
    mine.post(f"{path}confirm/", {"visibility": "public"})
    admin.post(decide, {"decision": "approve"})

    assert list(submission.events.values_list("action", flat=True)) == [
        "submit", "request-changes", "submit", "approve",
    ]  # fmt: skip
    assert Result.objects.ranked().get(submission=submission).gpu_count == 1


def test_what_is_published_can_be_disputed_withdrawn_and_deleted(site, client, owner, moderator):
    mine, admin = browser_of(owner), browser_of(moderator)
    submission = give(mine, samples.entry(samples.result_2()).content)
    result = submission.results.get()
    decide = f"/admin/leaderboard/submission/{submission.pk}/change/"
    mine.post(f"/submissions/{submission.pk}/confirm/", {"visibility": "public"})
    admin.post(decide, {"decision": "approve"})

    admin.post(decide, {"decision": "dispute", "reason": "Too fast."})
    assert "Disputed: it is not ranked" in text(client.get(f"/results/{result.pk}/"))
    mine.post(f"/submissions/{submission.pk}/withdraw/", {"reason": "It was."})
    assert "It was." in text(client.get(f"/results/{result.pk}/"))
    assert str(result.pk) not in client.get("/?min_trust=T1&q=gpt2").content.decode()

    mine.post(f"/submissions/{submission.pk}/delete/", {"reason": "All of it."})
    gone = client.get(f"/results/{result.pk}/")
    assert gone.status_code == 410
    assert "All of it." in text(gone)
    assert list(submission.events.values_list("action", flat=True))[-2:] == ["withdraw", "delete"]
