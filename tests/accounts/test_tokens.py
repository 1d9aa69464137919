from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.services.tokens import TokenRefused, create_token, revoke_token
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ME = "/api/users/me"


def bearer(plain: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
    return client


@pytest.fixture
def token(owner):
    return create_token(user=owner, name="laptop", scopes=["read", "submit"], days=30)


def test_a_token_opens_its_owners_account(token, owner):
    body = bearer(token[1]).get(ME).json()

    assert (body["name"], body["is_moderator"]) == ("owner", False)
    assert (body["token"]["name"], body["token"]["scopes"]) == ("laptop", ["read", "submit"])


def test_the_plain_token_is_stored_nowhere(token):
    row, plain = token

    assert plain.split("_")[2] not in repr(ApiToken.objects.filter(pk=row.pk).values().get())


def test_the_account_needs_the_scope_read(owner):
    _, plain = create_token(user=owner, name="writer", scopes=["submit"])

    assert bearer(plain).get(ME).status_code == 403


def test_nobody_without_a_token_is_let_in(client, owner):
    client.force_login(owner)

    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"revoked_at": timezone.now()}],
    ids=["expired", "revoked"],
)
def test_a_token_that_has_ended_is_refused_even_for_public_data(token, change):
    ApiToken.objects.filter(pk=token[0].pk).update(**change)

    response = bearer(token[1]).get("/api/models")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_tokens_of_a_closed_account_are_dead(token, owner):
    owner.is_active = False
    owner.save(update_fields=["is_active"])

    assert bearer(token[1]).get(ME).status_code == 401


def test_a_wrong_secret_is_refused(token):
    plain = token[1]
    wrong = plain[:-1] + ("0" if plain[-1] != "0" else "1")

    assert bearer(wrong).get(ME).status_code == 401


@pytest.mark.parametrize("plain", ["", "lem", "lem_x_y", "ghp_0123456789", "lem_" + "0" * 12 + "_" + "G" * 64, "\x00"])
def test_what_is_no_token_is_refused_without_asking_the_database(plain, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert bearer(plain).get(ME).status_code == 401


def test_a_token_in_the_query_string_opens_nothing(client, token):
    assert client.get(f"{ME}?token={token[1]}").status_code == 401


def test_a_revoked_token_is_revoked_once(token):
    assert revoke_token(token=token[0]) is True
    assert revoke_token(token=token[0]) is False


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(token, django_assert_num_queries):
    bearer(token[1]).get(ME)
    noted = ApiToken.objects.get().last_used_at

    bearer(token[1]).get(ME)

    assert noted is not None
    assert ApiToken.objects.get().last_used_at == noted


@pytest.mark.parametrize(("scopes", "days"), [([], 30), (["admin"], 30), (["read"], 0), (["read"], 366)])
def test_a_token_without_known_scopes_or_a_term_is_not_made(owner, scopes, days):
    with pytest.raises(TokenRefused):
        create_token(user=owner, name="odd", scopes=scopes, days=days)


def test_tokens_look_alike_and_differ(owner):
    made = {create_token(user=owner, name="x", scopes=["read"])[1] for _ in range(50)}

    assert len(made) == 50
    assert all(len(plain) == 81 and plain.startswith("lem_") for plain in made)


def test_a_profile_says_little(client):
    UserFactory(username="ada", email="ada@example.org", display_name="Ada")

    body = client.get("/api/users/ada").json()

    assert (body["name"], body["display_name"]) == ("ada", "Ada")
    assert set(body) == {"name", "display_name", "joined_at"}


def test_a_closed_account_has_no_profile(client):
    UserFactory(username="gone", is_active=False)

    assert client.get("/api/users/gone").status_code == 404
    assert client.get("/api/users/nobody").status_code == 404
