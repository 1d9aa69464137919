"""What one address, or one token, may ask for in a minute: 429 with Retry-After, and no header makes a new address."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from redis.exceptions import ConnectionError as RedisAway

from accounts.services.tokens import create_token
from lemsite import rate_limits
from tests.permissions.routes import all_routes

pytestmark = pytest.mark.django_db
HERE = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture(autouse=True)
def _few(settings, monkeypatch):
    """Eight requests a minute, or two expensive ones; the minute does not end in between."""
    settings.REQUESTS_PER_MINUTE = 8
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(time=lambda: 1_800_000_010.0))


def statuses(client, path, times, **options):
    return [client.get(path, **{**HERE, **options}).status_code for _ in range(times)]


@pytest.mark.parametrize("path", ["/robots.txt", "/api/models", "/api/models/"])
def test_the_ninth_request_is_refused(client, path):
    assert statuses(client, path, 9) == [200] * 8 + [429]


@pytest.mark.parametrize("path", ["/api/benchmarks.csv", "/api/benchmarks.csv/", "/api/schema", "/"])
def test_an_expensive_one_counts_for_four(client, path):
    assert statuses(client, path, 3) == [200, 200, 429]


def test_it_says_when_to_go_on(client):
    statuses(client, "/robots.txt", 8)

    page, program = client.get("/live/", **HERE), client.get("/api/models", **HERE)

    assert page["Retry-After"] == program["Retry-After"] == "50"
    assert "Go on in 50 s" in page.text
    assert program.json()["error"]["code"] == "too_many_requests"
    assert page["Cache-Control"] == "no-store"
    assert not page.cookies


def test_the_next_minute_is_a_new_one(client, monkeypatch):
    statuses(client, "/robots.txt", 9)

    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(time=lambda: 1_800_000_071.0))

    assert statuses(client, "/robots.txt", 1) == [200]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"])
def test_a_header_that_anyone_can_send_makes_no_new_address(client, name):
    seen = [client.get("/robots.txt", headers={name: f"198.51.100.{n}"}, **HERE).status_code for n in range(9)]

    assert seen[-1] == 429


def test_made_up_tokens_make_no_new_account(client):
    seen = [
        client.get("/api/models", headers={"Authorization": f"Bearer made-up-{n}"}, **HERE).status_code
        for n in range(9)
    ]

    assert seen[-1] == 429


def test_one_token_from_many_addresses_is_one_asker(client, owner):
    _, plain = create_token(user=owner, name="t", scopes=["read"])
    headers = {"Authorization": f"Bearer {plain}"}

    seen = [client.get("/api/models", headers=headers, REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(9)]

    assert seen == [200] * 8 + [429]


def test_other_addresses_are_not_touched(client):
    statuses(client, "/robots.txt", 9)

    assert statuses(client, "/robots.txt", 1, REMOTE_ADDR="203.0.113.8") == [200]


def test_addresses_of_one_ipv6_network_are_one():
    assert rate_limits.network_of("2001:db8::1") == rate_limits.network_of("2001:db8::ffff:1")
    assert rate_limits.network_of("2001:db8::1") != rate_limits.network_of("2001:db8:0:1::1")
    assert rate_limits.network_of("nonsense") == "unknown"


@pytest.mark.parametrize("path", ["/health", "/api/agent/v1/meta"])
def test_machines_of_the_operator_are_not_counted(client, path):
    assert set(statuses(client, path, 9)) == {200}


@pytest.mark.parametrize("fault", [RedisAway("away"), OSError("away"), ValueError("dropped")])
def test_without_the_cache_nobody_is_refused(client, monkeypatch, fault):
    def fail(*args, **kwargs):
        raise fault

    monkeypatch.setattr(rate_limits, "cache", SimpleNamespace(add=lambda *given: True, incr=fail))

    assert set(statuses(client, "/robots.txt", 9)) == {200}


def test_zero_is_no_limit(client, settings):
    settings.REQUESTS_PER_MINUTE = 0

    assert set(statuses(client, "/robots.txt", 20)) == {200}


def test_every_path_that_is_named_exists():
    """A route that is renamed would be cheap without anybody noticing."""
    known = {route.path.lstrip("/").rstrip("/") for route in all_routes()}

    assert {route.rstrip("/") for route in rate_limits.EXPENSIVE} <= known
