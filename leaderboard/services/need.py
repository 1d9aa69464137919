"""Keeps `Submission.need`, by which the queue is ordered."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from leaderboard.models import Submission
from leaderboard.queries.need import count_needs, need_of

#: ids in one statement: SQLite takes 32,766 parameters
IDS_AT_ONCE = 10_000


@transaction.atomic
def refresh_need(submissions: QuerySet[Submission]) -> None:
    """Compute the need of each anew. One UPDATE for all that share a need, however many submissions there are."""
    alike: defaultdict[int, list[UUID]] = defaultdict(list)
    for pk, needs in count_needs(submissions).items():
        alike[need_of(needs)].append(pk)
    for need, ids in alike.items():
        for start in range(0, len(ids), IDS_AT_ONCE):
            Submission.objects.filter(pk__in=ids[start : start + IDS_AT_ONCE]).exclude(need=need).update(need=need)
