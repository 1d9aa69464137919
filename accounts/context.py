"""What every page tells people who are signed in."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def account(request: HttpRequest) -> dict[str, object]:
    """`unread_notifications`: counted when a template asks, in one query, for people who are signed in."""

    def count() -> int:
        user = getattr(request, "user", None)
        return user.notifications.unread().count() if user is not None and user.is_authenticated else 0

    return {"unread_notifications": SimpleLazyObject(count)}
