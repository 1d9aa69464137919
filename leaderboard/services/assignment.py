"""Which moderator looks at a submission. Nobody has to be assigned to decide; it keeps two from the same work."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from leaderboard.models import ReviewAction, Submission
from leaderboard.queries.need import waiting
from leaderboard.services.steps import log_event
from leaderboard.services.submissions import SubmissionRefused


@transaction.atomic
def take(*, submission: Submission, by: User) -> None:
    """Look at it oneself, if nobody does yet."""
    assign(submission=submission, to=by, by=by)


@transaction.atomic
def give_back(*, submission: Submission, by: User, reason: str = "") -> None:
    """Leave it to the others."""
    if not by.is_moderator:
        raise SubmissionRefused(f"{by.username} is not a moderator.", field="by")
    if not Submission.objects.filter(pk=submission.pk, assignee=by).update(assignee=None):
        raise SubmissionRefused("It is not assigned to you.", field="assignee")
    _log(submission, by, f"Given back. {reason}".strip())


@transaction.atomic
def assign(*, submission: Submission, to: User, by: User, reason: str = "") -> None:
    """Give it to a moderator: one that nobody looks at, or one's own. Another's is theirs, or a superuser's, to give.

    Raises SubmissionRefused when it waits for nobody, when `to` cannot decide on it, or when somebody was faster.
    """
    _refuse_people(submission, to, by)
    if not waiting(Submission.objects.filter(pk=submission.pk)).exists():
        raise SubmissionRefused("It waits for no moderator.", field="status")
    free = Submission.objects.filter(pk=submission.pk, assignee=None)
    own = Submission.objects.filter(pk=submission.pk).exclude(assignee=to)
    if not by.is_superuser:
        own = own.filter(assignee=by)
    if not (free.update(assignee=to) or own.update(assignee=to)):
        holder = Submission.objects.select_related("assignee").get(pk=submission.pk).assignee
        raise SubmissionRefused(f"It is assigned to {holder} already.", field="assignee")
    _log(submission, by, f"Assigned to {to}. {reason}".strip())


def _refuse_people(submission: Submission, to: User, by: User) -> None:
    for person in (by, to):
        if not person.is_moderator:
            raise SubmissionRefused(f"{person.username} is not a moderator.", field="assignee")
    if submission.owner_id == to.pk:
        raise SubmissionRefused("Nobody reviews their own submission.", field="assignee")


def _log(submission: Submission, by: User, reason: str) -> None:
    submission.refresh_from_db(fields=["assignee", "status"])
    log_event(submission=submission, action=ReviewAction.ASSIGN, by=by, before=submission.status, reason=reason)
