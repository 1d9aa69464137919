"""How much one person may give in a day. Counted in the database under the person's row lock, so that requests at the
same moment cannot pass together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Min, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from accounts.services.bans import Banned
from leaderboard.models import (
    Comment,
    CommentReport,
    Dispute,
    RawFile,
    ReviewAction,
    ReviewEvent,
    Submission,
    UploadBatch,
)

DAY = timedelta(days=1)


class Quota(StrEnum):
    UPLOADS = "uploads"
    BYTES = "bytes"
    COMMENTS = "comments"
    DISPUTES = "disputes"
    REPORTS = "reports"


LIMITS: dict[Quota, int] = {
    Quota.UPLOADS: 50,
    Quota.BYTES: 1 << 30,
    Quota.COMMENTS: 100,
    Quota.DISPUTES: 10,
    Quota.REPORTS: 30,
}
_WORDS: Mapping[Quota, Callable[[int], str]] = {
    Quota.UPLOADS: lambda most: f"{most} uploads",
    Quota.BYTES: lambda most: f"{most >> 20:,} MiB of files",
    Quota.COMMENTS: lambda most: f"{most} comments",
    Quota.DISPUTES: lambda most: f"{most} disputes",
    Quota.REPORTS: lambda most: f"{most} reports of comments",
}


class OverQuota(ValueError):
    """The day's share is used up; the message says which and when more is possible."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        self.message, self.retry_after_s = message, retry_after_s
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Used:
    amount: int
    #: when the first of what counts was given; None when nothing was
    first: datetime | None


@transaction.atomic
def refuse_over_quota(*, user: User, what: str, adding: int = 1) -> None:
    """Raise OverQuota when `adding` more of `what` (a Quota) would be too much for the last 24 hours.

    Call it inside the transaction that writes: the person's row stays locked until that ends.
    """
    quota = Quota(what)
    now = timezone.now()
    lock_person(user)
    used = _COUNTERS[quota](user, now - DAY)
    if used.amount + adding <= LIMITS[quota]:
        return
    wait = DAY if used.first is None else max(used.first + DAY - now, timedelta(seconds=1))
    words = _WORDS[quota](LIMITS[quota])
    raise OverQuota(
        f"At most {words} in 24 hours; more is possible from {now + wait:%Y-%m-%d %H:%M} UTC on.",
        retry_after_s=int(wait.total_seconds()) + 1,
    )


def lock_person(user: User) -> None:
    """Hold the person's row until the transaction ends. Raises Banned when the account was closed meanwhile.

    Always before a submission or a batch of theirs, as where an account is deleted. Rows that name the person can
    still be written by others.
    """
    if not User.objects.select_for_update(no_key=True).get(pk=user.pk).is_active:
        raise Banned("This account is closed.")


def _used_uploads(user: User, since: datetime) -> _Used:
    """Drafts, replacements, what is still being read, and what was deleted meanwhile: deleting gives no new share."""
    given = Submission.objects.filter(owner=user, created_at__gte=since)
    batches = UploadBatch.objects.filter(owner=user, created_at__gte=since, submission=None)
    events = ReviewEvent.objects.filter(actor=user, created_at__gte=since)
    deleted = events.filter(action=ReviewAction.DELETE).exclude(submission__in=Submission.objects.all())
    counted: list[QuerySet[Submission] | QuerySet[UploadBatch] | QuerySet[ReviewEvent]] = [
        given,
        batches,
        events.filter(action=ReviewAction.REPLACE),
        deleted,
    ]
    firsts = [first for rows in counted if (first := _first(rows)) is not None]
    return _Used(sum(rows.count() for rows in counted), min(firsts, default=None))


def _used_bytes(user: User, since: datetime) -> _Used:
    replaced = ReviewEvent.objects.filter(actor=user, action=ReviewAction.REPLACE, created_at__gte=since)
    given = Submission.objects.filter(owner=user)
    recent = given.filter(created_at__gte=since) | given.filter(pk__in=replaced.values("submission"))
    stored = RawFile.objects.filter(submission__in=recent.values("pk")).aggregate(n=Sum("size_bytes"))["n"] or 0
    waiting = UploadBatch.objects.filter(owner=user, created_at__gte=since, submission=None)
    size = sum(
        upload.get("size_bytes", 0) for uploads in waiting.values_list("uploads", flat=True) for upload in uploads
    )
    firsts = [first for rows in (recent.filter(created_at__gte=since), waiting) if (first := _first(rows)) is not None]
    return _Used(stored + size, min(firsts, default=None))


def _used_comments(user: User, since: datetime) -> _Used:
    rows = Comment.objects.filter(author=user, created_at__gte=since)
    return _Used(rows.count(), _first(rows))


def _used_disputes(user: User, since: datetime) -> _Used:
    rows = Dispute.objects.filter(raised_by=user, created_at__gte=since)
    return _Used(rows.count(), _first(rows))


def _used_reports(user: User, since: datetime) -> _Used:
    rows = CommentReport.objects.filter(raised_by=user, created_at__gte=since)
    return _Used(rows.count(), _first(rows))


def _first(
    rows: QuerySet[Submission]
    | QuerySet[UploadBatch]
    | QuerySet[ReviewEvent]
    | QuerySet[Comment]
    | QuerySet[CommentReport]
    | QuerySet[Dispute],
) -> datetime | None:
    first: datetime | None = rows.order_by().aggregate(first=Min("created_at"))["first"]
    return first


_COUNTERS: Mapping[Quota, Callable[[User, datetime], _Used]] = {
    Quota.UPLOADS: _used_uploads,
    Quota.BYTES: _used_bytes,
    Quota.COMMENTS: _used_comments,
    Quota.DISPUTES: _used_disputes,
    Quota.REPORTS: _used_reports,
}
