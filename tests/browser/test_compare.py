"""Results are ticked in the table and compared, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ROWS = "#board tbody tr"


def tick(page, place):
    page.get_by_label(re.compile(f"Compare row {place}:")).check()


def test_ticks_outlive_a_filter_and_filter_nothing_themselves(page, results):
    page.goto("/")
    tick(page, 1)
    page.get_by_label("L40S").check()
    expect(page.locator(ROWS)).to_have_count(2)
    tick(page, 2)
    expect(page.locator(ROWS)).to_have_count(2)

    page.get_by_role("button", name="Compare (2)").click()

    expect(page).to_have_url(re.compile(r"/compare/\?result=[0-9a-f-]{36}&result=[0-9a-f-]{36}$"))
    expect(page.locator(".compared > li")).to_have_count(2)
    expect(page.get_by_role("link", name=re.compile("Llama 3.1 8B on 1 x H100"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("GPT-2 on 1 x L40S")).first).to_be_visible()


def test_an_untick_is_taken_back(page, results):
    page.goto("/")
    tick(page, 1)
    tick(page, 2)

    page.get_by_label(re.compile("Compare row 1:")).uncheck()

    expect(page.get_by_role("button", name="Compare (1)")).to_be_visible()


def test_without_javascript_the_ticks_of_a_page_are_compared(open_page, results):
    page = open_page(java_script_enabled=False)
    page.goto("/models/meta/llama/")
    tick(page, 1)
    tick(page, 2)

    page.get_by_role("button", name="Compare", exact=True).click()

    expect(page.locator(".compared > li")).to_have_count(2)
    expect(page.get_by_text("only what differs")).to_be_visible()


def test_the_bars_are_drawn_and_a_comparison_is_saved(open_page, results, owner):
    page = open_page(user=owner)
    page.goto(f"/compare/?result={results[0].pk}&result={results[1].pk}")
    page.locator("#tokens_per_joule .chart-place").scroll_into_view_if_needed()
    expect(page.locator("#tokens_per_joule .bars .point")).to_have_count(2)

    page.get_by_label("Save it under a name").fill("Two GPUs")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name="Two GPUs")).to_be_visible()
    expect(page.locator("code", has_text="/l/")).to_be_visible()
