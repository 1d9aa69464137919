"""What holds on every page: nothing sideways on a phone, no accessibility fault, one remembered theme."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
#: the rules of axe that a theme can break
ABOUT_COLOURS = ("color-contrast", "link-in-text-block")


@pytest.fixture
def addresses(results, draft):
    """Every page that a signed-in owner of a draft can open."""
    return [
        "/",
        "/?view=all&min_trust=T1&ttft_ms_p90_max=1&q=nothing",
        "/models/",
        "/models/?q=nothing-of-that-name",
        "/models/meta/llama/",
        "/hardware/",
        "/hardware/h100/",
        "/methodology/",
        reverse("leaderboard:result", args=[results[0].pk]),
        reverse("leaderboard:submit"),
        reverse("leaderboard:submission", args=[draft.pk]),
        reverse("leaderboard:result", args=[draft.results.get().pk]),
        reverse("accounts:account"),
        reverse("accounts:settings"),
        reverse("accounts:tokens"),
        reverse("accounts:sessions"),
        reverse("accounts:notifications"),
        reverse("accounts:webhooks"),
        reverse("leaderboard:watches"),
        "/disputes/",
        f"/compare/?result={results[0].pk}&result={results[1].pk}&model=openai/gpt2",
        "/advice/?model=meta/llama&hardware=h100",
        reverse("leaderboard:comparisons"),
        reverse("accounts:delete"),
        reverse("account_email"),
        reverse("account_change_password"),
        reverse("account_reauthenticate"),
        reverse("socialaccount_connections"),
        reverse("leaderboard:person", args=[results[0].submission.owner.username]),
        reverse("account_logout"),
    ]


@pytest.fixture
def doors():
    """The pages of whoever is not signed in."""
    return [reverse(name) for name in ("account_login", "account_signup", "account_reset_password")]


def accessibility_faults(page, *rules):
    """Of all rules, unless some are named."""
    # Without preload: axe would fetch the style sheets once more. What is right need not be told at length.
    options = {"preload": False, "resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options).response["violations"]
    return [f"{page.url}: {fault['id']} {fault['nodes'][0]['html']}" for fault in found]


def sideways(page):
    """What sticks out of the window, scrollers aside."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll, pre"))
        .map((element) => location.href + " " + element.outerHTML.slice(0, 200))"""
    )


@pytest.mark.parametrize(
    ("size", "theme", "other"), [(PHONE, "dark", "light"), (DESK, "light", "dark")], ids=["phone", "desk"]
)
@pytest.mark.long
def test_no_page_has_an_accessibility_fault_or_scrolls_sideways(open_page, addresses, doors, owner, size, theme, other):
    faults = []
    for user, paths in ((owner, addresses), (None, doors)):
        page = open_page(user, viewport=size)
        for path in paths:
            page.emulate_media(color_scheme=theme)
            assert page.goto(path).status == 200
            faults += accessibility_faults(page) + sideways(page)
            page.emulate_media(color_scheme=other)
            faults += accessibility_faults(page, *ABOUT_COLOURS)

    assert faults == []


def test_a_missing_page_says_so_and_leads_on(page, results, provoked):
    provoked.append("404")
    page.goto("/nowhere/")

    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert accessibility_faults(page) == []
    page.get_by_role("link", name="To the leaderboard").click()
    expect(page.locator("#board")).to_be_visible()


def test_the_theme_can_be_changed_and_is_remembered(open_page, results):
    page = open_page(color_scheme="light")
    page.goto("/methodology/")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)

    page.get_by_role("button", name="Dark colours").click()
    page.goto("/models/")

    assert page.evaluate(colour) != light
    expect(page.get_by_role("button", name="Dark colours")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(colour) == light


def test_the_keyboard_reaches_the_content_first(page, results):
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_the_account_menu_closes_on_a_click_elsewhere(open_page, owner, results):
    page = open_page(owner)
    page.goto("/methodology/")
    page.locator(".top .menu summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.get_by_role("heading", level=1).click()

    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_a_reader_gets_no_cookie(page, results):
    for path in ("/", "/models/", "/hardware/", "/methodology/"):
        page.goto(path)

    assert page.context.cookies() == []
