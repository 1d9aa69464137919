"""security.txt: whom to tell of a hole (RFC 9116)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from lemsite.lib.env import BadSetting, contact

pytestmark = pytest.mark.django_db
PATH = "/.well-known/security.txt"


def test_it_says_where_and_until_when(client, settings):
    settings.SECURITY_CONTACT, settings.SITE_URL = "mailto:security@example.org", "https://bench.example.org"

    answer = client.get(PATH)

    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    expires = datetime.fromisoformat(fields["Expires"])
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:security@example.org"
    assert fields["Canonical"] == f"https://bench.example.org{PATH}"
    assert timedelta(days=100) < expires - timezone.now() < timedelta(days=365)


def test_without_a_contact_it_is_not_there(client):
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", ""),
        ("security@example.org", "mailto:security@example.org"),
        ("mailto:security@example.org", "mailto:security@example.org"),
        ("https://example.org/security", "https://example.org/security"),
    ],
)
def test_a_contact_is_an_address_or_a_page(monkeypatch, value, read):
    monkeypatch.setenv("SECURITY_CONTACT", value)

    assert contact("SECURITY_CONTACT") == read


@pytest.mark.parametrize("value", ["http://example.org", "nobody", "a@b c", "javascript:alert(1)", "x\nExpires: never"])
def test_anything_else_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("SECURITY_CONTACT", value)

    with pytest.raises(BadSetting, match="SECURITY_CONTACT"):
        contact("SECURITY_CONTACT")
