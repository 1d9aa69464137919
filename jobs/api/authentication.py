"""Bearer tokens of agents: `Authorization: Bearer gpa_…`. They open the agent API and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from jobs.models import AgentToken
from jobs.services.callers import find_caller

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

#: the header that names the session of a call
SESSION = "X-Agent-Session"


class AgentAuthentication(BaseAuthentication):
    """Sets `request.auth` (the AgentToken) and `request.caller`. An agent is not a user: `request.user` is nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AgentToken] | None:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        caller = find_caller(plain.strip(), request.headers.get(SESSION, ""))
        if caller is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Enrol the host again.")
        request.caller = caller  # type: ignore[attr-defined]  # DRF's Request is open
        return AnonymousUser(), caller.token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsAgent(BasePermission):
    """The request bears the token of an agent."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, AgentToken)
