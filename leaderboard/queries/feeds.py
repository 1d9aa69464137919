"""What feeds show: the newest public results that pass the filters of a board."""

from __future__ import annotations

from django.db.models import QuerySet

from leaderboard.board import BoardQuery
from leaderboard.models import Result, SubmissionStatus, Visibility
from leaderboard.queries.board import HEAVY, filtered_results

FEED_SIZE = 60


def newest_results(query: BoardQuery) -> QuerySet[Result]:
    """Newest published first. `is_ranked` says all of this, and a feed is copied where nobody can take it back."""
    public = filtered_results(query).filter(
        submission__status=SubmissionStatus.PUBLISHED,
        submission__visibility=Visibility.PUBLIC,
        submission__deleted_at=None,
        submission__published_at__isnull=False,
    )
    rows = public.select_related("model", "hardware", "backend", "submission__owner").defer(*HEAVY)
    return rows.order_by("-submission__published_at", "-submission_id", "position")[:FEED_SIZE]
