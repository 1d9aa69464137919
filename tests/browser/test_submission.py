"""From files on the desk to a confirmed submission, and what is copied from a page."""

import json

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import ApiToken
from leaderboard.models import Submission, SubmissionStatus

pytestmark = pytest.mark.browser

DROP = """(zone, files) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name, { type: "application/json" }));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def upload_page(open_page, owner, results):
    page = open_page(owner)
    page.goto(reverse("leaderboard:submit"))
    return page


def test_a_dropped_file_is_listed_read_completed_and_submitted(upload_page, upload):
    page = upload_page
    page.locator("[data-drop]").evaluate(DROP, [[upload.name, upload.read_text()]])
    expect(page.locator("[data-drop-list]")).to_contain_text("result.json")
    page.get_by_role("button", name="Read the files").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check what was understood")
    page.get_by_label("GPU count").fill("1")
    page.get_by_role("button", name="Save and check again").click()
    expect(page.get_by_text("stated by the uploader").first).to_be_visible()
    page.get_by_role("button", name="Confirm and submit").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your submission")
    assert Submission.objects.filter(owner__isnull=False).latest("created_at").status == SubmissionStatus.PENDING


def test_a_chosen_file_is_listed(upload_page, upload):
    upload_page.get_by_label("Files").set_input_files(upload)

    expect(upload_page.locator("[data-drop-list] li")).to_have_text(["result.json, 0.2 kB"])


def test_two_files_of_one_name_ask_for_an_archive(upload_page):
    upload_page.locator("[data-drop]").evaluate(DROP, [["a.json", "{}"], ["a.json", "[]"]])

    expect(upload_page.get_by_text("zip the folder")).to_be_visible()
    expect(upload_page.locator("[data-drop-list] li")).to_have_count(0)


def test_a_file_that_is_not_understood_is_refused_in_words(upload_page, provoked):
    provoked.append("422")
    upload_page.get_by_text("Or paste JSON").click()
    upload_page.get_by_label("One JSON document").fill(json.dumps({"a": 1}))
    upload_page.get_by_role("button", name="Read the files").click()

    expect(upload_page.get_by_role("alert").first).to_contain_text("nothing was stored")
    expect(upload_page.get_by_label("One JSON document")).to_have_value('{"a": 1}')


def test_a_new_token_is_shown_once_and_copied(open_page, owner):
    page = open_page(owner, permissions=["clipboard-read", "clipboard-write"])
    page.goto(reverse("accounts:tokens"))
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make a token").click()

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")
    assert token.startswith(f"lem_{ApiToken.objects.get().key_id}_")
    page.goto(reverse("accounts:tokens"))
    expect(page.get_by_text(token)).to_have_count(0)
