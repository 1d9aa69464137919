"""The page of a submission as its owner and those they chose see it, and what a refused step answers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.services.bans import Banned
from leaderboard.importers import ImportRefused
from leaderboard.models import Submission, Visibility
from leaderboard.presenting.owning import owner_panel, result_table
from leaderboard.presenting.preview import MAX_SHOWN, submission_preview
from leaderboard.services.quotas import OverQuota
from leaderboard.services.remembering import remembered
from leaderboard.services.submissions import SubmissionRefused
from lemsite.lib.archives import BadArchive

#: what a step on a submission may be refused with; each says why in one sentence
REFUSALS = (ImportRefused, BadArchive, SubmissionRefused, Banned, OverQuota)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent and could not be done: messages by field ("" for all of it), and what was typed."""

    errors: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    status: int = 422
    retry_after_s: int = 0

    @classmethod
    def refused(cls, error: Exception, given: Mapping[str, str] | None = None) -> Attempt:
        name = getattr(error, "field", None) or ""
        status = 403 if isinstance(error, Banned) else 429 if isinstance(error, OverQuota) else 422
        wait = error.retry_after_s if isinstance(error, OverQuota) else 0
        return cls({name: str(error)}, given or {}, status, wait)

    def answer(self, response: HttpResponse) -> HttpResponse:
        response.status_code = self.status
        if self.retry_after_s:
            response["Retry-After"] = str(self.retry_after_s)
        return response


def own(request: HttpRequest, pk: uuid.UUID) -> Submission:
    return get_object_or_404(Submission.objects.owned_by(request.user), pk=pk)


def readable(request: HttpRequest, pk: uuid.UUID) -> Submission:
    """One's own, or one that its owner shares with one."""
    shared = Submission.objects.visible_to(request.user).filter(
        visibility=Visibility.PRIVATE, shares__user=request.user.pk
    )
    mine = Submission.objects.owned_by(request.user)
    return get_object_or_404(Submission, Q(pk__in=mine.values("pk")) | Q(pk__in=shared.values("pk")), pk=pk)


def detail_page(request: HttpRequest, submission: Submission, attempt: Attempt | None = None) -> HttpResponse:
    submission.refresh_from_db()
    is_mine = submission.owner_id == request.user.pk
    errors, given = (attempt.errors, attempt.given) if attempt else ({}, {})
    last_time = remembered(submission) if is_mine else {}
    page = submission_preview(submission, errors, given, last_time)
    shown = {field.name for field in page.state_fields}
    remembers = any(name in last_time and name not in submission.stated for name in shown)
    context = {
        "page": page,
        "panel": owner_panel(submission, remembers=remembers) if is_mine else None,
        "table": result_table(submission, request.GET.get("page")) if _is_large(submission) else None,
        "errors": [message for name, message in errors.items() if name not in shown],
        "given": given,
        "submission": submission,
    }
    response = render(request, "leaderboard/submission_detail.html", context)
    return attempt.answer(response) if attempt else response


def _is_large(submission: Submission) -> bool:
    return submission.results.count() > MAX_SHOWN
