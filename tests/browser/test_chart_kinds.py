"""Every kind of chart about configurations in a real browser: drawn on a phone, and its empty cells lead on."""

import pytest

from tests.browser.test_charts import drawn
from tests.browser.test_pages import accessibility_faults, sideways

pytestmark = pytest.mark.browser
KINDS = ("bars", "heatmap", "sweep", "scaling", "history", "roofline", "coverage")


def test_each_kind_is_drawn_on_a_phone_without_a_fault(open_page, results):
    results[0].backend_version = "0.9.0"
    results[0].save(update_fields=["backend_version"])
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")

    for kind in KINDS:
        drawn(page, f"/charts/{kind}/")
        assert [f"{kind}: {fault}" for fault in accessibility_faults(page) + sideways(page)] == []


def test_an_empty_cell_is_found_by_keyboard_and_leads_to_the_form_of_a_job(page, results):
    place = drawn(page, "/charts/coverage/")
    read = page.locator("[data-chart-read]")

    place.focus()
    for _ in range(len(results) + 1):
        page.keyboard.press("ArrowRight")
        if "request this run" in (read.text_content() or ""):
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/accounts/login/?next=/jobs/new/**")
