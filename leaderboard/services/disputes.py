"""A reader, or a rerun by this site, says that a published result is wrong; a moderator settles it.

Each step is told and leaves an audit line.
Every step first locks the submission, so that two moderators, or a moderator and a reader, go one after the other.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from accounts.models import NotificationKind, User
from accounts.services.bans import refuse_banned
from leaderboard.models import Dispute, DisputeState, Result, ReviewAction, Submission, SubmissionStatus
from leaderboard.queries.community import RUNNING, active_moderators
from leaderboard.services.need import refresh_need
from leaderboard.services.quotas import refuse_over_quota
from leaderboard.services.ranking import bump_data_version
from leaderboard.services.review import review
from leaderboard.services.settling import end_dispute, settle_disputes, tell_of
from leaderboard.services.steps import Refused, log_event
from leaderboard.services.submissions import SubmissionRefused
from leaderboard.services.texts import clean_text

MAX_REASON = 4000
MAX_RESOLUTION = 2000
MAX_URL = 500
DISPUTABLE = (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED)
#: nothing of it is ranked, and nothing will be
OVER = (SubmissionStatus.WITHDRAWN, SubmissionStatus.INVALIDATED, SubmissionStatus.REJECTED)


class DisputeRefused(Refused):
    """What was asked of a dispute is not possible; the message says why."""


@transaction.atomic
def open_dispute(*, result: Result, by: User, reason: str, evidence_url: str = "") -> Dispute:
    """The result stays ranked, marked as disputed, until a moderator takes it up."""
    refuse_banned(by)
    refuse_over_quota(user=by, what="disputes")
    submission = _lock(result)
    if submission.status not in DISPUTABLE or not submission.is_public or submission.deleted_at:
        raise DisputeRefused("Only a published result can be disputed.")
    if submission.owner_id == by.pk:
        raise DisputeRefused("It is your own result: edit, replace or withdraw it.")
    reason = clean_text(reason, field="reason", most=MAX_REASON, refusal=DisputeRefused)
    evidence_url = _clean_url(evidence_url)
    if Dispute.objects.filter(result=result, raised_by=by, state__in=RUNNING).exists():
        raise DisputeRefused("Your dispute about this result is still running; there is one at a time.")
    dispute = _raise(result, by=by, reason=reason, evidence_url=evidence_url)
    _log(submission, ReviewAction.OPEN_DISPUTE, by, reason)
    _announce(dispute, submission, f"{by} disputes {result}", by=by)
    return dispute


@transaction.atomic
def open_dispute_by_site(*, result: Result, reason: str) -> Dispute | None:
    """This site ran the configuration again and it came out differently. None where it says so already, or where the
    result is public no more."""
    submission = _lock(result)
    if submission.status not in DISPUTABLE or not submission.is_public or submission.deleted_at:
        return None
    if Dispute.objects.filter(result=result, raised_by=None, state__in=RUNNING).exists():
        return None
    dispute = _raise(result, by=None, reason=reason[:MAX_REASON])
    _log(submission, ReviewAction.NOT_REPRODUCED, None, reason)
    _announce(dispute, submission, f"A rerun by this site disputes {result}", by=None)
    return dispute


@transaction.atomic
def retract_dispute(*, dispute: Dispute, by: User) -> None:
    """Take one's own dispute back while no moderator looks into it."""
    submission = _lock_of(dispute)
    if dispute.raised_by_id != by.pk:
        raise DisputeRefused("Only who raised a dispute can retract it.")
    possible = (DisputeState.OPEN,)
    if not end_dispute(dispute=dispute, state=DisputeState.RETRACTED, by=by, resolution="", possible=possible):
        raise _not_possible(dispute)
    _log(submission, ReviewAction.RETRACT_DISPUTE, by)
    _finish(submission)
    tell_of(dispute, [submission.owner], f"The dispute about {dispute.title} was retracted", "", by=by)


@transaction.atomic
def take_up(*, dispute: Dispute, by: User, reason: str) -> None:
    """Look into it: from now on the submission is disputed, and nothing of it is ranked."""
    submission, reason = _begin(dispute, by, reason)
    if not Dispute.objects.filter(pk=dispute.pk, state=DisputeState.OPEN).update(state=DisputeState.TAKEN_UP):
        raise _not_possible(dispute)
    dispute.refresh_from_db()
    if submission.status == SubmissionStatus.DISPUTED:
        _log(submission, ReviewAction.DISPUTE, by, reason)
        tell_of(dispute, [submission.owner], f"Another dispute about {dispute.title} is looked into", reason, by=by)
    else:
        _review(submission, ReviewAction.DISPUTE, by, reason)
    _finish(submission)
    tell_of(dispute, [dispute.raised_by], f"Your dispute about {dispute.title} is looked into", reason, by=by)


@transaction.atomic
def uphold(*, dispute: Dispute, by: User, reason: str) -> None:
    """The result is wrong: the submission is invalid, which answers the other disputes about it as well."""
    submission, reason = _begin(dispute, by, reason)
    _refuse_ended(dispute)
    if submission.status == SubmissionStatus.PUBLISHED:
        _review(submission, ReviewAction.DISPUTE, by, reason)
    if submission.status in OVER:
        settle_disputes(submission=submission, action=ReviewAction.INVALIDATE, by=by, reason=reason)
    else:
        _review(submission, ReviewAction.INVALIDATE, by, reason)
    dispute.refresh_from_db()
    _finish(submission)


@transaction.atomic
def dismiss(*, dispute: Dispute, by: User, reason: str) -> None:
    """The result stands. It is ranked again unless another dispute about the submission is being looked into."""
    submission, reason = _begin(dispute, by, reason)
    _refuse_ended(dispute)
    others = Dispute.objects.filter(result__submission=submission, state=DisputeState.TAKEN_UP).exclude(pk=dispute.pk)
    was_taken_up = dispute.state == DisputeState.TAKEN_UP
    if was_taken_up and submission.status == SubmissionStatus.DISPUTED and not others.exists():
        _review(submission, ReviewAction.RESTORE, by, reason)
    else:
        end_dispute(dispute=dispute, state=DisputeState.DISMISSED, by=by, resolution=reason)
        _log(submission, ReviewAction.DISMISS_DISPUTE, by, reason)
        tell_of(dispute, [submission.owner], f"A dispute about {dispute.title} was dismissed", reason, by=by)
    dispute.refresh_from_db()
    _finish(submission)


def _raise(result: Result, *, by: User | None, reason: str, evidence_url: str = "") -> Dispute:
    return Dispute.objects.create(
        result=result, title=str(result)[:500], raised_by=by, reason=reason, evidence_url=evidence_url
    )


def _announce(dispute: Dispute, submission: Submission, title: str, *, by: User | None) -> None:
    """The owner and the moderators hear of a new dispute, and it stands on the leaderboard."""
    _finish(submission)
    tell_of(dispute, [submission.owner], title, dispute.reason, by=by)
    waiting = [person for person in active_moderators() if person.pk != submission.owner_id]
    tell_of(dispute, waiting, title, dispute.reason, by=by, kind=NotificationKind.MODERATION)


def _begin(dispute: Dispute, by: User, reason: str) -> tuple[Submission, str]:
    """What each decision of a moderator starts with: the lock, who may, and why."""
    submission = _lock_of(dispute)
    if not by.is_moderator:
        raise DisputeRefused(f"{by.username} is not a moderator.", field="by")
    if by.pk in (submission.owner_id, dispute.raised_by_id):
        raise DisputeRefused("Nobody decides on a dispute that they raised, or about their own result.", field="by")
    return submission, clean_text(reason, field="reason", most=MAX_RESOLUTION, refusal=DisputeRefused)


def _lock(result: Result) -> Submission:
    return Submission.objects.select_for_update(of=("self",)).select_related("owner").get(pk=result.submission_id)


def _lock_of(dispute: Dispute) -> Submission:
    if dispute.result is None:
        raise _not_possible(dispute)
    return _lock(dispute.result)


def _refuse_ended(dispute: Dispute) -> None:
    dispute.refresh_from_db()
    if dispute.state not in RUNNING:
        raise _not_possible(dispute)


def _not_possible(dispute: Dispute) -> DisputeRefused:
    dispute.refresh_from_db(fields=["state"])
    return DisputeRefused(f"The dispute is no longer in that state: {dispute.get_state_display().lower()}.")


def _review(submission: Submission, action: ReviewAction, by: User, reason: str) -> None:
    try:
        review(submission=submission, action=action, by=by, reason=reason)
    except SubmissionRefused as refused:
        raise DisputeRefused(refused.message, field=refused.field) from None


def _log(submission: Submission, action: ReviewAction, by: User | None, reason: str = "") -> None:
    log_event(submission=submission, action=action, by=by, before=submission.status, reason=reason[:MAX_RESOLUTION])


def _finish(submission: Submission) -> None:
    """The queue's order, and the mark on the leaderboard."""
    refresh_need(Submission.objects.filter(pk=submission.pk))
    bump_data_version()


def _clean_url(url: str) -> str:
    url = url.strip()
    if not url:
        return ""
    try:
        URLValidator(schemes=["https"])(url)
    except ValidationError:
        raise DisputeRefused("evidence_url: give a link that begins with https://.", field="evidence_url") from None
    if len(url) > MAX_URL:
        raise DisputeRefused(f"evidence_url: at most {MAX_URL} characters.", field="evidence_url")
    return url
