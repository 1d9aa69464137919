"""What stands where a published result was."""

from __future__ import annotations

from django.db.models import QuerySet

from leaderboard.models import Result, Submission, Tombstone


def leave_tombstones(*, submission: Submission, results: QuerySet[Result], reason: str) -> None:
    """One line per result that was public: that it was there, whose it was, and why it went.

    What came with new files, after the last approval, never was.
    """
    if submission.published_at is None:
        return
    results = results.filter(created_at__lte=submission.published_at)
    Tombstone.objects.bulk_create(
        (
            Tombstone(
                id=result.pk,
                submission_id=submission.pk,
                title=str(result)[:500],
                owner_id=submission.owner_id,
                reason=reason[:2000],
                published_at=submission.published_at,
            )
            for result in results.only("model_name", "hardware_name", "gpu_count")
        ),
        ignore_conflicts=True,
    )
