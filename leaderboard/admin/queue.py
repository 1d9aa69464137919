"""The review queue, and the page of one submission with everything a decision needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from accounts.models import User
from leaderboard import format as fmt
from leaderboard.admin.answers import answers_for
from leaderboard.admin.filters import AssigneeFilter, SubmissionStateFilter
from leaderboard.models import ReviewAction, Submission
from leaderboard.presenting.common import gpu_words, model_link, trust_badge
from leaderboard.presenting.moderation import moderation_page
from leaderboard.queries.community import active_moderators
from leaderboard.queries.moderation import QueueRow, queue_rows
from leaderboard.queries.need import need_words
from leaderboard.services.assignment import assign, give_back, take
from leaderboard.services.review import DECISIONS, possible_decisions, review, seen
from leaderboard.services.submissions import SubmissionRefused
from lemsite.lib.moderating import Answer, Step, TakesSteps


def _decide(action: ReviewAction) -> Callable[[Submission, User, str], None]:
    def run(submission: Submission, by: User, reason: str) -> None:
        review(submission=submission, action=action, by=by, reason=reason)

    return run


DECIDING = {
    action.value: Step(decision.verb, action.label, _decide(action), needs_reason=decision.needs_reason)
    for action, decision in DECISIONS.items()
}
ASSIGNING = {
    "take": Step(
        "Take",
        "Assigned to you",
        lambda submission, by, _: take(submission=submission, by=by),
        needs_reason=False,
        asks_reason=False,
    ),
    "give-back": Step(
        "Give back",
        "Given back",
        lambda submission, by, reason: give_back(submission=submission, by=by, reason=reason),
        needs_reason=False,
        asks_reason=False,
    ),
}


class Queue(ChangeList):
    """A page of the queue: what its columns say is read for its rows alone, all at once."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Submission]:
        rows: QuerySet[Submission] = super().get_queryset(request, exclude_parameters)
        return rows.defer("stated", "redacted", "note")

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        page: list[Any] = list(self.result_list)
        rows = queue_rows(page)
        for submission in page:
            submission.queue_row = rows[submission.pk]
        self.result_list = page


@admin.register(Submission)
class SubmissionAdmin(TakesSteps[Submission]):
    """Rows are read only: every change goes through a decision with its audit line."""

    list_display = ("what", "need_text", "owner_text", "waits_since", "assignee", "trust", "findings", "status")
    list_filter = (SubmissionStateFilter, AssigneeFilter, "provenance")
    list_select_related = ("owner", "assignee")
    list_per_page = 50
    ordering = ("-need", "submitted_at")
    search_fields = ("id", "owner__username", "results__model_name", "results__hardware_name")
    search_help_text = "An id, an owner, a model or a GPU; of every state"
    show_full_result_count = False
    fields = ()
    change_form_template = "admin/leaderboard/submission/change_form.html"
    steps = {**DECIDING, **ASSIGNING}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        return super().get_queryset(request).select_related("owner", "assignee")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Queue

    def steps_for(self, row: Submission) -> Mapping[str, Step]:
        return {action.value: DECIDING[action.value] for action in possible_decisions(row)}

    def seen(self, row: Submission) -> str:
        return seen(row)

    def answers(self, steps: Sequence[str]) -> Sequence[Answer]:
        return answers_for(steps)

    def page_context(self, request: HttpRequest, row: Submission) -> dict[str, Any]:
        others = active_moderators().exclude(pk__in=[pk for pk in (row.owner_id, row.assignee_id) if pk])
        return {"page": moderation_page(row), "moderators": others, "is_mine": row.assignee_id == request.user.pk}

    def post_step(self, request: HttpRequest, row: Submission) -> None:
        if "assign" in request.POST:
            self._assign(request, row, request.POST.get("to", ""))
        else:
            super().post_step(request, row)

    def _assign(self, request: HttpRequest, submission: Submission, to: str) -> None:
        moderator = active_moderators().filter(pk=int(to)).first() if to.isdecimal() and len(to) < 19 else None
        if moderator is None:
            return self._say(request, "Choose a moderator.", messages.ERROR)
        try:
            assign(submission=submission, to=moderator, by=cast(User, request.user))
        except SubmissionRefused as refused:
            return self._say(request, refused.message, messages.ERROR)
        return self._say(request, f"Assigned to {moderator}.", messages.SUCCESS)

    @admin.display(description="What")
    def what(self, submission: Submission) -> str:
        row = _row(submission)
        if row.first is None:
            return str(submission)
        words = f"{model_link(row.first).label} on {gpu_words(row.first)}"
        words += ", simulated" if submission.is_simulated else ""
        return f"{words}, {row.results:,} results" if row.results > 1 else words

    @admin.display(description="Needs a moderator for", ordering="need")
    def need_text(self, submission: Submission) -> str:
        return need_words(_row(submission).needs)

    @admin.display(description="Owner", ordering="owner__username")
    def owner_text(self, submission: Submission) -> str:
        if submission.owner is None:
            return ""
        record = _row(submission).record
        return format_html('{}<br><span class="small">{}</span>', submission.owner, record or "")

    @admin.display(description="Waits since", ordering="submitted_at")
    def waits_since(self, submission: Submission) -> str:
        return fmt.minute(submission.submitted_at)

    @admin.display(description="Trust")
    def trust(self, submission: Submission) -> str:
        levels = sorted(set(_row(submission).trust or ()))
        badges = ((badge.code, badge.title, badge.label) for badge in map(trust_badge, levels))
        return format_html_join(" to ", '<span class="trust {}" title="{}">{}</span>', badges)

    @admin.display(description="Findings")
    def findings(self, submission: Submission) -> str:
        return ", ".join(dict.fromkeys(_row(submission).codes))


def _row(submission: Submission) -> QueueRow:
    row: QueueRow = getattr(submission, "queue_row", None) or QueueRow()
    return row
