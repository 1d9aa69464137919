"""Results and submissions with all that the API answers about them, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Prefetch, QuerySet

from accounts.models import User
from leaderboard.board import MAX_LIMIT, BoardQuery
from leaderboard.models import (
    RawFile,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    SubmissionStatus,
    Visibility,
)
from leaderboard.queries.board import board_results

#: deferred by board_results, and answered by lists of the API all the same
LISTED = ("origins", "notes", "submission__status", "submission__licence")


def detailed_results() -> QuerySet[Result]:
    return Result.objects.select_related("model", "hardware", "backend", "submission").prefetch_related(
        "findings", "measurements"
    )


def in_review_again(pk: UUID) -> tuple[Result, datetime] | None:
    """A result that was public until its files were replaced, and waits for a moderator since then."""
    waiting = Result.objects.filter(
        pk=pk,
        submission__status__in=(SubmissionStatus.PENDING, SubmissionStatus.CHANGES_REQUESTED),
        submission__visibility=Visibility.PUBLIC,
        submission__deleted_at=None,
        # What came with the new files was never public.
        submission__published_at__gte=F("created_at"),
    )
    result = waiting.select_related("submission__owner").first()
    if result is None:
        return None
    replaced = ReviewEvent.objects.filter(
        submission=result.submission_id, action=ReviewAction.REPLACE, from_status=SubmissionStatus.PUBLISHED
    )
    event = replaced.order_by("-created_at", "-pk").first()
    return (result, event.created_at) if event else None


def detailed_submissions() -> QuerySet[Submission]:
    return Submission.objects.select_related("owner").prefetch_related(
        Prefetch("raw_files", RawFile.objects.filter(version=F("submission__version"))),
        "results__model",
        "results__hardware",
        "results__backend",
        "results__findings",
        "results__measurements",
    )


def listed_submissions(*, of: User | AnonymousUser) -> QuerySet[Submission]:
    """The person's own, with what a list says of their results."""
    return _with_trust(Submission.objects.owned_by(of))


def public_submissions(*, of: User) -> QuerySet[Submission]:
    """What the person made public, the same for whoever asks."""
    return _with_trust(Submission.objects.public().filter(owner=of))


def _with_trust(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    lean = Result.objects.only("submission", "trust")
    return submissions.select_related("owner").prefetch_related(Prefetch("results", lean))


def complete(results: Sequence[Result]) -> Sequence[Result]:
    """Fetch what a board leaves out, for all rows in one query."""
    rows = Result.objects.filter(pk__in=[result.pk for result in results]).values("pk", *LISTED)
    found = {row["pk"]: row for row in rows}
    for result in results:
        row = found[result.pk]
        result.origins, result.notes = row["origins"], row["notes"]
        result.submission = Submission(
            pk=result.submission_id, status=row["submission__status"], licence=row["submission__licence"]
        )
    return results


def board_rows(query: BoardQuery, most: int) -> Iterator[Result]:
    """The results of a board in its order, page after page, at most `most`: memory holds one page."""
    return islice(_pages(replace(query, limit=min(MAX_LIMIT, most))), most)


def _pages(query: BoardQuery) -> Iterator[Result]:
    while True:
        page = board_results(query)
        yield from _with_licence(page.results)
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def files_visible_to(user: User | AnonymousUser, submission: Submission) -> QuerySet[RawFile]:
    """The files of the present version; its owner and moderators see those that were replaced, too."""
    files = RawFile.objects.filter(submission=submission)
    is_inside = user.is_authenticated and (submission.owner_id == user.pk or user.is_moderator)
    return files if is_inside else files.filter(version=submission.version)


def _with_licence(results: Sequence[Result]) -> Sequence[Result]:
    """Each row says under which terms it may be used; one query for all."""
    licences = dict(
        Submission.objects.filter(pk__in={result.submission_id for result in results}).values_list("pk", "licence")
    )
    for result in results:
        result.submission = Submission(pk=result.submission_id, licence=licences[result.submission_id])
    return results


def raw_file_of(result: Result) -> RawFile | None:
    """The stored file that the result was read from; its `file` may carry a place inside that file."""
    files = RawFile.objects.filter(submission=result.submission_id, version=result.submission.version)
    names = sorted((raw.name for raw in files if result.file.startswith(raw.name)), key=len)
    return files.filter(name=names[-1]).first() if names else None
