"""Hostile text in every field, in a browser: nothing runs, no other host is asked, nothing sticks out sideways."""

import pytest

from leaderboard.models import Comment
from tests.leaderboard.hostile import pages, seeded

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
HOSTILE = (
    "<img src=x onerror=window.__xss=1>",
    '"><svg/onload=window.__xss=1>',
    "</script><script>window.__xss=1</script>",
    "[a](javascript:window.__xss=1)",
)


@pytest.mark.parametrize("bad", HOSTILE)
def test_nothing_runs_on_any_page(transactional_db, open_page, owner, faults, bad):
    result = seeded(bad, owner)
    page = open_page(user=owner)
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    for address in pages(result):
        page.goto(address)

        assert page.evaluate("window.__xss") is None, address
        assert page.locator("[onerror], [onload], [href^='javascript:']").count() == 0, address


def test_a_very_long_word_wraps_on_a_phone(transactional_db, open_page, owner):
    result = seeded("W" * 40, owner)
    result.submission.note = "N" * 2000
    result.submission.save()
    for text in ("W" * 5000, f"`{'C' * 3000}`", f"```\n{'P' * 3000}\n```", f"> > > - {'Q' * 3000}"):
        Comment.objects.create(result=result, author=owner, text=text)
    page = open_page(user=owner, viewport=PHONE)

    for address in pages(result):
        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
