"""Signing in with GitHub, against a fake one: what it makes, what it never links, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.db import IntegrityError
from django.test import Client

from accounts.adapters import AccountAdapter
from accounts.models import User
from tests.factories import UserFactory
from tests.fake_github import FakeGitHub, Person
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/github/login/"
CALLBACK = "/accounts/github/login/callback/"


def start(browser: Client, **fields: str) -> str:
    """Press the button; returns where GitHub is asked."""
    response: Any = browser.post(LOGIN, fields)
    assert response.status_code == 302
    return str(response.url)


def consent(address: str) -> str:
    """Agree at GitHub; returns the path on the site that the browser is sent back to."""
    answer = requests.get(address, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def sign_in(browser: Client, **fields: str) -> Any:
    return browser.get(consent(start(browser, **fields)))


def user_of(browser: Client) -> User | None:
    return User.objects.filter(pk=browser.session.get("_auth_user_id") or 0).first()


def test_a_new_person_has_an_account_and_is_signed_in(client, github):
    response = sign_in(client, next="/submit/")

    user = User.objects.get()
    assert (response.status_code, response.url) == (302, "/submit/")
    assert user_of(client) == user
    assert (user.username, user.email, user.first_name, user.display_name) == ("octo", "octo@example.org", "", "")
    assert not user.has_usable_password()
    assert EmailAddress.objects.get().verified


def test_the_same_person_comes_back_to_the_same_account_under_another_name_and_address(client, github):
    sign_in(client)
    github.person = replace(github.person, login="renamed", emails=(("new@example.org", True, True),))

    sign_in(other := Client())

    assert user_of(other) == User.objects.get()
    assert User.objects.get().username == "octo"


def test_someone_else_who_took_the_name_at_github_is_someone_else(client, github):
    sign_in(client)
    github.person = Person(id=2, login="octo", emails=())

    response = sign_in(other := Client())

    assert response.url == "/accounts/3rdparty/signup/"
    assert user_of(other) is None


def test_github_is_asked_with_state_a_pkce_challenge_and_little_scope(client, github):
    asked = parse_qs(urlsplit(start(client)).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16
    assert set(asked["scope"][0].split()) == {"read:user", "user:email"}
    assert asked["redirect_uri"] == [f"http://testserver{CALLBACK}"]


def test_no_token_and_nothing_but_the_login_is_kept(client, github):
    sign_in(client)

    (secret,) = github.tokens
    assert not SocialToken.objects.exists()
    assert SocialAccount.objects.get().extra_data == {"login": "octo"}
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())


def test_no_token_waits_in_the_session_while_a_name_is_chosen(client, github):
    UserFactory(username="octo")
    sign_in(client)

    (secret,) = github.tokens
    assert secret not in str(dict(client.session))


@pytest.mark.parametrize("login", ["octo", "OCTO", "admin", "deleted-1"], ids=["taken", "case", "reserved", "deleted"])
def test_a_name_that_is_not_free_gets_a_suggestion(client, github, login):
    UserFactory(username="octo")
    github.person = Person(id=7, login=login, emails=())

    sign_in(client)
    page = client.get("/accounts/3rdparty/signup/")
    suggestion = page.context["form"].initial["username"]
    response = client.post("/accounts/3rdparty/signup/", {"username": suggestion})

    assert suggestion.lower() != login.lower()
    assert response.status_code == 302
    assert user_of(client).username == suggestion


def test_the_suggested_name_can_be_replaced_but_not_by_a_taken_one(client, github):
    UserFactory(username="octo")
    sign_in(client)

    refused = client.post("/accounts/3rdparty/signup/", {"username": "Octo"})
    taken = client.post("/accounts/3rdparty/signup/", {"username": "cat", "email": "else@example.org"})

    assert "This name is taken" in text(refused)
    assert taken.status_code == 302
    assert user_of(client).email == "octo@example.org"


@pytest.mark.parametrize("verified", [True, False], ids=["verified here", "not verified here"])
def test_an_account_with_the_same_address_is_never_linked_and_the_page_says_what_to_do(client, github, verified):
    user = UserFactory(username="first", email="octo@example.org")
    EmailAddress.objects.create(user=user, email="octo@example.org", verified=verified, primary=True)

    response = sign_in(client)

    assert response.status_code == 409
    assert "Open Settings and connect GitHub there" in text(response)
    assert user_of(client) is None
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_an_address_that_github_has_not_confirmed_counts_for_nothing(client, github):
    victim = UserFactory(username="victim", email="octo@example.org")
    github.person = replace(github.person, emails=(("octo@example.org", True, False),))

    sign_in(client)

    assert user_of(client) != victim
    assert user_of(client).email == ""


def test_without_any_address_the_account_is_made_all_the_same(client, github):
    github.person = replace(github.person, emails=())

    sign_in(client)

    assert user_of(client).email == ""


@pytest.mark.parametrize("change", ["forged", "missing"])
def test_a_state_that_this_browser_did_not_begin_is_refused(client, github, change):
    back = consent(start(client))
    code = parse_qs(urlsplit(back).query)["code"][0]
    state = "&state=0123456789abcdef" if change == "forged" else ""

    response = client.get(f"{CALLBACK}?code={code}{state}")

    assert response.status_code == 401
    assert not User.objects.exists()


def test_the_answer_that_another_browser_asked_for_is_refused(client, github):
    attackers = consent(start(Client()))

    response = client.get(attackers)

    assert response.status_code == 401
    assert not User.objects.exists()


def test_an_answer_is_taken_once(client, github):
    back = consent(start(client))
    client.get(back)
    client.post("/accounts/logout/")

    response = client.get(back)

    assert response.status_code == 401
    assert user_of(client) is None


def test_a_code_without_its_verifier_is_refused(client, github):
    back = consent(start(client))
    for grant in github.grants.values():
        grant.challenge = "of-someone-else"

    assert client.get(back).status_code == 401
    assert not User.objects.exists()


@pytest.mark.parametrize("status", [500, 404])
def test_a_github_that_fails_leaves_a_page_and_nothing_else(client, github, status):
    back = consent(start(client))
    github.broken = status

    response = client.get(back)

    assert response.status_code == 401
    assert "Sign-in did not work" in text(response)


@pytest.mark.parametrize("number", [None, "", [1]], ids=["none", "empty", "list"])
def test_an_answer_of_github_without_an_id_signs_nobody_in(client, github, number):
    github.person = Person(id=number)

    response = sign_in(client)

    assert response.status_code == 401
    assert "Sign-in did not work" in text(response)
    assert not User.objects.exists()


def test_of_two_who_take_one_name_at_once_the_second_is_asked_to_try_again(client, github, monkeypatch):
    monkeypatch.setattr(AccountAdapter, "populate_username", taken)

    response = sign_in(client)

    assert response.status_code == 409
    assert "Try again" in text(response)
    assert not User.objects.exists()


def taken(*args: object, **kwargs: object) -> None:
    raise IntegrityError("UNIQUE constraint failed: accounts_user.username")


def test_who_says_no_at_github_is_told_that_nothing_changed(client, github):
    github.denies = True

    response = sign_in(client)

    assert response.url == "/accounts/3rdparty/login/cancelled/"
    assert "nothing was changed" in text(client.get(response.url))


def test_a_sign_in_begins_with_a_post_alone(client, github):
    response = client.get(LOGIN)

    assert response.status_code == 200
    assert "Continue to GitHub" in text(response)
    assert not client.session.get("socialaccount_states")


def test_a_link_to_the_sign_in_cannot_make_it_ask_for_more(client, github):
    page = client.get(f"{LOGIN}?scope=repo&auth_params=code_challenge%3Dknown&next=/submit/").content.decode()

    action = unescape(re.findall(r'<form class="stack" method="post" action="([^"]+)"', page)[0])
    asked = parse_qs(urlsplit(client.post(action).url).query)

    assert set(asked["scope"][0].split()) == {"read:user", "user:email"}
    assert asked["code_challenge"] != ["known"]
    assert "next=%2Fsubmit%2F" in action


def test_a_sign_in_that_another_site_begins_is_refused(github):
    assert Client(enforce_csrf_checks=True).post(LOGIN).status_code == 403


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example/", "/\\evil.example", "https:evil.example"])
def test_no_sign_in_ends_on_another_site(client, github, evil):
    assert sign_in(client, next=evil).url == "/"


def test_signing_in_changes_the_session_id(client, github):
    start(client)
    before = client.session.session_key

    client.get(consent(start(client)))

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_closed_account_stays_closed(client, github):
    sign_in(client)
    User.objects.update(is_active=False)

    response = sign_in(other := Client())

    assert response.url == "/accounts/inactive/"
    assert user_of(other) is None


def test_without_the_settings_there_is_no_github(client):
    assert client.get(LOGIN).status_code == 404
    assert client.post(LOGIN).status_code == 404
    assert client.get(f"{CALLBACK}?code=a&state=b").status_code == 404
    assert "GitHub" not in text(client.get("/accounts/login/"))


def test_the_sign_in_page_offers_github(client, github):
    assert "Sign in with GitHub" in text(client.get("/accounts/login/"))


def test_github_is_connected_by_who_just_proved_who_they_are(signed_in, github, owner):
    response = sign_in(signed_in, process="connect")

    assert response.url == "/accounts/3rdparty/"
    assert SocialAccount.objects.get().user == owner
    assert owner.email == ""


def test_connecting_asks_for_the_password_when_that_is_long_ago(client, github, owner):
    client.force_login(owner)

    response = sign_in(client, process="connect")
    assert response.url == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()

    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    assert SocialAccount.objects.get().user == owner


def test_connecting_without_being_signed_in_makes_no_link(client, github):
    sign_in(client, process="connect")

    assert not SocialAccount.objects.exists()
    assert not User.objects.exists()


def test_a_github_account_of_someone_else_is_not_taken_over(signed_in, github, owner):
    sign_in(Client())

    sign_in(signed_in, process="connect")

    assert SocialAccount.objects.get().user != owner
    assert "belongs to another account" in text(signed_in.get("/accounts/3rdparty/"))


def test_the_last_way_in_is_not_disconnected(client, github):
    sign_in(client)
    account = SocialAccount.objects.get()

    response = client.post("/accounts/3rdparty/", {"account": account.pk})

    assert "GitHub is your only way in. Set a password first" in text(response)
    assert SocialAccount.objects.exists()


def test_github_is_disconnected_where_a_password_remains(signed_in, github):
    sign_in(signed_in, process="connect")

    signed_in.post("/accounts/3rdparty/", {"account": SocialAccount.objects.get().pk})

    assert not SocialAccount.objects.exists()


def test_disconnecting_asks_for_the_password_when_that_is_long_ago(client, github, owner):
    account = SocialAccount.objects.create(user=owner, provider="github", uid="1")
    client.force_login(owner)

    response = client.post("/accounts/3rdparty/", {"account": account.pk})

    assert response.url.startswith("/accounts/reauthenticate/")
    assert SocialAccount.objects.exists()


def test_a_stranger_disconnects_nothing_of_others(client, github, owner, stranger):
    account = SocialAccount.objects.create(user=owner, provider="github", uid="1")
    client.force_login(stranger)

    client.post("/accounts/3rdparty/", {"account": account.pk})

    assert SocialAccount.objects.exists()


def test_the_fake_refuses_a_wrong_secret():
    with FakeGitHub() as fake:
        answer = requests.post(f"{fake.url}/login/oauth/access_token", {"client_secret": "wrong"}, timeout=10)

    assert answer.json() == {"error": "incorrect_client_credentials"}
