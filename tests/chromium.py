"""A real Chromium, and what goes wrong on its pages."""

import os
import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Generous, for a machine that runs the rest of the suite at the same time.
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)


@contextmanager
def launched():
    """One browser per module: Playwright's event loop must be gone before another module's async tests run."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("there is no chromium: install it, or name one in CHROMIUM")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as environment:
        # Playwright runs an event loop in this thread, in which Django would refuse to reach the database.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def record_faults(page, faults, *hosts):
    """Keep every error, every warning in the console, and every request to another host than these."""
    page.on("console", lambda message: _record_message(page, message, faults))
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("request", lambda request: _record_stranger(request.url, faults, hosts))


def _record_message(page, message, faults):
    if message.type in ("error", "warning"):
        faults.append(f"{page.url}: {message.text}")


def _record_stranger(url, faults, hosts):
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.netloc not in hosts:
        faults.append(f"asked another host: {url}")
