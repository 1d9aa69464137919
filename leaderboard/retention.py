"""What of the leaderboard is not kept for ever: only what was on its way. Results, drafts and short links stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from leaderboard.models import BatchState, FacetCounts, UploadBatch
from lemsite.lib.pruning import Rule, older_than

COUNTS_KEPT = timedelta(days=7)


def old_batches(now: datetime) -> QuerySet[UploadBatch]:
    """Those that were read; the draft that was made of one stays."""
    before = older_than(settings.KEEP_BATCHES_DAYS, now)
    over = UploadBatch.objects.filter(state__in=(BatchState.DONE, BatchState.FAILED))
    return over.filter(finished_at__lt=before) if before else over.none()


def old_counts(now: datetime) -> QuerySet[FacetCounts]:
    return FacetCounts.objects.filter(counted_at__lt=now - COUNTS_KEPT)


RULES = (
    Rule("upload batches that were read", old_batches),
    Rule("counts of filters that nobody asks for", old_counts),
)
