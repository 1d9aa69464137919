"""The builder: what is typed is answered at once, and the order works without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from jobs.models import Job
from tests import factories

pytestmark = pytest.mark.browser


@pytest.fixture
def person(transactional_db):
    factories.small_catalogue()
    return factories.UserFactory()


def test_the_plan_follows_what_is_typed(open_page, person):
    page = open_page(person)
    page.goto(reverse("jobs:new"))
    page.get_by_label("Model", exact=True).fill("org/model-8b")
    page.get_by_label("Engine", exact=True).select_option("vllm")
    expect(page.locator("#plan")).to_contain_text("Model 8B, vLLM, bf16, batch 1")

    page.get_by_label("Batch sizes").fill("1, 8, 64")
    page.get_by_label("Also vary").select_option("max_output_tokens")
    page.get_by_label("Values").first.fill("64, 256")

    expect(page.locator("#plan")).to_contain_text("6 configurations x 3 cycles: 18 runs")
    expect(page.locator("#plan tbody tr")).to_have_count(3)
    expect(page.get_by_label("Values").first).to_be_focused()


def test_a_fault_stands_at_its_field_and_goes_when_it_is_mended(open_page, person):
    page = open_page(person)
    page.goto(reverse("jobs:new") + "?model=org/model-8b")

    page.get_by_label("Batch sizes").fill("1, x")
    expect(page.locator("#errors-batch_sizes")).to_have_text("Whole numbers only.")

    page.get_by_label("Batch sizes").fill("1, 2")
    expect(page.locator("#errors-batch_sizes")).to_be_empty()
    expect(page.locator("#plan")).to_contain_text("batch 1 to 2")


def test_only_the_settings_of_the_chosen_engine_are_shown(open_page, person):
    page = open_page(person)
    page.goto(reverse("jobs:new"))

    page.get_by_label("Engine", exact=True).select_option("tensorrt")

    expect(page.get_by_text("Settings of TensorRT-LLM")).to_be_visible()
    expect(page.get_by_text("Settings of vLLM")).to_be_hidden()


def test_an_order_is_placed_with_the_button(open_page, person):
    page = open_page(person)
    page.goto(reverse("jobs:new") + "?model=org/model-8b")

    page.get_by_role("button", name="Order this").click()

    expect(page.get_by_text("is ordered.")).to_be_visible()
    assert Job.objects.get().owner == person


def test_an_order_is_checked_and_placed_without_javascript(open_page, person):
    page = open_page(person, java_script_enabled=False)
    page.goto(reverse("jobs:new"))
    page.get_by_label("Model", exact=True).fill("org/model-8b")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#plan")).to_contain_text("Model 8B, Transformers, bf16, batch 1")

    page.get_by_role("button", name="Order this").click()

    expect(page.get_by_text("is ordered.")).to_be_visible()
    assert Job.objects.count() == 1


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_not_wider_than_its_window(open_page, person, width):
    page = open_page(person, viewport={"width": width, "height": 900})

    page.goto(reverse("jobs:new") + "?preset=energy&model=org/model-8b")

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_builder_has_no_faults_for_a_screen_reader(open_page, person, scheme):
    page = open_page(person, color_scheme=scheme)
    page.goto(reverse("jobs:new") + "?preset=energy&model=org/model-8b")
    for fold in page.locator("details").all():
        fold.evaluate("fold => { fold.open = true }")
    page.get_by_label("Batch sizes").fill("1, x")
    expect(page.locator("#errors-batch_sizes")).to_have_text("Whole numbers only.")

    violations = Axe().run(page, options={"preload": False}).response["violations"]

    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == []
