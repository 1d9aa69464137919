"""GitHub as allauth's provider, where an answer that is none does not end in an error of ours."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.provider import ProviderException
from allauth.socialaccount.providers.github.provider import GitHubProvider
from django.http import HttpRequest


class CheckedGitHub(GitHubProvider):  # type: ignore[misc]  # the library ships no types
    """Whoever signs in is who GitHub says by its id; without one nobody does."""

    #: where its addresses are
    package = "allauth.socialaccount.providers.github"

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> SocialLogin:
        if not isinstance(response.get("id"), int):
            raise ProviderException("GitHub's answer names nobody: it has no id.")
        return super().sociallogin_from_response(request, response)
