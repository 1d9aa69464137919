"""A person's own page: tokens and submissions; and signing in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services.tokens import create_token, find_token
from tests.factories import SubmissionFactory
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"lem_[0-9a-f]{12}_[0-9a-f]{64}")
NEW = {"name": "laptop", "scopes": ["read", "submit"], "days": "30"}


@pytest.fixture
def browser(client: Client, owner: Any) -> Client:
    client.force_login(owner)
    return client


def test_a_new_token_is_shown_once_and_works(browser, owner):
    response = browser.post("/account/tokens/", NEW)

    (plain,) = set(TOKEN.findall(response.content.decode()))
    token = find_token(plain)
    assert (token.user, token.name, token.scopes) == (owner, "laptop", ["read", "submit"])
    assert token.expires_at - timezone.now() < timedelta(days=30)
    assert not TOKEN.search(browser.get("/account/tokens/").content.decode())
    assert "laptop" in text(browser.get("/account/tokens/"))


def test_the_answer_with_the_token_is_kept_by_no_cache(browser):
    assert "no-store" in browser.post("/account/tokens/", NEW)["Cache-Control"]


def test_the_plain_token_is_nowhere_in_the_table(browser):
    plain = TOKEN.findall(browser.post("/account/tokens/", NEW).content.decode())[0]

    stored = str(ApiToken.objects.values().get())

    assert plain.rpartition("_")[2] not in stored


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"scopes": []},
        {"scopes": ["admin"]},
        {"days": "0"},
        {"days": "366"},
        {"days": "x"},
    ],
)
def test_a_token_that_is_not_right_is_not_made(browser, wrong):
    response = browser.post("/account/tokens/", {**NEW, **wrong})

    assert response.status_code == 422
    assert not ApiToken.objects.exists()
    assert not TOKEN.search(response.content.decode())


def test_a_token_is_revoked_at_once_and_for_good(browser, owner):
    token, plain = create_token(user=owner, name="t", scopes=["read"])

    responses = [browser.post(reverse("accounts:token_revoke", args=[token.pk])) for _ in range(2)]

    assert [response.status_code for response in responses] == [302, 302]
    assert find_token(plain) is None
    assert "Revoked" in text(browser.get("/account/tokens/"))


def test_strangers_neither_see_nor_revoke_a_token(client, owner, stranger):
    token, plain = create_token(user=owner, name="secret plans", scopes=["read"])
    client.force_login(stranger)

    assert client.post(reverse("accounts:token_revoke", args=[token.pk])).status_code == 404
    assert find_token(plain) == token
    assert "secret plans" not in text(client.get("/account/tokens/"))


def test_the_page_lists_ones_own_submissions(browser, owner):
    mine = SubmissionFactory(owner=owner)
    theirs = SubmissionFactory()
    deleted = SubmissionFactory(owner=owner, deleted_at=timezone.now())

    content = browser.get("/account/").content.decode()

    assert f"/submissions/{mine.pk}/" in content
    assert "Waiting for review" in content
    assert str(theirs.pk) not in content
    assert str(deleted.pk) not in content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/account/"),
        ("get", "/account/tokens/"),
        ("post", "/account/tokens/"),
        ("post", "/account/tokens/1/revoke/"),
        ("get", "/account/settings/"),
        ("post", "/account/settings/"),
        ("get", "/account/sessions/"),
        ("post", "/account/sessions/end/"),
        ("post", "/account/sessions/1/end/"),
        ("get", "/account/delete/"),
        ("post", "/account/delete/"),
    ],
)
def test_who_is_not_signed_in_is_asked_to(client, method, path):
    assert getattr(client, method)(path).url == f"/accounts/login/?next={path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/account/"),
        ("put", "/account/tokens/"),
        ("get", "/account/tokens/1/revoke/"),
        ("put", "/account/settings/"),
        ("post", "/account/sessions/"),
        ("get", "/account/sessions/end/"),
        ("get", "/account/sessions/1/end/"),
        ("put", "/account/delete/"),
    ],
)
def test_each_address_takes_its_method_alone(browser, method, path):
    assert getattr(browser, method)(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/account/tokens/",
        "/account/tokens/1/revoke/",
        "/account/settings/",
        "/account/sessions/end/",
        "/account/sessions/1/end/",
        "/account/delete/",
    ],
)
def test_a_form_from_another_site_is_refused(owner, path):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)

    assert browser.post(path, NEW).status_code == 403
    assert not ApiToken.objects.exists()


def test_a_person_signs_up_with_a_name_and_a_password(client):
    password = "correct horse battery"

    response = client.post(
        "/accounts/signup/", {"username": "newcomer", "email": "", "password1": password, "password2": password}
    )

    user = User.objects.get()
    assert response.status_code == 302
    assert (user.username, user.is_staff, user.is_moderator) == ("newcomer", False, False)
    assert check_password(password, user.password)


@pytest.mark.parametrize("password", ["short", "password1234", "1234567890"])
def test_a_weak_password_is_refused(client, password):
    client.post("/accounts/signup/", {"username": "newcomer", "password1": password, "password2": password})

    assert not User.objects.exists()


def test_signing_up_grants_nothing_that_is_not_asked_in_the_form(client):
    password = "correct horse battery"
    fields = {"username": "n", "password1": password, "password2": password, "is_staff": "on", "is_superuser": "on"}

    client.post("/accounts/signup/", fields)

    assert not User.objects.get().is_staff
    assert not User.objects.get().is_superuser


def test_signing_in_leads_back_and_never_to_another_site(client, owner):
    fields = {"login": "owner", "password": "correct horse battery"}

    assert client.post("/accounts/login/", {**fields, "next": "/submit/"}).url == "/submit/"
    for evil in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        client.logout()
        assert client.post("/accounts/login/", {**fields, "next": evil}).url == "/"


def test_a_wrong_password_does_not_say_whether_the_name_exists(client, owner):
    answers = [
        text(client.post("/accounts/login/", {"login": login, "password": "wrong horse battery"})).replace(login, "")
        for login in ("owner", "nobody-at-all")
    ]

    assert answers[0] == answers[1]


def test_the_page_says_what_waits_for_its_owner(browser, owner):
    draft = SubmissionFactory(owner=owner, status="draft", visibility="draft")
    changes = SubmissionFactory(owner=owner, status="changes_requested")
    private = SubmissionFactory(owner=owner, status="draft", visibility="private")

    waiting = [row["url"] for row in browser.get("/account/").context["waiting"]]

    assert set(waiting) == {f"/submissions/{draft.pk}/", f"/submissions/{changes.pk}/"}
    assert f"/submissions/{private.pk}/" in browser.get("/account/").content.decode()


def test_the_pages_of_the_account_lead_to_each_other(browser):
    pages = ["/account/", "/account/settings/", "/account/tokens/", "/account/sessions/"]

    for page in pages:
        content = browser.get(page).content.decode()
        assert all(f'href="{other}"' in content for other in pages)


def test_a_closed_account_is_out_at_once(browser, owner):
    _, plain = create_token(user=owner, name="t", scopes=["read"])

    User.objects.update(is_active=False)

    assert browser.get("/account/").status_code == 302
    assert find_token(plain) is None


def test_signing_out_takes_a_post(browser):
    browser.get("/accounts/logout/")
    assert browser.get("/account/").status_code == 200

    browser.post("/accounts/logout/")
    assert browser.get("/account/").status_code == 302
