"""A contributor's own pages: without JavaScript, and with nothing but a keyboard."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from leaderboard.models import BatchState, Submission, SubmissionStatus, UploadBatch

pytestmark = pytest.mark.browser


def tab_to(page, target):
    """Press Tab until this has the focus, as far as a page can be long."""
    for _ in range(80):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def test_a_draft_is_submitted_without_javascript(open_page, owner, draft):
    page = open_page(owner, java_script_enabled=False)
    page.goto(reverse("leaderboard:submission", args=[draft.pk]))
    page.get_by_label("GPU count").fill("1")
    page.get_by_role("button", name="Save and check again").click()

    page.get_by_role("button", name="Confirm and submit").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your submission")
    assert Submission.objects.get(pk=draft.pk).status == SubmissionStatus.PENDING


def test_the_progress_of_a_batch_is_right_without_javascript(open_page, owner, transactional_db):
    batch = UploadBatch.objects.create(owner=owner, state=BatchState.READING, files_total=1000, files_done=372)
    page = open_page(owner, java_script_enabled=False)

    page.goto(reverse("leaderboard:batch", args=[batch.pk]))

    expect(page.get_by_text("372 of 1000 files").last).to_be_visible()
    expect(page.get_by_role("link", name="Look again")).to_be_visible()


def test_a_comment_is_written_with_the_keyboard_alone(open_page, results, stranger):
    page = open_page(stranger)
    page.goto(reverse("leaderboard:result", args=[results[0].pk]))

    tab_to(page, page.get_by_label("Write a comment"))
    page.keyboard.type("Which driver?")
    tab_to(page, page.get_by_role("button", name="Comment"))
    page.keyboard.press("Enter")

    expect(page.locator(".remark")).to_contain_text("Which driver?")
