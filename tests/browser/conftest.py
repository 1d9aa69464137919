"""A real Chromium against the live server. Every page must stay silent in its console and ask no other host."""

import json
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from lemsite.lib.archives import Entry
from tests.chromium import TIMEOUT_MS, launched, record_faults

#: a file in the site's own form that names no GPU count and no precision
UPLOAD = {
    "model": "openai/gpt2",
    "hardware": "h100",
    "backend": "vllm",
    "batch_size": 8,
    "output_tokens": 64_000,
    "duration_s": 64.0,
    "total_energy_j": 20_000.0,
    "energy_scope": "gpu",
}


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture
def faults():
    """What went wrong on the pages of a test."""
    return []


@pytest.fixture
def provoked():
    """Words of the faults that a test provokes, at whatever moment its browser tells of them."""
    return []


@pytest.fixture
def open_page(chromium, live_server, faults, provoked):
    """Makes pages; keywords are those of a browser context, `user` signs someone in."""
    contexts = []

    def open_page(user=None, base_url=None, **options):
        context = chromium.new_context(base_url=base_url or live_server.url, reduced_motion="reduce", **options)
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        if user:
            sign_in(context, user, base_url or live_server.url)
        page = context.new_page()
        record_faults(page, faults, urlsplit(base_url or live_server.url).netloc)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not any(word in fault for word in provoked)] == []


@pytest.fixture
def page(open_page):
    return open_page(viewport={"width": 1440, "height": 900})


def sign_in(context, user, url):
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


@pytest.fixture
def results(transactional_db):
    """A leaderboard of three models on two GPUs; one result is self-reported, one has no latency."""
    from leaderboard.models import Trust
    from tests.factories import BackendFactory, HardwareFactory, LanguageModelFactory, published_result

    h100 = HardwareFactory(slug="h100", name="H100 SXM")
    l40s = HardwareFactory(slug="l40s", name="L40S")
    vllm = BackendFactory(slug="vllm", name="vLLM")
    llama, qwen, gpt2 = (
        LanguageModelFactory(name=name, title=title)
        for name, title in (("meta/llama", "Llama 3.1 8B"), ("qwen/qwen3", "Qwen3 8B"), ("openai/gpt2", "GPT-2"))
    )
    shared = {"backend": vllm, "itl_ms_p50": 20.0, "avg_power_w": 400.0}
    return [
        published_result(model=llama, hardware=h100, tokens_per_joule=6.0, **shared),
        published_result(model=llama, hardware=l40s, tokens_per_joule=3.0, precision="fp8", **shared),
        published_result(model=qwen, hardware=h100, tokens_per_joule=5.0, precision="fp8", **shared),
        published_result(model=gpt2, hardware=l40s, tokens_per_joule=2.0, backend=vllm),
        published_result(model=qwen, hardware=l40s, tokens_per_joule=9.0, trust=Trust.SELF_REPORTED, **shared),
    ]


@pytest.fixture
def upload(tmp_path):
    """A file as a tool would have left it."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps(UPLOAD))
    return path


@pytest.fixture
def draft(results, owner, upload):
    """What the owner's upload became."""
    from leaderboard.models import Provenance
    from leaderboard.services.reading import read_upload
    from leaderboard.services.submissions import store_reading

    entries = [Entry(path=upload.name, content=upload.read_bytes())]
    reading = read_upload(entries, stated={}, provenance=Provenance.UPLOAD)
    return store_reading(reading=reading, owner=owner, provenance=Provenance.UPLOAD)
