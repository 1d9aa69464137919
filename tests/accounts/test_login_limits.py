"""Guessing passwords: five failed sign-ins in a quarter of an hour for one name from one address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
REFUSED = "Too many failed login attempts"


def sign_in(client, password, username="owner", address="203.0.113.7", **headers):
    fields = {"login": username, "password": password}
    return client.post(reverse("account_login"), fields, REMOTE_ADDR=address, headers=headers)


def fail(client, times, **options):
    for _ in range(times):
        assert REFUSED not in sign_in(client, "wrong", **options).content.decode()


def test_the_sixth_failed_sign_in_is_refused(client, owner):
    fail(client, 5)

    assert REFUSED in sign_in(client, "wrong").content.decode()


def test_then_the_right_password_is_refused_as_well(client, owner):
    fail(client, 5)

    sign_in(client, PASSWORD)

    assert "_auth_user_id" not in client.session


def test_the_header_that_anyone_can_send_makes_no_new_address(client, owner):
    fail(client, 5)

    assert REFUSED in sign_in(client, "wrong", **{"x-forwarded-for": "198.51.100.1"}).content.decode()


def test_who_comes_from_elsewhere_is_not_locked_out(client, owner):
    fail(client, 5)

    sign_in(client, PASSWORD, address="198.51.100.9")

    assert client.session["_auth_user_id"] == str(owner.pk)


def test_other_names_from_the_address_are_counted_for_themselves(client, owner):
    UserFactory(username="neighbour")
    fail(client, 5)

    sign_in(client, PASSWORD, username="neighbour")

    assert "_auth_user_id" in client.session


def test_sign_ins_that_succeed_are_not_counted(client, owner):
    for _ in range(7):
        sign_in(client, PASSWORD)
        assert "_auth_user_id" in client.session
        client.logout()


def test_the_admin_has_no_form_of_its_own_that_counts_nothing(client):
    response = client.post(reverse("admin:login"), {"username": "owner", "password": "wrong"})

    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


def test_who_signs_in_for_the_admin_gets_there(client, moderator):
    asked = client.get(reverse("admin:index"), follow=True)
    url = asked.redirect_chain[-1][0]

    response = client.post(url, {"login": "moderator", "password": PASSWORD}, REMOTE_ADDR="203.0.113.7")

    assert response.url == reverse("admin:index")


def test_who_is_no_staff_is_not_let_in_by_signing_in_again(client, stranger):
    client.force_login(stranger)

    assert client.get(reverse("admin:login")).status_code == 403
