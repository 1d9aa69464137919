"""New scores that a newer check set would give published results: a moderator applies them or keeps the old ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from leaderboard.admin.answers import answers_for
from leaderboard.admin.filters import ALL, WaitingFilter
from leaderboard.models import ReviewAction, ScoreReview, ScoreReviewState, Trust
from leaderboard.services.rescoring import apply_score, keep_score
from lemsite.lib.moderating import Answer, Step, TakesSteps


class ScoreStateFilter(WaitingFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*ScoreReviewState.choices, (ALL, "All")]

    def what_waits(self, queryset: QuerySet[ScoreReview]) -> QuerySet[ScoreReview]:
        return queryset.filter(state=ScoreReviewState.OPEN)


@admin.register(ScoreReview)
class ScoreReviewAdmin(TakesSteps[ScoreReview]):
    """Nothing public changes until it is decided."""

    list_display = ("about", "check_set", "change", "codes", "created_at", "state", "decided_by")
    list_filter = (ScoreStateFilter, "check_set")
    list_select_related = ("result__submission", "decided_by")
    ordering = ("created_at",)
    search_fields = ("result__model_name", "result__hardware_name")
    show_full_result_count = False
    fields = ("result_link", "check_set", "change", "new_findings", "old_findings", "created_at", "state",
              "decided_by", "decided_at", "reason")  # fmt: skip
    steps = {
        "apply": Step(
            "Apply the new score",
            "Applied",
            lambda review, by, reason: apply_score(score_review=review, by=by, reason=reason),
        ),
        "keep": Step(
            "Keep the old score",
            "Kept",
            lambda review, by, reason: keep_score(score_review=review, by=by, reason=reason),
        ),
    }
    #: the decision that the canned answers of a step belong to
    answered_as = {"apply": ReviewAction.RESCORE, "keep": ReviewAction.KEEP_SCORE}

    def steps_for(self, row: ScoreReview) -> Mapping[str, Step]:
        return self.steps if row.state == ScoreReviewState.OPEN else {}

    def answers(self, steps: Sequence[str]) -> Sequence[Answer]:
        return answers_for([self.answered_as[step] for step in steps])

    @admin.display(description="About")
    def about(self, review: ScoreReview) -> str:
        return str(review.result)

    @admin.display(description="Trust")
    def change(self, review: ScoreReview) -> str:
        before, after = Trust(review.trust_before), Trust(review.trust_after)
        return before.label if before == after else f"{before.label} to {after.label}"

    @admin.display(description="New findings")
    def codes(self, review: ScoreReview) -> str:
        return ", ".join(dict.fromkeys(str(finding.get("code", "")) for finding in review.findings)) or "none"

    @admin.display(description="New findings")
    def new_findings(self, review: ScoreReview) -> str:
        rows = ((f.get("severity", ""), f.get("code", ""), f.get("message", "")) for f in review.findings)
        return format_html_join("", "<p><b>{} {}</b> {}</p>", rows) or "none"

    @admin.display(description="Findings now")
    def old_findings(self, review: ScoreReview) -> str:
        rows = ((f.severity, f.code, f.message) for f in review.result.findings.all())
        return format_html_join("", "<p><b>{} {}</b> {}</p>", rows) or "none"

    @admin.display(description="Result")
    def result_link(self, review: ScoreReview) -> str:
        url = reverse("leaderboard:result", args=[review.result_id])
        return format_html('<a href="{}">{}</a>', url, review.result)
