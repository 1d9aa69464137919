"""Tokens that were found in public: closed at once, and their owner told."""

from __future__ import annotations

from django.db import transaction

from accounts.models import TOKEN_PREFIX, ApiToken, AuditAction, AuditEvent, NotificationKind
from accounts.services.notifications import notify
from accounts.services.tokens import revoke_token


@transaction.atomic
def revoke_leaked_token(*, plain: str, found_at: str) -> bool:
    """Whether this is a token of ours. The second report of one finds it closed, and tells nobody again."""
    prefix, _, rest = plain.partition("_")
    key_id, _, secret = rest.partition("_")
    token = ApiToken.objects.select_related("user").filter(key_id=key_id).first() if prefix == TOKEN_PREFIX else None
    if token is None or not token.matches(secret):
        return False
    if revoke_token(token=token):
        place = found_at[:300] or "a public place"
        AuditEvent.objects.create(
            action=AuditAction.REVOKE_LEAKED_TOKEN, person=token.user, subject=f"token {token.pk}", reason=place
        )
        notify(
            to=[token.user],
            kind=NotificationKind.ACCOUNT,
            title="One of your API tokens was found in public",
            text=f"“{token.name}” stood at {place}. It is revoked; make another and look what was done with this one.",
            url="/account/tokens/",
        )
    return True
