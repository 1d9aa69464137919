"""A second factor: set up with an app on the phone, asked at each sign-in, and a way back when the phone is lost."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import AuditAction, AuditEvent
from accounts.services.deletion import delete_account
from accounts.services.second_factor import has_second_factor

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def code_of(secret: str, steps: int = 0) -> str:
    """What the app on the phone shows; `steps` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


KEY, RECOVERY = re.compile(r'id="totp-key">([A-Z2-7]+)<'), re.compile(r"<li><code>(\d{8})</code>")


def found_on(pattern: re.Pattern[str], page) -> str:
    found: list[str] = pattern.findall(page.text)
    return found[0]


def turn_on(user) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def sign_in(client, code=None, name="owner"):
    answer = client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client.post("/accounts/2fa/authenticate/", {"code": code}) if code else answer


@pytest.fixture
def secret(owner) -> str:
    return turn_on(owner)


def test_it_is_set_up_with_the_code_of_the_app(signed_in, owner):
    key = found_on(KEY, signed_in.get("/accounts/2fa/totp/activate/"))

    answer = signed_in.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})

    assert answer.url == "/accounts/2fa/recovery-codes/"
    assert has_second_factor(owner)
    assert len(RECOVERY.findall(signed_in.get(answer.url).text)) == 10


def test_setting_it_up_asks_for_the_password_when_that_is_long_ago(client, owner):
    client.force_login(owner)

    assert client.get("/accounts/2fa/totp/activate/").url.startswith("/accounts/reauthenticate/")


def test_the_pages_need_nothing_that_the_policy_refuses(signed_in):
    page = signed_in.get("/accounts/2fa/totp/activate/")

    assert 'src="data:image/svg+xml;base64,' in page.text
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    assert "<script" not in page.text.split("<main")[1].split("</main")[0]


def test_the_password_alone_signs_nobody_in(client, secret):
    answer = sign_in(client)

    assert answer.url == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    assert client.get("/account/").status_code == 302


def test_the_code_signs_in_once(client, owner, secret):
    code = code_of(secret)
    sign_in(client, code)
    assert client.session["_auth_user_id"] == str(owner.pk)

    other = Client()
    sign_in(other, code)

    assert "_auth_user_id" not in other.session


def test_a_code_of_long_ago_or_of_another_phone_is_refused(client, secret):
    for wrong in (code_of(secret, steps=-4), code_of(generate_totp_secret()), "000000", ""):
        sign_in(client, wrong)

        assert "_auth_user_id" not in client.session


def test_guessing_codes_ends_after_five(client, secret):
    for _ in range(5):
        sign_in(client, "000000")

    sign_in(client, code_of(secret))

    assert "_auth_user_id" not in client.session


def test_a_recovery_code_signs_in_once(signed_in, client, owner):
    key = found_on(KEY, signed_in.get("/accounts/2fa/totp/activate/"))
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})
    code = found_on(RECOVERY, signed_in.get("/accounts/2fa/recovery-codes/"))

    first, second = Client(), Client()
    sign_in(first, code)
    sign_in(second, code)

    assert "_auth_user_id" in first.session
    assert "_auth_user_id" not in second.session


def test_turning_it_on_ends_sessions_that_began_without_it(signed_in, django_capture_on_commit_callbacks):
    elsewhere = Client()
    sign_in(elsewhere)
    key = found_on(KEY, signed_in.get("/accounts/2fa/totp/activate/"))

    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})

    assert elsewhere.get("/account/").status_code == 302
    assert signed_in.get("/account/").status_code == 200


def test_turning_it_off_asks_once_more_who_it_is(client, owner, secret):
    sign_in(client, code_of(secret))

    answer = client.post("/accounts/2fa/totp/deactivate/")

    assert answer.url.startswith("/accounts/")
    assert "reauthenticate" in answer.url
    assert has_second_factor(owner)


def test_its_secrets_are_not_in_the_database(signed_in, owner):
    key = found_on(KEY, signed_in.get("/accounts/2fa/totp/activate/"))
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code_of(key)})

    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())

    assert len(Authenticator.objects.filter(user=owner)) == 2
    assert key not in stored


def test_where_phone_and_codes_are_lost_an_operator_takes_it_away(client, owner, secret, capsys):
    sign_in(client, code_of(secret))

    call_command("remove_second_factor", "owner", reason="Seen in person.")

    assert not has_second_factor(owner)
    assert not UserSession.objects.filter(user=owner).exists()
    line = AuditEvent.objects.get(action=AuditAction.REMOVE_SECOND_FACTOR)
    assert (line.person, line.reason) == (owner, "Seen in person.")
    assert owner.notifications.get().title == "Your second factor was removed"


@pytest.mark.parametrize(("name", "words"), [("nobody", "no user"), ("owner", "no second factor")])
def test_that_command_says_what_is_wrong(owner, name, words):
    with pytest.raises(CommandError, match=words):
        call_command("remove_second_factor", name, reason="x")


def test_with_the_account_it_goes(owner, secret):
    delete_account(user=owner, keep_published=True)

    assert not Authenticator.objects.exists()
