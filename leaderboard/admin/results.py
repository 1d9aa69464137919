"""Results and findings, to look at."""

from __future__ import annotations

from django.contrib import admin

from leaderboard.admin.catalogue import HTTPS_URLS
from leaderboard.models import Finding, Result
from lemsite.lib.moderating import ReadOnly


@admin.register(Result)
class ResultAdmin(ReadOnly, admin.ModelAdmin[Result]):
    """Results with their findings, to look at."""

    formfield_overrides = HTTPS_URLS
    list_display = ("__str__", "precision", "batch_size", "tokens_per_joule", "trust", "is_ranked")
    list_filter = ("trust", "is_ranked", "precision", "energy_scope")
    search_fields = ("id", "model_name", "hardware_name")
    list_select_related = ("model", "hardware")
    show_full_result_count = False


@admin.register(Finding)
class FindingAdmin(ReadOnly, admin.ModelAdmin[Finding]):
    """What the checks found."""

    list_display = ("code", "severity", "result", "observed", "limit", "check_set")
    list_filter = ("code", "severity", "check_set")
    list_select_related = ("result", "result__hardware")
    show_full_result_count = False
