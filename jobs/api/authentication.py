"""Bearer tokens of agents: `Authorization: Bearer gpa_…`. They open the agent API and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from jobs.models import AgentToken
from jobs.services.agents import find_token

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class AgentAuthentication(BaseAuthentication):
    """Sets `request.auth` (the AgentToken) and `request.agent`. An agent is not a user: `request.user` is nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AgentToken] | None:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_token(plain.strip())
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Enrol the host again.")
        request.agent = token.agent  # type: ignore[attr-defined]  # DRF's Request is open
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsAgent(BasePermission):
    """The request bears the token of an agent."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, AgentToken)
