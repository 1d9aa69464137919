"""The first page of one's own account: what waits, and what was given."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Min
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User

MAX_SHOWN, MAX_WAITING = 100, 20
#: status -> (what its owner has to do, the button)
STEPS = {
    "draft": ("A draft: look at what was understood, and submit it.", "Finish"),
    "changes_requested": ("A moderator asks for changes.", "Answer"),
}


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    submissions = _described(cast(User, request.user).submissions.filter(deleted_at=None))
    # A private and a simulated one are finished as they are, though their status stays a draft's.
    unfinished = submissions.filter(status__in=STEPS, is_simulated=False).exclude(visibility="private")
    count = submissions.count()
    context = {
        "submissions": [_row(submission) for submission in submissions[:MAX_SHOWN]],
        "waiting": [_row(submission) for submission in unfinished[:MAX_WAITING]],
        "submission_count": count,
        "more_submissions": count > MAX_SHOWN,
    }
    return render(request, "accounts/account.html", context)


def _described(submissions: Any) -> Any:
    """With the number of results, and the first and the last name of what they measured."""
    model = Coalesce("results__model__title", "results__model_name")
    gpu = Coalesce("results__hardware__name", "results__hardware_name")
    return submissions.annotate(
        result_count=Count("results"),
        first_model=Min(model),
        last_model=Max(model),
        first_gpu=Min(gpu),
        last_gpu=Max(gpu),
    ).order_by("-created_at")


def _label(submission: Any) -> str:
    """What was measured on what; the file's form and an id where it holds no result."""
    if not submission.result_count:
        return f"{submission.shape} {str(submission.pk)[:8]}"
    model = submission.first_model if submission.first_model == submission.last_model else "Several models"
    gpu = submission.first_gpu if submission.first_gpu == submission.last_gpu else "several GPUs"
    results = f", {submission.result_count} results" if submission.result_count > 1 else ""
    return f"{model} on {gpu}{results}"


def _row(submission: Any) -> dict[str, Any]:
    """The submission is of an app above this one, hence its type is not named here."""
    todo, step = STEPS.get(submission.status, ("", ""))
    return {
        "url": reverse("leaderboard:submission", args=[submission.pk]),
        "label": _label(submission),
        "status": "Simulated" if submission.is_simulated else submission.get_status_display(),
        "visibility": submission.get_visibility_display(),
        "created_at": submission.created_at,
        "todo": todo,
        "step": step,
    }
