"""One question in a real browser: from the leaderboard to an answer, a live change, and a link that brings it back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_three_clicks_lead_from_the_leaderboard_to_an_answer_that_anyone_can_open(open_page, results):
    page = open_page(viewport={"width": 1440, "height": 900})
    page.goto("/")
    page.get_by_label("to run").fill("llama")
    page.get_by_label("with ITL p50 within").fill("20")
    page.get_by_role("button", name="Answer").click()

    answer = page.locator("[data-answer=answer]")
    expect(answer).to_contain_text("Llama 3.1 8B on 1 x H100 SXM")
    page.get_by_role("link", name="Copy short link").click()
    said = page.locator("[data-short-link-said]")
    expect(said).to_contain_text("/l/")
    (code,) = re.findall(r"/l/[a-z2-7]{10}/", said.inner_text())

    private_window = open_page(viewport={"width": 390, "height": 844})
    private_window.goto(code)
    expect(private_window.locator("[data-answer=answer]")).to_have_text(answer.inner_text(), use_inner_text=True)
    assert private_window.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_answer_follows_the_form_without_a_new_page(page, results):
    page.goto("/analysis/")
    page.get_by_label("Hardware").select_option("l40s")

    expect(page.locator("[data-answer]")).to_contain_text("L40S")
    expect(page).to_have_url(re.compile(r"/analysis/\?hardware=l40s$"))
    expect(page.locator(".chart-place[data-found] .still-plane")).to_have_count(1)
    page.locator(".chart-place").hover()
    expect(page.locator(".chart-place[data-drawn]")).to_have_count(1)


def test_the_form_works_without_javascript(open_page, results):
    page = open_page(java_script_enabled=False)
    page.goto("/analysis/?hardware=l40s")
    page.get_by_label("ITL p50 at most, ms").fill("25")
    page.locator(".question").get_by_role("button", name="Answer").click()

    expect(page.locator("[data-answer]")).to_contain_text("L40S")
    expect(page).to_have_url(re.compile("itl_ms_p50_max=25"))
