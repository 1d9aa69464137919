"""Making an account with a name and a password."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from accounts.adapters import AccountAdapter
from accounts.models import User
from tests.factories import UserFactory
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
FIELDS = {"username": "ada", "email": "", "password1": "correct horse battery", "password2": "correct horse battery"}


def test_a_name_and_a_password_make_an_account(client):
    response = client.post("/accounts/signup/", FIELDS)

    assert response.status_code == 302
    assert User.objects.get().username == "ada"


def test_a_name_that_is_taken_is_refused_in_words(client):
    UserFactory(username="ada")

    response = client.post("/accounts/signup/", FIELDS)

    assert "This name is taken. Choose another one." in text(response)


def test_a_name_that_is_taken_at_the_same_instant_is_refused_in_words(client, monkeypatch):
    def save_user(*args, **kwargs):
        raise IntegrityError("UNIQUE constraint failed: accounts_user.username")

    monkeypatch.setattr(AccountAdapter, "save_user", save_user)

    response = client.post("/accounts/signup/", FIELDS)

    assert response.status_code == 409
    assert "This name is taken. Choose another one." in text(response)
    assert "_auth_user_id" not in client.session
