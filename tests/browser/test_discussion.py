"""Comments and disputes on the page of a result, as people use them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from leaderboard.models import Comment
from leaderboard.services.comments import add_comment
from leaderboard.services.disputes import open_dispute

pytestmark = pytest.mark.browser

DESK = {"width": 1440, "height": 900}


@pytest.fixture
def result(results):
    return results[0]


@pytest.fixture
def address(result):
    return reverse("leaderboard:result", args=[result.pk])


def test_a_comment_is_written_edited_and_deleted_in_place(open_page, address, stranger):
    page = open_page(user=stranger, viewport=DESK)
    page.goto(address)

    page.get_by_label("Write a comment").fill("Which **driver**?")
    page.get_by_role("button", name="Comment").click()
    comment = Comment.objects.get()
    remark = page.locator(f"#comment-{comment.pk}")
    expect(remark.locator("strong")).to_have_text("driver")
    expect(page).to_have_url(f"{page.url.partition('/results/')[0]}{address}#comment-{comment.pk}")

    remark.get_by_text("Edit", exact=True).click()
    remark.get_by_label("Your comment").fill("Which CUDA?")
    remark.get_by_role("button", name="Save").click()
    expect(remark).to_contain_text("Which CUDA?")
    expect(remark).to_contain_text("edited")

    remark.get_by_text("Delete", exact=True).click()
    remark.get_by_role("button", name="Delete this comment").click()
    expect(remark).to_contain_text("Deleted by its author.")


def test_a_comment_is_written_without_javascript(open_page, address, stranger):
    page = open_page(user=stranger, viewport=DESK, java_script_enabled=False)
    page.goto(address)

    page.get_by_label("Write a comment").fill("Which driver?")
    page.get_by_role("button", name="Comment").click()

    expect(page.locator(".remark")).to_contain_text("Which driver?")


def test_a_reader_disputes_a_result_and_everyone_sees_it(open_page, address, stranger):
    page = open_page(user=stranger, viewport=DESK)
    page.goto(address)

    page.get_by_text("Dispute this result").click()
    page.get_by_label("What is wrong, and how you know").fill("It is above the roofline.")
    page.get_by_label("Link to the evidence").fill("https://example.org/roofline")
    page.get_by_role("button", name="Raise the dispute").click()

    visitor = open_page(viewport=DESK)
    visitor.goto(address)
    expect(visitor.get_by_text("A reader disputes this result")).to_be_visible()
    visitor.goto("/")
    expect(visitor.locator("td .disputed")).to_have_count(1)
    visitor.goto("/disputes/")
    expect(visitor.locator(".remark")).to_contain_text("It is above the roofline.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_discussion_has_no_accessibility_fault(open_page, address, result, owner, stranger, scheme):
    add_comment(result=result, by=stranger, text="> Which *driver*?\n\n- a [link](https://example.org/)\n- `code`")
    add_comment(result=result, by=owner, text="# 535")
    open_dispute(result=result, by=stranger, reason="Too fast.", evidence_url="https://example.org/")
    page = open_page(user=stranger, viewport=DESK, color_scheme=scheme)

    for where in (address, "/disputes/"):
        page.goto(where)
        for summary in page.locator("main details.more > summary").all():
            summary.click()

        found = Axe().run(page, options={"preload": False})

        assert [violation["id"] for violation in found.response["violations"]] == [], where
