"""What moderators decide, each with a reason, an author and a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from leaderboard.models import TRANSITIONS, Result, ReviewAction, Submission, SubmissionStatus
from leaderboard.services.need import refresh_need
from leaderboard.services.ranking import rank, unrank
from leaderboard.services.settling import settle_disputes
from leaderboard.services.submissions import SubmissionRefused, move
from leaderboard.services.tombstones import leave_tombstones
from leaderboard.services.watching import tell_watchers

S = SubmissionStatus
#: said where a result was that had been public; the moderator's own words are for the owner
NOT_APPROVED = "Its files were replaced, and a moderator rejected the new ones."

CHANGED = "Its owner has changed it since you looked: look again before you decide."


@dataclass(frozen=True, slots=True)
class Decision:
    verb: str
    to: SubmissionStatus
    needs_reason: bool


DECISIONS: Mapping[ReviewAction, Decision] = {
    ReviewAction.APPROVE: Decision("Approve", S.PUBLISHED, needs_reason=False),
    ReviewAction.REJECT: Decision("Reject", S.REJECTED, needs_reason=True),
    ReviewAction.REQUEST_CHANGES: Decision("Request changes", S.CHANGES_REQUESTED, needs_reason=True),
    ReviewAction.DISPUTE: Decision("Dispute", S.DISPUTED, needs_reason=True),
    ReviewAction.INVALIDATE: Decision("Invalidate", S.INVALIDATED, needs_reason=True),
    ReviewAction.RESTORE: Decision("Settle the dispute", S.PUBLISHED, needs_reason=True),
}


def possible_decisions(submission: Submission) -> dict[ReviewAction, Decision]:
    """What a moderator may decide on a submission as it stands."""
    following = TRANSITIONS[S(submission.status)]
    wrong_start = ReviewAction.RESTORE if submission.status == S.PENDING else ReviewAction.APPROVE
    return {
        action: decision for action, decision in DECISIONS.items() if decision.to in following and action != wrong_start
    }


@transaction.atomic
def review(*, submission: Submission, action: ReviewAction, by: User, reason: str = "") -> None:
    """Carry out a decision and keep the tables right. Raises SubmissionRefused saying why it cannot be."""
    decision = DECISIONS[action]
    _lock_as_read(submission)
    _refuse_reviewer(submission, by)
    if decision.needs_reason and not reason.strip():
        raise SubmissionRefused("Give a reason: the owner reads it, and it stays in the record.", field="reason")
    if action in (ReviewAction.APPROVE, ReviewAction.RESTORE):
        _refuse_wrong_start(submission, action)
    # A settled dispute publishes nothing new: feeds go by this date.
    changes = {"published_at": timezone.now()} if action == ReviewAction.APPROVE else {}
    move(submission=submission, to=decision.to, action=action, by=by, reason=reason.strip(), changes=changes)
    results = Result.objects.filter(submission=submission)
    if decision.to == S.PUBLISHED:
        rank(results)
    else:
        unrank(results)
    if action == ReviewAction.REJECT:
        leave_tombstones(submission=submission, results=results, reason=NOT_APPROVED)
    if action == ReviewAction.APPROVE:
        tell_watchers(submission=submission)
    settle_disputes(submission=submission, action=action, by=by, reason=reason.strip())
    refresh_need(Submission.objects.filter(pk=submission.pk))
    _tell_owner(submission, action, reason.strip())


def seen(submission: Submission) -> str:
    """What a decision is about: other files, or the same handed in again, are something else."""
    return f"{submission.version} {submission.submitted_at}"


def _lock_as_read(submission: Submission) -> None:
    """Another moderator may have decided since the caller read it, and its owner may have changed what it holds."""
    before = seen(submission)
    locked = Submission.objects.select_for_update().filter(pk=submission.pk).first()
    if locked is None:
        raise SubmissionRefused("Its owner has deleted it.", field="status")
    submission.status = locked.status
    if seen(locked) != before:
        raise SubmissionRefused(CHANGED, field="status")


def _tell_owner(submission: Submission, action: ReviewAction, reason: str) -> None:
    if submission.owner is None:
        return
    notify(
        to=[submission.owner],
        kind=NotificationKind.REVIEW,
        title=f"{action.label}: {_what(submission)}",
        text=reason,
        url=reverse("leaderboard:submission", args=[submission.pk]),
        data={"submission": str(submission.pk), "decision": action.value, "status": submission.status},
    )


def _what(submission: Submission) -> str:
    """What it is about, in a line: the first result, and how many there are beside it."""
    first, results = submission.results.order_by("position").first(), submission.results.count()
    more = f" and {results - 1:,} more" if results > 1 else ""
    return f"{first or submission}{more}"


def _refuse_reviewer(submission: Submission, by: User) -> None:
    if not by.is_moderator:
        raise SubmissionRefused(f"{by.username} is not a moderator.", field="by")
    if submission.owner_id == by.pk:
        raise SubmissionRefused("Nobody reviews their own submission.", field="by")


def _refuse_wrong_start(submission: Submission, action: ReviewAction) -> None:
    """Approving and restoring both lead to published; each begins elsewhere."""
    start = S.PENDING if action == ReviewAction.APPROVE else S.DISPUTED
    if submission.status != start:
        raise SubmissionRefused(
            f"It is {submission.get_status_display().lower()}, not {start.label.lower()}.", field="status"
        )
