"""What holds of the tables, the files and the log whatever was done, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef
from django.http import QueryDict

from leaderboard.board import parse_board_query
from leaderboard.metrics import RANKED, Better
from leaderboard.models import (
    BestResult,
    Dispute,
    DisputeState,
    RawFile,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    UploadBatch,
)
from leaderboard.queries.facets import count_facets, facet_counts
from leaderboard.services.batches import OPEN_STATES
from leaderboard.services.ranking import CELL, rankable

S = SubmissionStatus


def assert_sound() -> None:
    """Every line of the list below holds now."""
    wrong = [f"{check.__name__[1:]}: {found}" for check in CHECKS if (found := list(check()))]
    assert not wrong, "\n".join(wrong)


def _only_what_is_published_is_ranked() -> Iterator[Any]:
    yield from Result.objects.filter(is_ranked=True).exclude(pk__in=rankable(Result.objects.all()).values("pk"))


def _all_that_is_published_is_ranked() -> Iterator[Any]:
    yield from rankable(Result.objects.filter(is_ranked=False))


def _the_best_of_each_cell_is_kept() -> Iterator[Any]:
    best: dict[Any, Any] = {}
    for row in Result.objects.filter(is_ranked=True).values("pk", *CELL, *RANKED):
        cell = tuple(0 if row[name] is None else row[name] for name in CELL)
        for metric, better in RANKED.items():
            if row[metric] is not None:
                score = row[metric] if better == Better.HIGHER else -row[metric]
                best[metric, cell] = max(best.get((metric, cell), (score, row["pk"])), (score, row["pk"]))
    kept = {
        (row["metric"], tuple(row[name] for name in CELL)): (row["score"], row["result_id"])
        for row in BestResult.objects.values("metric", "score", "result_id", *CELL)
    }
    yield from {key for key in best.keys() | kept.keys() if best.get(key) != kept.get(key)}


def _facets_are_counted_anew() -> Iterator[Any]:
    query = parse_board_query(QueryDict("min_trust=T1"))
    if facet_counts(query) != count_facets(query):
        yield "kept counts are stale"


def _every_file_has_its_row_and_every_row_its_file() -> Iterator[Any]:
    rows = {raw.storage_name for raw in RawFile.objects.all()}
    yield from rows ^ {f"raw/{start}/{name}" for start in _folders("raw") for name in _files(f"raw/{start}")}


def _uploads_are_kept_while_a_batch_is_open() -> Iterator[Any]:
    waiting = UploadBatch.objects.filter(state__in=OPEN_STATES)
    rows = {upload["stored_as"] for batch in waiting for upload in batch.uploads}
    yield from rows ^ {f"batches/{pk}/{name}" for pk in _folders("batches") for name in _files(f"batches/{pk}")}


def _what_is_deleted_holds_nothing() -> Iterator[Any]:
    for submission in Submission.objects.filter(deleted_at__isnull=False):
        yield from submission.results.all()
        yield from submission.raw_files.all()


def _what_is_private_belongs_to_somebody_who_is_there() -> Iterator[Any]:
    public = Submission.objects.public().values("pk")
    yield from Submission.objects.filter(owner__is_active=False, deleted_at=None).exclude(pk__in=public)


def _the_log_ends_where_the_submission_stands() -> Iterator[Any]:
    for submission in Submission.objects.prefetch_related("events"):
        events = list(submission.events.order_by("created_at", "pk"))
        if events and events[-1].to_status != submission.status:
            yield submission.pk, submission.status, [str(event) for event in events]
        for before, after in pairwise(events):
            if before.to_status != after.from_status:
                yield submission.pk, f"{before} then {after}"


def _nothing_is_published_unseen() -> Iterator[Any]:
    """After the files were replaced, there is an approval before anything is public."""
    later = ReviewEvent.objects.filter(submission=OuterRef("submission"), action=ReviewAction.APPROVE)
    replaced = ReviewEvent.objects.filter(
        action=ReviewAction.REPLACE, submission__status=S.PUBLISHED, submission__in=Submission.objects.all()
    )
    yield from replaced.exclude(Exists(later.filter(pk__gt=OuterRef("pk"))))


def _a_dispute_that_is_looked_into_is_about_something_disputed() -> Iterator[Any]:
    yield from Dispute.objects.filter(state=DisputeState.TAKEN_UP).exclude(
        result__submission__status__in=(S.DISPUTED, S.WITHDRAWN)
    )


CHECKS: tuple[Callable[[], Iterator[Any]], ...] = (
    _only_what_is_published_is_ranked,
    _all_that_is_published_is_ranked,
    _the_best_of_each_cell_is_kept,
    _facets_are_counted_anew,
    _every_file_has_its_row_and_every_row_its_file,
    _uploads_are_kept_while_a_batch_is_open,
    _what_is_deleted_holds_nothing,
    _what_is_private_belongs_to_somebody_who_is_there,
    _the_log_ends_where_the_submission_stands,
    _nothing_is_published_unseen,
    _a_dispute_that_is_looked_into_is_about_something_disputed,
)


def _folders(path: str) -> list[str]:
    return default_storage.listdir(path)[0] if default_storage.exists(path) else []


def _files(path: str) -> list[str]:
    return default_storage.listdir(path)[1]
