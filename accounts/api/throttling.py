"""How often a token may write. DRF counts without locks, so this slows a runaway script and is no security measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

WRITES = "600/hour"


class WriteThrottle(SimpleRateThrottle):
    """Writing requests per token, or per address where there is no token; reading is free."""

    scope = "writes"

    def get_rate(self) -> str:
        return WRITES

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if request.method in SAFE_METHODS:
            return None
        who = request.auth.key_id if isinstance(request.auth, ApiToken) else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}
