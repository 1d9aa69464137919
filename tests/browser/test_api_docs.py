"""The documentation of the API is drawn by Swagger UI from our own files, under the site's own CSP."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_documentation_shows_every_endpoint_and_opens_one(page, results):
    page.goto("/api/docs")

    page.locator("#operations-benchmarks-benchmarks_create .opblock-summary-control").click()

    expect(page.get_by_text("One upload is one submission")).to_be_visible()
    assert page.locator(".opblock").count() > 20
