"""Canned answers: reasons that moderators give often, to choose beside a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from leaderboard.models import CannedAnswer
from lemsite.lib.moderating import Answer, ForModerators, is_moderator


def answers_for(actions: Sequence[str]) -> list[Answer]:
    """Those that belong to one of the decisions."""
    chosen = CannedAnswer.objects.filter(action__in=actions)
    return [Answer(answer.pk, answer.action, answer.title, answer.text) for answer in chosen]


@admin.register(CannedAnswer)
class CannedAnswerAdmin(ForModerators, admin.ModelAdmin[CannedAnswer]):
    """What a moderator may say with one choice. A changed answer changes nothing that was said with it."""

    list_display = ("title", "action", "text")
    list_filter = ("action",)
    search_fields = ("title", "text")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_moderator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_moderator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_moderator(request)
