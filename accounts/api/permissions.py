from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

from accounts.models import ApiToken, Scope

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """The request bears a token with this scope."""

    scope: Scope

    def has_permission(self, request: Request, view: APIView) -> bool:
        self.message = f"The token lacks the scope {self.scope.value}."
        return isinstance(request.auth, ApiToken) and request.auth.allows(self.scope)


class CanRead(HasScope):
    scope = Scope.READ


class CanSubmit(HasScope):
    scope = Scope.SUBMIT
