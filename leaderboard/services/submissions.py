"""Giving, changing and taking back a submission. Every state change is a conditional update with an audit line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.bans import refuse_banned
from leaderboard import checks
from leaderboard.models import (
    OPEN,
    TRANSITIONS,
    Finding,
    Licence,
    Provenance,
    Result,
    ReviewAction,
    Submission,
    SubmissionStatus,
    Visibility,
)
from leaderboard.services.catalogue import queue_unknown_names
from leaderboard.services.need import refresh_need
from leaderboard.services.quotas import Quota, refuse_over_quota
from leaderboard.services.ranking import unrank
from leaderboard.services.reading import (
    COUNTED,
    STATABLE,
    CheckedResult,
    Reading,
    check_again,
    name_results,
    validate_stated,
)
from leaderboard.services.remembering import remember
from leaderboard.services.scoring import NAME_COLUMNS
from leaderboard.services.settling import lapse_disputes, tell_of_withdrawal
from leaderboard.services.steps import Refused, log_event
from leaderboard.services.storing import (
    drop_unused_files,
    files_with_rows,
    fill_row,
    store_documents,
    store_findings,
    store_results,
)
from leaderboard.services.tombstones import leave_tombstones
from lemsite.lib.held import Held, hold

ROWS_AT_ONCE = 100
#: what a statement may change of a stored result
RESTATED = (
    *(NAME_COLUMNS.get(name, name) for name in STATABLE),
    *NAME_COLUMNS,
    "origins",
    "notes",
    "trust",
    "gpu_seconds_per_million_tokens",
    "cost_per_million_tokens_usd",
)
CHANGEABLE = (SubmissionStatus.DRAFT, SubmissionStatus.CHANGES_REQUESTED)
SIMULATED = "It is simulated: its figures are made up, so it is never handed in or ranked. It can be kept private."
WAS_PUBLIC = "It was public before: withdraw it instead, so that a page says why."


class SubmissionRefused(Refused):
    """A step on a submission is not possible; the message says why, and what is."""


class ResultsImpossible(SubmissionRefused):
    """The checks found that at least one result cannot be right."""


def store_reading(
    *,
    reading: Reading,
    owner: User | None,
    provenance: str,
    visibility: str = Visibility.DRAFT,
    note: str = "",
    licence: str = Licence.CC_BY,
) -> Submission:
    """Store an upload as a draft: files, results, cycles and findings, all or nothing.

    Raises SubmissionRefused when a result can't be right: what is impossible is never stored. Raises Banned or
    OverQuota where its owner may not give more now.
    """
    with files_with_rows(reading.documents), transaction.atomic():
        if owner is not None:
            refuse_upload(owner, size_bytes=sum(len(document.content) for document in reading.documents))
        return keep_reading(
            reading=reading, owner=owner, provenance=provenance, visibility=visibility, note=note, licence=licence
        )


def refuse_upload(user: User, *, size_bytes: int) -> None:
    """Raise Banned or OverQuota; within the transaction that stores the upload."""
    refuse_banned(user)
    refuse_over_quota(user=user, what=Quota.UPLOADS)
    refuse_over_quota(user=user, what=Quota.BYTES, adding=size_bytes)


@transaction.atomic
def keep_reading(
    *, reading: Reading, owner: User | None, provenance: str, visibility: str, note: str, licence: str
) -> Submission:
    """`store_reading` for an upload whose place in the day's share is taken already."""
    refuse_blocked(reading.results)
    submission = Submission.objects.create(
        owner=owner,
        provenance=provenance,
        visibility=visibility,
        is_simulated=reading.is_simulated,
        shape=reading.shape[:40],
        note=note,
        licence=licence,
        stated=reading.stated,
        redacted=reading.redacted,
        check_set=checks.CHECK_SET,
    )
    store_documents(submission, reading.documents)
    store_results(submission, reading.results)
    return submission


def refuse_blocked(results: Sequence[CheckedResult]) -> None:
    blocked = sum(result.is_blocked for result in results)
    if blocked:
        raise ResultsImpossible(
            f"{blocked} of {len(results)} results cannot be right; the findings say why. Nothing was stored."
        )


@transaction.atomic
def restate(*, submission: Submission, stated: Mapping[str, Any], by: User) -> Submission:
    """Check a draft again with what its owner now states; what the files say stays.

    Raises ImportRefused for a value that is not right, SubmissionRefused when the draft is closed or the
    statement makes a result impossible; the draft then stays as it was.
    """
    locked = lock(submission)
    if locked.status not in CHANGEABLE:
        raise SubmissionRefused(f"It is {locked.get_status_display().lower()}: nothing can be stated any more.")
    values = validate_stated({**locked.stated, **stated})
    results = list(locked.results.select_related("submission").prefetch_related("measurements"))
    checked = check_again(results, values)
    refuse_blocked(checked)
    for result, one in zip(results, checked, strict=True):
        fill_row(result, one)
    Result.objects.bulk_update(results, RESTATED, batch_size=ROWS_AT_ONCE)
    Finding.objects.filter(result__submission=locked).delete()
    store_findings(results, checked)
    queue_unknown_names(results)
    locked.stated = values
    locked.check_set = checks.CHECK_SET
    locked.save(update_fields=["stated", "check_set"])
    return locked


@transaction.atomic
def submit(
    *, submission: Submission, by: User, visibility: str, note: str | None = None, licence: str | None = None
) -> Submission:
    """Confirm a draft: a public one waits for review from now on, a private one is finished."""
    refuse_banned(by)
    if visibility not in (Visibility.PUBLIC, Visibility.PRIVATE):
        raise SubmissionRefused("Choose private or public.", field="visibility")
    if licence is not None and licence not in Licence.values:
        raise SubmissionRefused(f"Choose one of {', '.join(Licence.values)}.", field="licence")
    changes: dict[str, Any] = {"visibility": visibility}
    if note is not None:
        changes["note"] = note[:2000]
    if licence is not None:
        changes["licence"] = licence
    if visibility == Visibility.PRIVATE:
        private = Submission.objects.filter(pk=submission.pk, status__in=CHANGEABLE, published_at=None)
        if not private.update(**changes):
            raise SubmissionRefused("Only a draft can be kept private; what was public is withdrawn instead.")
    else:
        if lock(submission).is_simulated:
            raise SubmissionRefused(SIMULATED, field="visibility")
        _refuse_incomplete(submission)
        # Of two who hand in the same measurement, the second sees the first.
        hold(Held.HANDING_IN)
        _refuse_duplicates(submission)
        changes["submitted_at"] = timezone.now()
        move(submission=submission, to=SubmissionStatus.PENDING, action=ReviewAction.SUBMIT, by=by, changes=changes)
        refresh_need(Submission.objects.filter(pk=submission.pk))
    submission.refresh_from_db()
    remember(submission)
    return submission


@transaction.atomic
def withdraw(*, submission: Submission, by: User, reason: str = "") -> None:
    """Take a submission back. Of a published one the page stays, saying who, when and why.

    Where its files were replaced and nobody has reviewed the new ones, tombstones stay instead: unseen figures don't
    become public by being withdrawn.
    """
    before = lock(submission)
    results = Result.objects.filter(submission=submission)
    changes: dict[str, Any] = {}
    if before.status not in OPEN and before.published_at is not None:
        leave_tombstones(submission=before, results=results, reason=reason)
        changes["published_at"] = None
    move(
        submission=submission,
        to=SubmissionStatus.WITHDRAWN,
        action=ReviewAction.WITHDRAW,
        by=by,
        reason=reason,
        changes=changes,
    )
    unrank(results)
    tell_of_withdrawal(submission=before, by=by, reason=reason)


@transaction.atomic
def delete(*, submission: Submission, by: User, reason: str = "") -> None:
    """Remove results and files. What was published leaves a tombstone (who, when, why); the rest goes entirely."""
    locked = lock(submission)
    unrank(Result.objects.filter(submission=locked))
    leave_tombstones(submission=locked, results=Result.objects.filter(submission=locked), reason=reason)
    lapse_disputes(results=Result.objects.filter(submission=locked), by=by)
    stored = [raw.storage_name for raw in locked.raw_files.all()]
    was_public = locked.published_at is not None
    locked.results.all().delete()
    locked.raw_files.all().delete()
    locked.versions.all().delete()
    locked.shares.all().delete()
    if was_public:
        before, locked.status = locked.status, SubmissionStatus.WITHDRAWN
        log_event(submission=locked, action=ReviewAction.DELETE, by=by, before=before, reason=reason)
        Submission.objects.filter(pk=locked.pk).update(
            deleted_at=timezone.now(), status=SubmissionStatus.WITHDRAWN, stated={}, redacted=[], note=""
        )
    else:
        log_event(submission=locked, action=ReviewAction.DELETE, by=by, before=locked.status, reason=reason)
        locked.delete()
    transaction.on_commit(partial(drop_unused_files, stored))


def move(
    *,
    submission: Submission,
    to: SubmissionStatus,
    action: ReviewAction,
    by: User | None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> None:
    """The one way to change a status: a conditional update along TRANSITIONS, and its audit line."""
    allowed = [state for state, following in TRANSITIONS.items() if to in following]
    before = Submission.objects.select_for_update().filter(pk=submission.pk).values_list("status", flat=True).first()
    moved = Submission.objects.filter(pk=submission.pk, status__in=allowed).update(status=to, **(changes or {}))
    if before is None or not moved:
        now = SubmissionStatus(before).label.lower() if before else "gone"
        raise SubmissionRefused(f"It is {now}, so it cannot become {to.label.lower()}.", field="status")
    submission.status = to
    log_event(submission=submission, action=action, by=by, before=before, reason=reason)


def lock(submission: Submission) -> Submission:
    """Its row, held until the transaction ends. Raises SubmissionRefused when it was deleted meanwhile."""
    locked = Submission.objects.select_for_update().filter(pk=submission.pk).first()
    if locked is None:
        raise SubmissionRefused("It was deleted meanwhile.", field="status")
    return locked


def _refuse_incomplete(submission: Submission) -> None:
    """A public result says at least which model ran on what."""
    for name in ("model_name", "hardware_name"):
        if submission.results.filter(**{name: ""}).exists():
            field = name.removesuffix("_name")
            raise SubmissionRefused(f"State the {field}: without it no table can rank the result.", field=field)


def _refuse_duplicates(submission: Submission) -> None:
    """Drafts don't stand in anyone's way, so the same measurement may have been handed in since it was read."""
    identities = submission.results.exclude(identity="").values("identity")
    given = Result.objects.filter(
        identity__in=identities, submission__status__in=COUNTED, submission__deleted_at=None
    ).exclude(submission=submission)
    twin = next(iter(name_results(given, to=submission.owner).values()), None)
    if twin is not None:
        raise SubmissionRefused(f"The same measurement was handed in meanwhile: {twin}.")


def new_submission(
    *,
    reading: Reading,
    owner: User,
    provenance: Provenance,
    visibility: Visibility,
    note: str = "",
    licence: str = Licence.CC_BY,
) -> Submission:
    """Store an upload and, when it is to be public and nothing essential is missing, hand it to review."""
    with files_with_rows(reading.documents), transaction.atomic():
        submission = store_reading(
            reading=reading, owner=owner, provenance=provenance, visibility=visibility, note=note, licence=licence
        )
        if visibility == Visibility.PUBLIC and not reading.lacks_essentials:
            submit(submission=submission, by=owner, visibility=visibility)
    return submission
