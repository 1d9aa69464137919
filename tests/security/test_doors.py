"""Ways around the doors: addresses of other sites, closed accounts, misplaced tokens, fields that nobody asked for."""

from __future__ import annotations

from functools import partial
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from accounts.models import Scope
from accounts.services.tokens import create_token
from leaderboard.models import Result, Submission
from tests import factories
from tests.jobs.calling import Host
from tests.lemsite.test_settings import PRODUCTION, load  # noqa: F401 - a fixture
from tests.permissions.cast import fill
from tests.permissions.routes import all_routes

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
ELSEWHERE = (
    "//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "https:///evil.example", "///evil.example", "http:\\\\evil.example", " //evil.example", "\t//evil.example",
    "javascript:alert(1)", "data:text/html,x", "https://testserver@evil.example/", "https://testserver.evil.example/",
    "%2F%2Fevil.example", "/\x00/evil.example", "//evil%E3%80%82example", "https://evil.example\\@testserver/",
)  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
@pytest.mark.parametrize("door", ["/accounts/login/", "/accounts/logout/", "/accounts/reauthenticate/"])
def test_nobody_is_led_elsewhere(client, owner, door, address):
    if door != "/accounts/login/":
        client.force_login(owner)

    answer = client.post(door, {"login": "owner", "password": PASSWORD, "next": address})

    assert answer.status_code in (200, 302)
    if answer.status_code == 302:
        led_to = urljoin(f"http://testserver{door}", answer.url)
        assert urlsplit(led_to).netloc == "testserver"
        assert "\\" not in led_to


def test_cookies_of_production_stay_on_the_site_and_out_of_scripts(load):  # noqa: F811 - the fixture
    settings = load(**PRODUCTION)

    assert settings["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert settings["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    assert settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is settings["CSRF_COOKIE_HTTPONLY"]
    assert settings["SESSION_COOKIE_SAMESITE"] == settings["CSRF_COOKIE_SAMESITE"] == "Lax"
    assert settings.get("SESSION_COOKIE_HTTPONLY", True)
    assert settings.get("SESSION_COOKIE_DOMAIN") is settings.get("CSRF_COOKIE_DOMAIN") is None
    assert settings["ADMIN_REQUIRE_2FA"]
    assert settings["ADMIN_SESSION_AGE"] == 3600
    assert settings["REQUESTS_PER_MINUTE"] > 0


def test_the_session_cookie_is_for_no_script_and_ends(client, owner):
    client.post("/accounts/login/", {"login": "owner", "password": PASSWORD})

    cookie = client.cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] in ("", 14 * 24 * 3600)


def api_paths() -> list[str]:
    routes = [route for route in all_routes() if route.path.startswith("/api/users/me") or "notif" in route.path]
    return [route.path for route in routes if route.path.startswith("/api/")]


@pytest.mark.parametrize("path", [*api_paths(), "/api/submissions"])
def test_a_closed_account_opens_nothing_with_its_token(client, owner, path):
    _, plain = create_token(user=owner, name="t", scopes=Scope.values)
    headers = {"Authorization": f"Bearer {plain}"}
    method = partial(client.post, content_type="application/json") if path.endswith("/read") else client.get
    assert method(path, headers=headers).status_code == 200

    owner.is_active = False
    owner.save()

    assert method(path, headers=headers).status_code == 401


def test_a_closed_account_opens_nothing_with_its_session(client, owner):
    client.force_login(owner)
    owner.is_active = False
    owner.save()

    assert client.get("/account/").status_code == 302
    assert client.post("/submit/", {}).status_code == 302


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "key", "authorization"])
def test_a_token_in_the_address_opens_nothing(client, owner, name):
    _, plain = create_token(user=owner, name="t", scopes=Scope.values)

    for path in api_paths():
        assert client.get(path, {name: plain}).status_code in (401, 405)


def test_a_session_opens_nothing_of_the_api(client, owner):
    client.force_login(owner)

    for path in (*api_paths(), "/api/submissions"):
        assert client.get(path).status_code in (401, 405)


def test_the_token_of_a_host_opens_nothing_of_people(client):
    headers = {"Authorization": f"Bearer {Host().plain}"}

    for path in (*api_paths(), "/api/submissions"):
        assert client.get(path, headers=headers).status_code == 401


MORE = {
    "state": "published", "status": "published", "owner": 1, "user": 1, "verdict": "accepted", "trust": 4,
    "is_staff": True, "is_superuser": True, "published_at": "2020-01-01T00:00:00Z", "is_simulated": False,
    "check_set": "0", "provenance": "job", "id": "00000000-0000-4000-8000-000000000000", "visibility": "public",
}  # fmt: skip


@pytest.mark.parametrize("field", MORE)
def test_what_an_upload_says_of_itself_decides_nothing(client, owner, small_catalogue, stored_files, field):
    _, plain = create_token(user=owner, name="t", scopes=Scope.values)
    headers = {"Authorization": f"Bearer {plain}"}

    client.post(
        "/api/benchmarks", {**factories.NORMAL, field: MORE[field]}, content_type="application/json", headers=headers
    )

    owner.refresh_from_db()
    assert not owner.is_staff
    for submission in Submission.objects.all():
        assert (submission.owner, submission.published_at) == (owner, None)
        assert submission.status in ("draft", "pending")
        assert submission.provenance == "api"
    assert not Result.objects.ranked().exists()


@pytest.mark.parametrize("field", MORE)
def test_what_settings_are_sent_beside_their_fields_changes_nothing(client, owner, field):
    client.force_login(owner)
    before = type(owner).objects.values().get(pk=owner.pk)

    client.post("/account/settings/", {"display_name": before["display_name"], field: MORE[field]})

    assert type(owner).objects.values().get(pk=owner.pk) | {"last_login": None} == before | {"last_login": None}


def test_every_page_that_takes_a_form_is_closed_to_other_methods(owner):
    """What changes something is never done by a link."""
    client = Client()
    client.force_login(owner)
    changing = ("/delete/", "/revoke/", "/cancel/", "/retract/", "/end/", "/withdraw/", "/confirm/", "/rotate/")
    for route in all_routes():
        if route.path.endswith(changing) and not route.path.startswith(("/admin/", "/accounts/", "/account/delete/")):
            path = route.path
            for parameter in route.parameters:
                value = "00000000-0000-4000-8000-000000000000" if "<uuid:" in path else "1"
                path = fill(path, parameter, value)
            assert client.get(path).status_code in (404, 405), path
