"""Reads of what people watch."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from leaderboard.models import Hardware, LanguageModel, Watch


def watches_of(user: User) -> QuerySet[Watch]:
    return Watch.objects.filter(user=user).select_related("model", "hardware").order_by("-created_at", "-pk")


def is_watching(
    user: User | AnonymousUser, *, model: LanguageModel | None = None, hardware: Hardware | None = None
) -> bool:
    return user.is_authenticated and Watch.objects.filter(user=user, model=model, hardware=hardware).exists()
