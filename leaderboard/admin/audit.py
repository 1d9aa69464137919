"""The audit log of submissions: to read, to narrow and to search, and never to change."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from leaderboard.admin.filters import ModeratorFilter
from leaderboard.models import ReviewEvent
from lemsite.lib.moderating import ReadOnly


@admin.register(ReviewEvent)
class ReviewEventAdmin(ReadOnly, admin.ModelAdmin[ReviewEvent]):
    """Every line, those of submissions that are gone as well."""

    list_display = ("created_at", "action", "actor", "submission_link", "from_status", "to_status", "reason")
    list_filter = ("action", ModeratorFilter, "created_at")
    list_select_related = ("actor",)
    ordering = ("-created_at", "-pk")
    fields = ("created_at", "action", "actor", "submission_link", "from_status", "to_status", "reason")
    search_fields = ("reason",)
    search_help_text = "The id of a submission or of a line, who decided, or words of the reason"
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReviewEvent], search_term: str
    ) -> tuple[QuerySet[ReviewEvent], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(reason__icontains=term) | Q(actor__username__iexact=term)
        if term.isdecimal() and len(term) < 19:
            wanted |= Q(pk=int(term))
        with suppress(ValueError):
            wanted |= Q(submission=uuid.UUID(term))
        return queryset.filter(wanted), False

    @admin.display(description="Submission", ordering="submission_id")
    def submission_link(self, event: ReviewEvent) -> str:
        """By its id: the submission may be gone."""
        url = reverse("admin:leaderboard_submission_change", args=[event.submission_id])
        return format_html('<a href="{}">{}</a>', url, str(event.submission_id)[:8])
