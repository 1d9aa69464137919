"""What every page tells moderators."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from leaderboard.queries.moderation import count_waiting


def moderation(request: HttpRequest) -> dict[str, object]:
    """`waiting_for_moderators`: counted when a template asks, in one query, and for nobody else."""

    def count() -> int:
        user = getattr(request, "user", None)
        # Moderators are staff: of everyone else not even the permissions are looked up.
        if user is None or not user.is_authenticated or not user.is_staff or not user.is_moderator:
            return 0
        return count_waiting()

    return {"waiting_for_moderators": SimpleLazyObject(count)}
