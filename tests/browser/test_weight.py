"""What the first visit costs, through the storage and the middleware that serve static files in production."""

import pytest
from django.core.management import call_command
from django.db import connections
from django.test.testcases import LiveServerThread

from leaderboard.services.catalogue import load_catalogue
from leaderboard.services.published import load_published

pytestmark = pytest.mark.browser

LIMIT_BYTES = 150_000


def _as_it_is(application):
    """No handler of static files around it: WhiteNoise serves them."""
    return application


@pytest.fixture
def production_url(transactional_db, settings, tmp_path):
    """A server with collected, hashed and compressed files; the usual live server serves them as they are written."""
    settings.STATIC_ROOT = tmp_path / "static"
    # Only our own files: compressing those of the admin and of Swagger takes a minute.
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    backend = "lemsite.static_files.BundledManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    call_command("collectstatic", verbosity=0, interactive=False)
    shared = {}
    for connection in connections.all():
        if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]  # of the SQLite wrapper
            connection.inc_thread_sharing()
            shared[connection.alias] = connection
    # The types ask for a class, and any function that wraps an application will do.
    thread = LiveServerThread("127.0.0.1", static_handler=_as_it_is, connections_override=shared)  # type: ignore[arg-type]
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()
    for connection in shared.values():
        connection.dec_thread_sharing()


def test_the_first_load_of_the_leaderboard_is_light(production_url, open_page):
    load_catalogue()
    load_published()
    page = open_page(base_url=production_url)
    answers = []
    page.on("requestfinished", lambda request: answers.append(request))

    # As many rows as one page ever shows.
    page.goto("/?view=all", wait_until="networkidle")

    sizes = {answer.url: answer.sizes() for answer in answers}
    weight = sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes.values())
    assert page.locator("#board tbody tr").count() == 50
    assert any(url.endswith(".js") for url in sizes)
    whole = [answer.response() for answer in answers if "/img/" not in answer.url]
    assert all(response.header_value("content-encoding") for response in whole if response.status != 204)
    assert weight < LIMIT_BYTES, f"{weight} bytes: {sizes}"
