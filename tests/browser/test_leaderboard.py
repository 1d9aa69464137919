"""The leaderboard in a browser: with htmx, without JavaScript, and when the server fails."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ROWS = "#board tbody tr"


@pytest.fixture
def board(page, results):
    page.goto("/")
    expect(page.locator(ROWS)).to_have_count(4)
    # Gone with a load of the whole page.
    page.evaluate("window.isSamePage = true")
    return page


def test_a_facet_filters_the_table_and_stays_in_the_address(board):
    board.get_by_label("L40S").check()

    expect(board.locator(ROWS)).to_have_count(2)
    expect(board).to_have_url(re.compile(r"/\?hardware=l40s$"))
    expect(board.get_by_label("L40S")).to_be_checked()
    assert board.evaluate("window.isSamePage")


def test_typing_filters_without_losing_what_is_typed(board):
    board.get_by_label("Model, hardware or backend").press_sequentially("qwen")

    expect(board.locator(ROWS)).to_have_count(1)
    expect(board.get_by_label("Model, hardware or backend")).to_have_value("qwen")
    expect(board.get_by_label("Model, hardware or backend")).to_be_focused()
    assert board.evaluate("window.isSamePage")


def test_leaving_a_field_does_not_ask_twice(board):
    asked: list[str] = []
    board.on("request", lambda request: asked.append(request.url))
    board.get_by_label("Model, hardware or backend").press_sequentially("qwen")
    expect(board.locator(ROWS)).to_have_count(1)

    board.get_by_label("ITL p50 at most").focus()
    board.wait_for_timeout(600)

    assert len([url for url in asked if "q=" in url]) == 1


def test_a_limit_is_answered_and_its_chip_takes_it_away(board):
    board.get_by_label("ITL p50 at most").fill("30")
    board.get_by_label("ITL p50 at most").press("Enter")
    expect(board.locator(ROWS)).to_have_count(3)

    board.get_by_role("link", name="Remove filter ITL p50").click()

    expect(board.locator(ROWS)).to_have_count(4)
    expect(board.get_by_label("ITL p50 at most")).to_have_value("")


def test_a_head_sorts_and_says_so(board):
    board.get_by_role("columnheader", name="Tokens/J").get_by_role("link").click()

    expect(board.get_by_role("columnheader", name="Tokens/J")).to_have_attribute("aria-sort", "ascending")
    expect(board.locator(ROWS).first).to_contain_text("GPT-2")
    assert board.evaluate("window.isSamePage")


def test_going_back_shows_the_table_and_the_form_of_before(board):
    board.get_by_label("Model, hardware or backend").press_sequentially("qwen")
    expect(board.locator(ROWS)).to_have_count(1)

    board.go_back()

    expect(board.locator(ROWS)).to_have_count(4)
    expect(board.get_by_label("Model, hardware or backend")).to_have_value("")


def test_the_column_chooser_stays_open_and_adds_a_column(board):
    board.get_by_text("Columns", exact=True).click()
    board.get_by_label("E2E p99").check()

    expect(board.get_by_role("columnheader", name="E2E p99")).to_be_visible()
    expect(board.get_by_label("E2E p99")).to_be_visible()


def test_an_open_menu_closes_on_escape_and_gives_the_focus_back(board):
    board.get_by_text("Columns", exact=True).click()
    expect(board.get_by_label("E2E p99")).to_be_visible()

    board.keyboard.press("Escape")

    expect(board.get_by_label("E2E p99")).to_be_hidden()
    expect(board.locator("#columns summary")).to_be_focused()


def test_hidden_results_are_counted_and_one_click_away(board):
    expect(board.get_by_text("1 self-reported result hidden")).to_be_visible()

    board.get_by_role("link", name="Show them").click()

    expect(board.locator(ROWS)).to_have_count(5)


def test_an_empty_table_names_what_emptied_it(board):
    board.get_by_label("Model, hardware or backend").fill("nothing of that name")

    expect(board.get_by_text("No result fits these filters.")).to_be_visible()
    board.locator(".empty").get_by_role("link", name="Remove filter").click()
    expect(board.locator(ROWS)).to_have_count(4)


def test_the_summary_is_announced(board):
    board.get_by_label("L40S").check()

    expect(board.get_by_role("status")).to_contain_text("configurations")


def test_a_failing_server_is_said_and_can_be_asked_again(board, provoked):
    provoked.append("500")
    board.route("**/*", lambda route: route.fulfill(status=500, body="broken"), times=1)
    board.get_by_label("L40S").check()
    expect(board.get_by_role("status")).to_contain_text("could not be loaded")

    board.get_by_label("H100 SXM").check()

    expect(board.get_by_role("status")).not_to_contain_text("could not be loaded")
    expect(board.locator(ROWS)).to_have_count(4)


def test_the_leaderboard_works_without_javascript(open_page, results):
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("L40S").check()

    page.get_by_role("button", name="Apply filters").click()

    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.get_by_label("L40S")).to_be_checked()
    page.get_by_role("columnheader", name="Tokens/J").get_by_role("link").click()
    expect(page.locator(ROWS).first).to_contain_text("GPT-2")


def test_the_form_can_be_sent_when_htmx_does_not_arrive(page, results, provoked):
    provoked.append("ERR_FAILED")
    page.route("**/vendor/htmx*", lambda route: route.abort())
    page.goto("/")
    page.get_by_label("L40S").check()

    page.get_by_role("button", name="Apply filters").click()

    expect(page.locator(ROWS)).to_have_count(2)


def test_filters_and_prices_unfold_on_a_phone(open_page, results):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto("/")
    expect(page.get_by_label("L40S")).to_be_hidden()

    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("L40S").check()

    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.get_by_label("L40S")).to_be_visible()
