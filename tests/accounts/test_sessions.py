"""Where someone is signed in: what the list says, and that signing out there works at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.browsers import browser_words
from accounts.models import User
from accounts.services.tokens import create_token, find_token
from tests.accounts.conftest import PASSWORD
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in_browser(user_agent: str = "", name: str = "owner", address: str = "192.0.2.7") -> Client:
    browser = Client(headers={"User-Agent": user_agent}, REMOTE_ADDR=address)
    assert browser.post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code == 302
    return browser


def is_signed_in(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


def test_the_list_names_browser_address_and_times(owner):
    browser = signed_in_browser(FIREFOX)

    page = text(browser.get("/account/sessions/"))

    assert "Firefox on Linux this browser" in page
    assert "192.0.2.7" in page
    assert "signed in" in page
    assert "last used" in page


def test_one_session_is_ended_and_the_others_stay(owner):
    here, there = signed_in_browser(FIREFOX), signed_in_browser("curl/8")
    other = UserSession.objects.get(session_key=there.session.session_key)

    here.post(reverse("accounts:session_end", args=[other.pk]))

    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_ending_this_session_signs_out_here(owner):
    here = signed_in_browser()
    row = UserSession.objects.get(session_key=here.session.session_key)

    response: Any = here.post(reverse("accounts:session_end", args=[row.pk]))

    assert response.url == "/accounts/login/"
    assert not is_signed_in(here)


def test_signing_out_everywhere_ends_all_sessions_and_leaves_tokens(owner):
    here, there = signed_in_browser(), signed_in_browser()
    token, plain = create_token(user=owner, name="t", scopes=["read"])

    response: Any = here.post("/account/sessions/end/")

    assert response.url == "/accounts/login/"
    assert not is_signed_in(here)
    assert not is_signed_in(there)
    assert find_token(plain) == token
    assert not Session.objects.exclude(session_key=here.session.session_key).exists()


def test_the_page_says_that_tokens_stay(owner):
    assert "API tokens go on working" in text(signed_in_browser().get("/account/sessions/"))


def test_signing_out_everywhere_leaves_other_people_alone(owner, stranger):
    theirs = signed_in_browser(name="stranger")

    signed_in_browser().post("/account/sessions/end/")

    assert is_signed_in(theirs)


def test_a_stranger_neither_sees_nor_ends_a_session(owner, stranger):
    mine, theirs = signed_in_browser(FIREFOX, address="192.0.2.99"), signed_in_browser(name="stranger")
    row = UserSession.objects.get(session_key=mine.session.session_key)

    assert theirs.post(reverse("accounts:session_end", args=[row.pk])).status_code == 404
    assert "192.0.2.99" not in text(theirs.get("/account/sessions/"))
    assert is_signed_in(mine)


def test_a_session_that_is_over_is_not_listed(owner):
    here, there = signed_in_browser(), signed_in_browser("curl/8")
    there.post("/accounts/logout/")

    assert len(here.get("/account/sessions/").context["sessions"]) == 1


def test_signing_in_gives_a_new_session_id(client, owner):
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key

    client.post("/accounts/login/", {"login": "owner", "password": PASSWORD})

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_use_is_noted_once_a_minute(owner):
    browser = signed_in_browser()
    long_ago = timezone.now() - timedelta(days=1)
    UserSession.objects.update(last_seen_at=long_ago)

    browser.get("/account/")
    assert UserSession.objects.get().last_seen_at == long_ago

    cache.clear()
    browser.get("/account/")
    assert UserSession.objects.get().last_seen_at > long_ago


def test_an_address_that_is_none_is_not_listed(owner):
    browser = Client(REMOTE_ADDR="unix:")
    browser.force_login(owner)
    cache.clear()

    assert is_signed_in(browser)
    assert not UserSession.objects.exists()


def test_a_changed_password_ends_the_other_sessions(signed_in, owner):
    there = signed_in_browser()
    new = "another horse battery"

    signed_in.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert is_signed_in(signed_in)
    assert not is_signed_in(there)


def test_a_deactivated_person_is_out_at_once_everywhere(owner):
    browser = signed_in_browser()
    _, plain = create_token(user=owner, name="t", scopes=["read"])

    User.objects.update(is_active=False)

    assert not is_signed_in(browser)
    assert find_token(plain) is None
    answer = Client().get("/api/users/me", headers={"Authorization": f"Bearer {plain}"})
    assert answer.status_code == 401


def test_an_anonymous_page_opens_no_session(client):
    response = client.get("/models/")

    assert not response.cookies
    assert not UserSession.objects.exists()


def test_the_library_s_own_page_of_sessions_leads_to_ours(signed_in):
    response = signed_in.get("/accounts/sessions/")

    assert response.url == "/account/sessions/"


def test_a_script_in_a_browser_s_name_is_text(owner):
    browser = signed_in_browser("<script>alert(1)</script>")

    assert "<script>alert" not in browser.get("/account/sessions/").content.decode()


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) AppleWebKit Version/18 Mobile Safari/604.1", "Safari on iPhone"),
        ("curl/8.5", "curl"),
        ("something else", "something else"),
        ("", "unknown browser"),
    ],
    ids=["firefox", "edge", "iphone", "curl", "other", "none"],
)
def test_browsers_have_names_that_people_know(user_agent, words):
    assert browser_words(user_agent) == words
