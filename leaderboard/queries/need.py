"""Why a moderator is needed: what orders the queue, and the words that say why a submission stands where it does."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet

from leaderboard.board import DEFAULT_MIN_TRUST, BoardQuery
from leaderboard.metrics import PRIMARY
from leaderboard.models import (
    BestResult,
    Dispute,
    Finding,
    Result,
    ScoreReview,
    ScoreReviewState,
    Submission,
    SubmissionStatus,
)
from leaderboard.queries.board import board_results
from leaderboard.queries.community import RUNNING

#: a submission in one of these waits for a moderator, whatever else is open about it
WAITING = (SubmissionStatus.PENDING, SubmissionStatus.DISPUTED)
TOP = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why a moderator is needed: what each of it weighs, how many of it count, and its words."""

    weight: int
    most: int
    one: str
    many: str = ""

    def words(self, number: int) -> str:
        return f"{number:,} {self.one if number == 1 else self.many}" if self.many else self.one


#: The one table behind the queue's order; docs/moderation.md shows it. What is public and may be wrong comes first,
#: then what would be seen most, what the checks leave to people, and owners whom nobody knows yet.
REASONS: Mapping[str, Reason] = {
    "disputed": Reason(300, 1, "disputed"),
    "dispute": Reason(200, 5, "open dispute", "open disputes"),
    "score-review": Reason(100, 3, "new score to judge", "new scores to judge"),
    "top": Reason(60, 1, f"would be in a top {TOP}"),
    "review": Reason(20, 5, "for review", "for review"),
    "newcomer": Reason(15, 1, "new contributor"),
    "warning": Reason(1, 10, "warning", "warnings"),
}
#: reason -> how often it holds
Needs = Counter[str]
Board = tuple[str, Any]


def need_of(needs: Needs) -> int:
    return sum(reason.weight * min(needs[name], reason.most) for name, reason in REASONS.items())


def need_words(needs: Needs) -> str:
    """ "disputed, 2 for review", the weightiest first."""
    return ", ".join(reason.words(needs[name]) for name, reason in REASONS.items() if needs[name])


def waiting(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """Those that wait for a moderator: pending, disputed, or published with a dispute or a new score that is open."""
    opened = Dispute.objects.filter(state__in=RUNNING).order_by().values_list("result__submission")
    rescored = ScoreReview.objects.filter(state=ScoreReviewState.OPEN).order_by().values_list("result__submission")
    # Few, and as values an index finds them; as a sub-query beside OR every submission would be read.
    others = [pk for (pk,) in opened.union(rescored)]
    return submissions.filter(Q(status__in=WAITING) | Q(pk__in=others), deleted_at=None)


def count_needs(submissions: QuerySet[Submission]) -> dict[UUID, Needs]:
    """For each submission why it needs a moderator; nine queries at most, however many there are."""
    chosen = Submission.objects.order_by().filter(pk__in=submissions.values("pk"))
    needs: dict[UUID, Needs] = {pk: Counter() for pk in chosen.values_list("pk", flat=True)}
    for name, rows in _counted(chosen).items():
        for pk, number in rows.values_list("submission_key").annotate(n=Count("pk", distinct=True)):
            needs[pk][name] = number
    for pk in chosen.filter(status=SubmissionStatus.DISPUTED).values_list("pk", flat=True):
        needs[pk]["disputed"] = 1
    pending = chosen.filter(status=SubmissionStatus.PENDING)
    for pk in _of_newcomers(pending):
        needs[pk]["newcomer"] = 1
    for pk in _for_the_top(pending):
        needs[pk]["top"] = 1
    return needs


def _counted(chosen: QuerySet[Submission]) -> dict[str, QuerySet[Any]]:
    """The rows behind the reasons that are counted, each with its submission; findings count by result."""
    in_chosen = {"result__submission__in": chosen}
    disputes = Dispute.objects.filter(state__in=RUNNING, **in_chosen)
    scores = ScoreReview.objects.filter(state=ScoreReviewState.OPEN, **in_chosen)
    findings = Finding.objects.filter(result__submission__in=chosen.filter(status__in=WAITING))
    rows: dict[str, QuerySet[Any]] = {
        "dispute": disputes,
        "score-review": scores,
        "review": findings.filter(severity=Finding.Severity.REVIEW),
        "warning": findings.filter(severity=Finding.Severity.WARN),
    }
    return {name: each.order_by().annotate(submission_key=F("result__submission")) for name, each in rows.items()}


def _of_newcomers(pending: QuerySet[Submission]) -> set[UUID]:
    """Those whose owner has published nothing yet."""
    owners = dict(pending.exclude(owner=None).values_list("pk", "owner"))
    published = Submission.objects.filter(owner__in=pending.values("owner"), published_at__isnull=False)
    known = set(published.order_by().values_list("owner", flat=True).distinct())
    return {pk for pk, owner in owners.items() if owner not in known}


def _for_the_top(pending: QuerySet[Submission]) -> set[UUID]:
    """Those with a result that, approved, would be among the first of the leaderboard, of its GPU or of its model."""
    rows = Result.objects.filter(
        submission__in=pending,
        trust__gte=DEFAULT_MIN_TRUST,
        model__isnull=False,
        hardware__isnull=False,
        backend__isnull=False,
        **{f"{PRIMARY}__isnull": False},
    )
    results = list(rows.order_by().values_list("submission", "hardware", "model", PRIMARY))
    if not results:
        return set()
    entry = _entry_scores({row[1] for row in results}, {row[2] for row in results})
    return {row[0] for row in results if row[3] >= min(entry.get(board, math.inf) for board in _boards(row[1], row[2]))}


def _boards(hardware: int, model: int) -> tuple[Board, ...]:
    return ("all", None), ("hardware", hardware), ("model", model)


def _entry_scores(hardware: Iterable[int], models: Iterable[int]) -> dict[Board, float]:
    """Board -> what it takes to be among its first. One with fewer results has no top yet, except the whole one."""
    cells = BestResult.objects.filter(
        Q(hardware__in=hardware) | Q(model__in=models), metric=PRIMARY, trust__gte=DEFAULT_MIN_TRUST
    )
    boards: defaultdict[Board, list[float]] = defaultdict(list)
    groups = cells.values_list("hardware", "model", "gpu_count", "energy_scope").annotate(best=Max("score"))
    for gpu, model, _, _, best in groups:
        boards["hardware", gpu].append(best)
        boards["model", model].append(best)
    entry = {board: sorted(scores)[-TOP] for board, scores in boards.items() if len(scores) >= TOP}
    first = board_results(BoardQuery(limit=TOP)).results
    values = [getattr(result, PRIMARY) for result in first]
    return {**entry, ("all", None): min(values) if len(values) == TOP else -math.inf}
