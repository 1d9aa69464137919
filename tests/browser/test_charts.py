"""Charts in a real browser: still until one turns to them, then drawn under the site's policy with a silent console, by
keyboard, as files, embedded."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import accessibility_faults, sideways

pytestmark = pytest.mark.browser
DRAWN = "[data-figure][data-drawn]"


def drawn(page, path):
    assert page.goto(path).status == 200
    page.locator("[data-found]").hover()
    expect(page.locator(DRAWN)).to_be_visible()
    return page.locator(DRAWN)


PLOTLY = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("plotly") && name.endsWith(".min.js")).length"""


def test_a_chart_stays_as_the_server_drew_it_until_one_turns_to_it(page, results):
    page.goto("/charts/scatter/")
    still = page.locator(".still-plane")
    expect(page.locator("[data-found]")).to_be_visible()
    expect(still).to_be_visible()
    marks = still.locator("use").count()
    assert page.evaluate(PLOTLY) == 0

    page.locator("[data-figure]").focus()

    expect(page.locator(".scatterlayer .point")).to_have_count(marks)
    expect(still).to_have_count(0)
    assert page.evaluate(PLOTLY) == 1


def test_a_chart_is_a_file_before_anyone_turned_to_it(page, results):
    page.goto("/charts/scatter/")

    with page.expect_download() as svg:
        page.get_by_role("button", name="SVG").click()

    assert "Efficiency against speed" in svg.value.path().read_text()
    expect(page.locator(".still-plane")).to_be_visible()


def test_a_chart_is_seen_without_javascript(open_page, results):
    page = open_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page.goto("/charts/scatter/")

    box = page.locator(".still-plane").bounding_box()
    assert page.locator(".still-plane use").count() > 1
    assert box["width"] > 250
    assert box["height"] > 250
    expect(page.get_by_text("pointing at it needs JavaScript")).to_be_visible()


def test_the_colours_of_a_still_follow_the_theme(page, results):
    page.goto("/charts/scatter/")
    mark = page.locator(".still-plane .still-mark").first
    light = mark.evaluate("mark => getComputedStyle(mark).fill")

    page.locator("[data-theme-toggle]").click()

    expect(mark).not_to_have_css("fill", light)


def test_a_chart_is_read_by_keyboard_saved_and_opened(page, results):
    place = drawn(page, "/charts/scatter/")
    read = page.locator("[data-chart-read]")

    place.focus()
    page.keyboard.press("ArrowRight")
    expect(read).to_have_text(re.compile(r"tok/J.*Point 1 of \d"))
    first = read.text_content()
    page.keyboard.press("ArrowRight")
    expect(read).not_to_have_text(first)
    page.keyboard.press("Home")
    expect(read).to_have_text(first)

    with page.expect_download() as png:
        page.get_by_role("button", name="PNG").click()
    assert png.value.suggested_filename == "scatter.png"
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as svg:
        page.get_by_role("button", name="SVG").click()
    text = svg.value.path().read_text()
    assert "Efficiency against speed" in text
    assert "/charts/scatter/" in text

    place.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/**")


def test_a_chart_follows_the_theme(page, results):
    place = drawn(page, "/charts/scatter/")
    colour = "element => getComputedStyle(element.querySelector('.xtick text')).fill"
    light = place.evaluate(colour)

    page.locator("[data-theme-toggle]").click()

    page.wait_for_function(
        "light => getComputedStyle(document.querySelector('[data-drawn] .xtick text')).fill !== light", arg=light
    )


def test_a_choice_draws_anew_and_is_in_the_address(page, results):
    page.goto("/charts/scatter/")

    page.get_by_label("Up").select_option("avg_power_w")

    page.wait_for_url("**y=avg_power_w**")
    expect(page.locator(".still-up")).to_have_text("Power (W)")
    page.locator("[data-found]").hover()
    expect(page.locator(".ytitle")).to_have_text("Power (W)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_has_no_accessibility_fault_and_fits_a_phone(open_page, results, theme):
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    drawn(page, "/charts/scatter/")
    page.get_by_text("Table of Efficiency").click()

    assert accessibility_faults(page) + sideways(page) == []


def test_another_site_shows_a_chart_and_learns_its_height(page, live_server, results, tmp_path):
    page.route(
        "**/host.html",
        lambda route: route.fulfill(
            content_type="text/html",
            body="<!doctype html><title>Host</title><script>onmessage = ({ data }) => { window.told = data; }</script>"
            f'<iframe src="{live_server.url}/embed/charts/scatter/?theme=dark" width="100%" height="700"></iframe>',
        ),
    )
    page.goto(f"{live_server.url}/host.html")

    place = page.frame_locator("iframe").locator("[data-found]")
    place.hover()
    expect(page.frame_locator("iframe").locator(DRAWN)).to_be_visible()
    told = page.wait_for_function("() => window.told?.height > 400 && window.told").json_value()
    assert told["type"] == "lemsite:height"
