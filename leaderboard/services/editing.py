"""Changing a submission step by step, all or nothing: state values, note, hand in, take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services.bans import refuse_banned
from leaderboard.models import OPEN, ReviewAction, Submission, SubmissionStatus, Visibility
from leaderboard.services.need import refresh_need
from leaderboard.services.steps import log_event
from leaderboard.services.submissions import (
    WAS_PUBLIC,
    SubmissionRefused,
    lock,
    move,
    restate,
    submit,
    withdraw,
)

#: as it stands, nobody but its owner and moderators would read a changed note
RECALLABLE = (SubmissionStatus.PENDING, SubmissionStatus.CHANGES_REQUESTED)
CLOSED = (SubmissionStatus.WITHDRAWN, SubmissionStatus.REJECTED, SubmissionStatus.INVALIDATED)


@dataclass(frozen=True, slots=True)
class Changes:
    """What its owner wants changed; None leaves a thing as it is."""

    stated: Mapping[str, Any] | None = None
    note: str | None = None
    visibility: str | None = None
    licence: str | None = None
    #: "pending" hands in, "draft" recalls, "withdrawn" takes back
    status: str | None = None
    reason: str = ""

    @property
    def hands_in(self) -> bool:
        return self.status == SubmissionStatus.PENDING or self.visibility is not None


@transaction.atomic
def edit(*, submission: Submission, changes: Changes, by: User) -> Submission:
    """Carry the changes out in the order of the fields.

    Raises SubmissionRefused, or ImportRefused for a stated value that is not right; nothing is changed then.
    """
    if changes.stated is not None:
        submission = restate(submission=submission, stated=changes.stated, by=by)
    if changes.note is not None:
        change_note(submission=submission, note=changes.note, by=by)
    if changes.status == SubmissionStatus.WITHDRAWN:
        withdraw(submission=submission, by=by, reason=changes.reason)
    elif changes.status == SubmissionStatus.DRAFT:
        recall(submission=submission, by=by, visibility=changes.visibility or Visibility.DRAFT, reason=changes.reason)
    elif changes.hands_in:
        _hand_in(submission, changes, by)
    submission.refresh_from_db()
    return submission


@transaction.atomic
def change_note(*, submission: Submission, note: str, by: User) -> None:
    """Write what stands beside the results. Of what is public each change leaves a line in the audit log."""
    refuse_banned(by)
    locked = lock(submission)
    if locked.status in CLOSED or locked.deleted_at is not None:
        raise SubmissionRefused(f"It is {locked.get_status_display().lower()}: its note stays as it is.", field="note")
    if locked.note == note:
        return
    locked.note = note
    locked.save(update_fields=["note"])
    if locked.status in OPEN:
        log_event(submission=locked, action=ReviewAction.NOTE, by=by, before=locked.status, reason="")


@transaction.atomic
def recall(*, submission: Submission, by: User, visibility: str, reason: str = "") -> Submission:
    """Take what waits for review out of the queue: a draft again, seen by its owner or those they choose."""
    if visibility not in (Visibility.DRAFT, Visibility.PRIVATE):
        raise SubmissionRefused("What is recalled becomes a draft or private.", field="visibility")
    locked = lock(submission)
    if locked.status not in RECALLABLE:
        now = locked.get_status_display().lower()
        raise SubmissionRefused(f"It is {now}: only what waits for review can be recalled.", field="status")
    if locked.published_at is not None:
        raise SubmissionRefused(WAS_PUBLIC, field="status")
    changes = {"visibility": visibility, "submitted_at": None, "assignee": None}
    move(
        submission=submission,
        to=SubmissionStatus.DRAFT,
        action=ReviewAction.RECALL,
        by=by,
        reason=reason,
        changes=changes,
    )
    refresh_need(Submission.objects.filter(pk=submission.pk))
    submission.refresh_from_db()
    return submission


def _hand_in(submission: Submission, changes: Changes, by: User) -> None:
    if changes.status == SubmissionStatus.PENDING and changes.visibility == Visibility.PRIVATE:
        raise SubmissionRefused("A private submission is never reviewed; choose public.", field="visibility")
    submit(submission=submission, by=by, visibility=changes.visibility or Visibility.PUBLIC, licence=changes.licence)
