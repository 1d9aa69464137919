"""New files in place of a submission's old ones: figures made anew, addresses kept, the old version on record."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from leaderboard import checks
from leaderboard.models import (
    Finding,
    Measurement,
    Provenance,
    Result,
    ReviewAction,
    ScoreReview,
    ScoreReviewState,
    Submission,
    SubmissionStatus,
    SubmissionVersion,
    Trust,
)
from leaderboard.services.need import refresh_need
from leaderboard.services.ranking import unrank
from leaderboard.services.reading import CheckedResult, Reading
from leaderboard.services.settling import lapse_disputes
from leaderboard.services.steps import log_event
from leaderboard.services.storing import files_with_rows, result_row, store_documents, store_parts
from leaderboard.services.submissions import SIMULATED, SubmissionRefused, lock, move, refuse_blocked, refuse_upload
from leaderboard.services.tombstones import leave_tombstones

S = SubmissionStatus
BY_JOB = "A job of this site measured it, so its files stay as they came. Run the job again for other figures."
REPLACEABLE = (S.DRAFT, S.PENDING, S.CHANGES_REQUESTED, S.PUBLISHED)
#: what an old version keeps of each result
FIGURES = (
    "tokens_per_joule",
    "throughput_tokens_per_s",
    "energy_per_output_token_j",
    "itl_ms_p50",
    "avg_power_w",
    "peak_memory_mb",
)
#: equal in these, a new result is the old one measured again, and takes over its address
CONFIGURATION = ("model_name", "hardware_name", "gpu_count", "precision", "batch_size", "concurrency")
COLUMNS = [field.name for field in Result._meta.concrete_fields if field.name not in ("id", "created_at")]
ROWS_AT_ONCE = 100


def replace_files(*, submission: Submission, reading: Reading, by: User, reason: str) -> Submission:
    """Put what was read in the place of what the submission holds; a published one waits for review again.

    Results of the same configuration keep their id, so that links to them stay right; published ones without a
    successor leave a tombstone. Raises SubmissionRefused, Banned or OverQuota; nothing is changed then.
    """
    with files_with_rows(reading.documents), transaction.atomic():
        _replace(submission, reading, by, reason)
    submission.refresh_from_db()
    return submission


def _replace(submission: Submission, reading: Reading, by: User, reason: str) -> None:
    refuse_upload(by, size_bytes=sum(len(document.content) for document in reading.documents))
    locked = lock(submission)
    _refuse(locked, reading, reason)
    old = list(locked.results.select_related("model", "hardware"))
    unrank(Result.objects.filter(submission=locked))
    _keep_version(locked, old, reason)
    locked.version += 1
    locked.shape, locked.stated, locked.redacted = reading.shape[:40], reading.stated, reading.redacted
    locked.check_set, locked.is_simulated = checks.CHECK_SET, reading.is_simulated
    locked.save(update_fields=["version", "shape", "stated", "redacted", "check_set", "is_simulated"])
    store_documents(locked, reading.documents)
    _exchange(locked, old, reading.results, reason)
    _log(locked, by, reason)
    refresh_need(Submission.objects.filter(pk=locked.pk))


def _refuse(submission: Submission, reading: Reading, reason: str) -> None:
    if submission.status not in REPLACEABLE or submission.deleted_at is not None:
        now = submission.get_status_display().lower()
        raise SubmissionRefused(f"It is {now}: its files can no longer be replaced.", field="status")
    if submission.provenance == Provenance.JOB:
        raise SubmissionRefused(BY_JOB, field="file")
    if reading.is_simulated and submission.status != S.DRAFT:
        raise SubmissionRefused(SIMULATED, field="file")
    if not reason.strip():
        raise SubmissionRefused("Say why the files are replaced: it stays in the history.", field="reason")
    refuse_blocked(reading.results)
    if submission.status in (S.PENDING, S.PUBLISHED) and reading.lacks_essentials:
        lacking = " and the ".join(reading.lacks_essentials)
        raise SubmissionRefused(f"The new files lack the {lacking}: without it no table can rank them.", field="file")


def _keep_version(submission: Submission, results: Sequence[Result], reason: str) -> None:
    SubmissionVersion.objects.create(
        submission=submission,
        number=submission.version,
        shape=submission.shape,
        reason=reason.strip()[:2000],
        results=[version_row(result) for result in results],
    )


def version_row(result: Result) -> dict[str, Any]:
    """A result as a version keeps it."""
    figures = {name: value for name in FIGURES if (value := getattr(result, name)) is not None}
    return {"id": str(result.pk), "title": str(result), "trust": Trust(result.trust).code, **figures}


def _exchange(submission: Submission, old: Sequence[Result], checked: Sequence[CheckedResult], reason: str) -> None:
    new = [result_row(submission, position, one) for position, one in enumerate(checked)]
    taken = _take_over(old, new)
    gone = Result.objects.filter(submission=submission).exclude(pk__in=taken)
    leave_tombstones(submission=submission, results=gone, reason=f"replaced: {reason.strip()}")
    lapse_disputes(results=gone, by=submission.owner)
    gone.delete()
    Measurement.objects.filter(result__submission=submission).delete()
    Finding.objects.filter(result__submission=submission).delete()
    # What they ask about are figures that are no longer there.
    ScoreReview.objects.filter(result__submission=submission, state=ScoreReviewState.OPEN).delete()
    Result.objects.bulk_update([row for row in new if row.pk in taken], COLUMNS, batch_size=ROWS_AT_ONCE)
    Result.objects.bulk_create([row for row in new if row.pk not in taken])
    store_parts(new, checked)


def _take_over(old: Sequence[Result], new: Sequence[Result]) -> set[UUID]:
    """Give each new result the id of the old one of its configuration, in order; returns the ids that live on."""
    free: defaultdict[tuple[Any, ...], deque[UUID]] = defaultdict(deque)
    for result in old:
        free[_configuration(result)].append(result.pk)
    taken: set[UUID] = set()
    for result in new:
        if ids := free.get(_configuration(result)):
            result.pk = ids.popleft()
            taken.add(result.pk)
    return taken


def _configuration(result: Result) -> tuple[Any, ...]:
    """Names that mean the same are the same."""
    means = {"model_name": result.model_id, "hardware_name": result.hardware_id}
    return tuple(means.get(name) or getattr(result, name) for name in CONFIGURATION)


def _log(submission: Submission, by: User, reason: str) -> None:
    if submission.status == S.PUBLISHED:
        move(submission=submission, to=S.PENDING, action=ReviewAction.REPLACE, by=by, reason=reason.strip())
    else:
        before = submission.status
        log_event(submission=submission, action=ReviewAction.REPLACE, by=by, before=before, reason=reason.strip())
