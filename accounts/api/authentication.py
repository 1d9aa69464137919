"""Bearer tokens for DRF. A module of its own: DRF imports it while `rest_framework.views` is loading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import TOKEN_PREFIX
from accounts.services.tokens import find_token

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import ApiToken, User

#: what does not look like a token is refused without asking the database
TOKEN_SHAPE = re.compile(rf"{TOKEN_PREFIX}_[0-9a-f]{{12}}_[0-9a-f]{{64}}", re.ASCII)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer lem_…`; sets `request.user` and `request.auth` (the ApiToken)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_token(plain.strip()) if TOKEN_SHAPE.fullmatch(plain.strip()) else None
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Make one on your account page.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
