from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from accounts.models import TOKEN_PREFIX, ApiToken, Scope, User, hash_secret, new_token_parts

MAX_TOKEN_DAYS = 365
LAST_USED_STEP = timedelta(minutes=1)


class TokenRefused(ValueError):
    """The token cannot be made; the message says which field is wrong."""


def create_token(*, user: User, name: str, scopes: Iterable[str], days: int = MAX_TOKEN_DAYS) -> tuple[ApiToken, str]:
    """Make a token and return it with its plain text, which is never seen again."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        raise TokenRefused(f"scopes: {', '.join(unknown) or 'none given'}; choose from {', '.join(Scope.values)}")
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise TokenRefused(f"days: {days}; choose 1 to {MAX_TOKEN_DAYS}")
    key_id, secret = new_token_parts()
    token = ApiToken.objects.create(
        key_id=key_id,
        secret_sha256=hash_secret(secret),
        user=user,
        name=name,
        scopes=wanted,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return token, f"{TOKEN_PREFIX}_{key_id}_{secret}"


def revoke_token(*, token: ApiToken) -> bool:
    """Close the token for good; False when it was closed already."""
    return bool(ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()))


def find_token(plain: str) -> ApiToken | None:
    """The usable token behind a plain text, or None. Notes its use at most once a minute."""
    prefix, _, rest = plain.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != TOKEN_PREFIX or not key_id or not secret:
        return None
    token = ApiToken.objects.usable().select_related("user").filter(key_id=key_id).first()
    if token is None or not token.matches(secret):
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
