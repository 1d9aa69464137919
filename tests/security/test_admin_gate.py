"""Who stands before the admin: with a second factor, signed in lately, from the right network, at its own address."""

from __future__ import annotations

import time
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.services.sessions import SIGNED_IN_AT
from tests.accounts.test_second_factor import code_of, turn_on

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = (
    "/admin/",
    "/admin/leaderboard/submission/",
    "/admin/accounts/ban/add/",
    "/admin/jsi18n/",
    "/admin/status/",
    "/admin/no-such/",
)


@pytest.fixture
def staff(client, moderator) -> Client:
    """A browser in which a moderator has just signed in with the password."""
    client.post("/accounts/login/", {"login": "moderator", "password": PASSWORD})
    return client


def grow_old(client: Client, seconds: float) -> None:
    session = client.session
    session[SIGNED_IN_AT] = time.time() - seconds
    session.save()


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_a_second_factor_are_told_what_to_do(staff, settings, page):
    settings.ADMIN_REQUIRE_2FA = True

    answer = staff.get(page)

    assert answer.status_code == 403
    assert reverse("mfa_activate_totp") in answer.text


def test_nor_can_they_decide(staff, settings):
    settings.ADMIN_REQUIRE_2FA = True

    assert staff.post("/admin/accounts/ban/add/", {"username": "x", "reason": "y"}).status_code == 403


def test_with_a_second_factor_they_come_in(client, moderator, settings):
    settings.ADMIN_REQUIRE_2FA = True
    secret = turn_on(moderator)
    client.post("/accounts/login/?next=/admin/", {"login": "moderator", "password": PASSWORD})

    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}, follow=True)

    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == "/admin/"


def test_a_superuser_is_staff_like_others(staff, moderator, settings):
    settings.ADMIN_REQUIRE_2FA = True
    moderator.is_superuser = True
    moderator.save()

    assert staff.get("/admin/").status_code == 403


def test_in_development_a_password_is_enough(staff):
    assert staff.get("/admin/").status_code == 200


@pytest.mark.parametrize("page", PAGES[:5])
def test_who_signed_in_long_ago_is_asked_again(staff, page):
    grow_old(staff, 3601)

    answer = staff.get(page)

    assert answer.status_code == 302
    assert answer.url == f"/accounts/reauthenticate/?next={page.replace('/', '%2F')}"


def test_the_password_opens_it_for_another_hour(staff):
    grow_old(staff, 3601)
    asked = staff.get("/admin/")

    answer = staff.post(asked.url, {"password": PASSWORD, "next": "/admin/"}, follow=True)

    assert answer.request["PATH_INFO"] == "/admin/"
    assert staff.get("/admin/").status_code == 200


def test_a_wrong_one_does_not(staff):
    grow_old(staff, 3601)
    staff.post("/accounts/reauthenticate/", {"password": "guessed", "next": "/admin/"})

    assert staff.get("/admin/").status_code == 302


def test_what_was_typed_is_not_lost(staff, stranger):
    grow_old(staff, 3601)
    form = {"username": "stranger", "reason": "Spam.", "until_0": "", "until_1": ""}
    asked = staff.post("/admin/accounts/ban/add/", form)
    assert not stranger.bans.exists()

    staff.post(asked.url, {"password": PASSWORD, "next": "/admin/accounts/ban/add/"})

    assert stranger.bans.get().reason == "Spam."


def test_who_has_neither_password_nor_app_signs_in_anew(staff, moderator):
    moderator.set_unusable_password()
    moderator.save(update_fields=["password"])
    staff.force_login(moderator)
    grow_old(staff, 3601)

    answer = staff.get("/admin/")

    assert answer.url == "/accounts/login/?next=/admin/"
    assert "_auth_user_id" not in staff.session


def test_the_rest_of_the_site_asks_no_more_often_than_before(staff):
    grow_old(staff, 3601)

    assert staff.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("203.0.113.7", 404),
        ("2001:db9::7", 404),
        ("", 404),
    ],
)
def test_only_allowed_networks_find_it(staff, settings, address, status):
    settings.ADMIN_ALLOW = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]

    assert staff.get("/admin/", REMOTE_ADDR=address).status_code == status


def test_a_header_opens_no_network(staff, settings):
    settings.ADMIN_ALLOW = [ip_network("10.0.0.0/8")]
    headers = {"x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.1", "forwarded": "for=10.0.0.1"}

    for page in (*PAGES, "/admin/login/"):
        assert staff.get(page, REMOTE_ADDR="203.0.113.7", headers=headers).status_code == 404


def test_the_admin_moves_with_its_setting(staff, settings):
    settings.ROOT_URLCONF = "tests.security.moved_admin"

    assert reverse("admin:leaderboard_submission_changelist") == "/staff-door/leaderboard/submission/"
    assert staff.get("/admin/").status_code == 404
    assert 'href="/staff-door/"' in staff.get("/").text
    assert "staff-door" not in staff.get("/robots.txt").text


def test_there_it_is_guarded_as_well(staff, settings):
    settings.ROOT_URLCONF, settings.ADMIN_REQUIRE_2FA = "tests.security.moved_admin", True

    assert staff.get("/staff-door/").status_code == 403


def test_no_template_and_no_code_writes_the_path_of_the_admin():
    sources = [*(REPOSITORY / "templates").rglob("*.html"), *(REPOSITORY / "static" / "js").glob("*.js")]
    for app in ("accounts", "leaderboard", "runs", "jobs", "lemsite"):
        sources += (REPOSITORY / app).rglob("*.py")

    written = [str(path) for path in sources if '"/admin/' in path.read_text() or "'/admin/" in path.read_text()]

    # robots.txt names the usual path whatever the real one is: a private one has no business there.
    assert written == [str(REPOSITORY / "lemsite" / "crawlers.py")]
