"""Disputes of readers, and comments that somebody reported: the oldest first, each step with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from leaderboard import format as fmt
from leaderboard.admin.answers import answers_for
from leaderboard.admin.filters import ALL, WaitingFilter
from leaderboard.models import Comment, CommentReport, Dispute, DisputeState, ReviewAction
from leaderboard.queries.community import RUNNING
from leaderboard.services.comments import dismiss_reports, hide_comment, show_comment
from leaderboard.services.disputes import dismiss, take_up, uphold
from lemsite.lib.moderating import Answer, ReadOnly, Step, TakesSteps, as_person

WAITING_REPORTS = Q(reports__handled_at=None, reports__isnull=False)


class DisputeStateFilter(WaitingFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*DisputeState.choices, (ALL, "All")]

    def what_waits(self, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        return queryset.filter(state__in=RUNNING)


@admin.register(Dispute)
class DisputeAdmin(TakesSteps[Dispute]):
    """While one is open the result stays ranked; taken up, the submission is disputed."""

    list_display = ("about", "reason_start", "raised_by", "created_at", "state", "resolved_by")
    list_filter = (DisputeStateFilter,)
    list_select_related = ("result__submission", "raised_by", "resolved_by")
    ordering = ("created_at",)
    search_fields = ("reason", "raised_by__username", "result__model_name", "result__hardware_name")
    show_full_result_count = False
    fields = ("result_link", "submission_link", "raised_by", "created_at", "reason", "evidence_url", "state",
              "resolution", "resolved_by", "resolved_at")  # fmt: skip
    steps = {
        "take-up": Step(
            "Take up", "Taken up", lambda dispute, by, reason: take_up(dispute=dispute, by=by, reason=reason)
        ),
        "uphold": Step("Uphold", "Upheld", lambda dispute, by, reason: uphold(dispute=dispute, by=by, reason=reason)),
        "dismiss": Step(
            "Dismiss", "Dismissed", lambda dispute, by, reason: dismiss(dispute=dispute, by=by, reason=reason)
        ),
    }
    #: the decision that the canned answers of a step belong to
    answered_as = {
        "take-up": ReviewAction.DISPUTE,
        "uphold": ReviewAction.INVALIDATE,
        "dismiss": ReviewAction.DISMISS_DISPUTE,
    }

    def steps_for(self, row: Dispute) -> Mapping[str, Step]:
        if row.state not in RUNNING:
            return {}
        return {name: step for name, step in self.steps.items() if name != "take-up" or row.state == DisputeState.OPEN}

    def answers(self, steps: Sequence[str]) -> Sequence[Answer]:
        return answers_for([self.answered_as[step] for step in steps])

    @admin.display(description="About")
    def about(self, dispute: Dispute) -> str:
        return str(dispute.result or dispute.title)

    @admin.display(description="Reason")
    def reason_start(self, dispute: Dispute) -> str:
        return dispute.reason if len(dispute.reason) <= 120 else f"{dispute.reason[:119]}…"

    @admin.display(description="Result")
    def result_link(self, dispute: Dispute) -> str:
        if dispute.result is None:
            return dispute.title
        url = reverse("leaderboard:result", args=[dispute.result_id])
        return format_html('<a href="{}">{}</a>', url, dispute.result)

    @admin.display(description="Submission")
    def submission_link(self, dispute: Dispute) -> str:
        if dispute.result is None:
            return "deleted"
        submission = dispute.result.submission
        url = reverse("admin:leaderboard_submission_change", args=[submission.pk])
        return format_html('<a href="{}">{}</a>', url, submission)


class ReportedFilter(WaitingFilter):
    waiting_label = "Reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("hidden", "Hidden"), (ALL, "All")]

    def what_waits(self, queryset: QuerySet[Comment]) -> QuerySet[Comment]:
        return queryset.filter(pk__in=CommentReport.objects.filter(handled_at=None).values("comment"))

    def chosen(self, queryset: QuerySet[Comment], value: str) -> QuerySet[Comment]:
        return queryset.filter(hidden_at__isnull=False)


class ReportInline(ReadOnly, admin.TabularInline[CommentReport, Comment]):
    model = CommentReport
    extra = 0
    fields = ("created_at", as_person(CommentReport, "raised_by"), "reason", "handled_at",
              as_person(CommentReport, "handled_by"))  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[CommentReport]:
        return super().get_queryset(request).select_related("raised_by", "handled_by")


@admin.register(Comment)
class CommentAdmin(TakesSteps[Comment]):
    """Comments that readers reported. Hiding leaves the place and says why."""

    list_display = ("text_start", "author", "about", "reports_waiting", "reported_since", "hidden_at")
    list_filter = (ReportedFilter,)
    list_select_related = ("author", "result")
    search_fields = ("text", "author__username")
    show_full_result_count = False
    inlines = (ReportInline,)
    fields = ("result_link", "author", "text", "created_at", "edited_at", "deleted_at", "hidden_at", "hidden_reason")
    steps = {
        "hide": Step("Hide", "Hidden", lambda comment, by, reason: hide_comment(comment=comment, by=by, reason=reason)),
        "dismiss-reports": Step(
            "Dismiss the reports",
            "Reports dismissed",
            lambda comment, by, reason: dismiss_reports(comment=comment, by=by, reason=reason),
        ),
        "show": Step(
            "Show again", "Shown again", lambda comment, by, _: show_comment(comment=comment, by=by), needs_reason=False
        ),
    }

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("first_report", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        """Annotated before anything orders by it."""
        return Comment.objects.annotate(
            waiting_reports=Count("reports", filter=WAITING_REPORTS),
            first_report=Min("reports__created_at", filter=WAITING_REPORTS),
        )

    def steps_for(self, row: Comment) -> Mapping[str, Step]:
        if row.deleted_at:
            return {}
        names = ["show"] if row.hidden_at else ["hide"]
        if getattr(row, "waiting_reports", 0):
            names.append("dismiss-reports")
        return {name: self.steps[name] for name in names}

    @admin.display(description="Comment")
    def text_start(self, comment: Comment) -> str:
        return comment.text[:120] or "(deleted)"

    @admin.display(description="About")
    def about(self, comment: Comment) -> str:
        return str(comment.result)

    @admin.display(description="Reports that wait", ordering="waiting_reports")
    def reports_waiting(self, comment: Comment) -> int:
        return int(getattr(comment, "waiting_reports", 0))

    @admin.display(description="Reported since", ordering="first_report")
    def reported_since(self, comment: Comment) -> str:
        return fmt.minute(getattr(comment, "first_report", None))

    @admin.display(description="Result")
    def result_link(self, comment: Comment) -> str:
        url = reverse("leaderboard:result", args=[comment.result_id])
        return format_html('<a href="{}">{}</a>', url, comment.result)
