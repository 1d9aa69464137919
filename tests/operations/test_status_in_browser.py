"""The status page in a real Chromium: silent, within a phone's width, without accessibility faults."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

from tests.chromium import TIMEOUT_MS, launched, record_faults
from tests.factories import UserFactory
from tests.jobs.factories import AgentFactory

pytestmark = pytest.mark.browser


def test_the_status_page_fits_and_can_be_read(live_server, transactional_db):
    operator = UserFactory(username="operator", is_staff=True, is_superuser=True)
    AgentFactory(name="a-host-with-a-long-name-that-a-phone-must-still-show", quarantine_reason="too hot")
    client = Client()
    client.force_login(operator)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    faults: list[str] = []
    seen = {}

    with launched() as browser:
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            context.set_default_timeout(TIMEOUT_MS)
            context.add_cookies([{**cookie, "url": live_server.url}])
            page = context.new_page()
            record_faults(page, faults, urlsplit(live_server.url).netloc)
            page.goto(f"{live_server.url}/admin/status/")
            # What comes after is of the tool that looks for accessibility faults.
            silent = list(faults)
            seen[width] = page.evaluate("document.documentElement.scrollWidth")
            found = Axe().run(page, "#content", {"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
            faults = [*silent, *(f"{width} {one['id']}: {one['nodes'][0]['html']}" for one in found)]
            if folder := os.environ.get("PICTURES"):
                page.screenshot(path=Path(folder) / f"status-{width}.png", full_page=True)
            context.close()

    assert faults == []
    assert seen == {1280: 1280, 390: 390}
