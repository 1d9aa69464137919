from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.fake_github import CLIENT_ID, CLIENT_SECRET, FakeGitHub

PASSWORD = "correct horse battery"


@pytest.fixture
def github(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub on loopback that the site is set up for."""
    from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter

    with FakeGitHub() as fake:
        settings.GITHUB_SIGN_IN = True
        provider = settings.SOCIALACCOUNT_PROVIDERS["github"]
        apps = [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET}]
        settings.SOCIALACCOUNT_PROVIDERS = {"github": {**provider, "APPS": apps}}
        # The adapter takes its addresses from the settings when it is imported.
        monkeypatch.setattr(GitHubOAuth2Adapter, "authorize_url", f"{fake.url}/login/oauth/authorize")
        monkeypatch.setattr(GitHubOAuth2Adapter, "access_token_url", f"{fake.url}/login/oauth/access_token")
        monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"{fake.url}/api/v3/user")
        monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{fake.url}/api/v3/user/emails")
        yield fake


@pytest.fixture
def signed_in(client: Client, owner: Any) -> Client:
    """A browser in which the owner signed in with their password, and gave it once more just now."""
    client.post("/accounts/login/", {"login": "owner", "password": PASSWORD})
    response = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert response.status_code == 302
    return client
