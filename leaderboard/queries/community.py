"""Reads of comments and disputes."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

from accounts.models import User
from leaderboard.models import Comment, CommentReport, Dispute, DisputeState, Result, Share, Submission, Visibility

#: states in which a dispute waits for somebody
RUNNING = (DisputeState.OPEN, DisputeState.TAKEN_UP)
MODERATE = "accounts.moderate"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def discussed_results(user: User | AnonymousUser) -> QuerySet[Result]:
    """Those that this person may comment on: public ones, and private ones that are shared."""
    submissions = Submission.objects.visible_to(user)
    shared = Q(visibility=Visibility.PRIVATE, pk__in=Share.objects.values("submission"))
    public = Q(pk__in=Submission.objects.public().values("pk"))
    return Result.objects.filter(submission__in=submissions.filter(public | shared))


def comments_visible_to(user: User | AnonymousUser) -> QuerySet[Comment]:
    return Comment.objects.filter(result__submission__in=Submission.objects.visible_to(user))


def thread_of(result: Result, user: User | AnonymousUser) -> QuerySet[Comment]:
    """The comments on one result, oldest first, with what a page says of each."""
    mine = CommentReport.objects.filter(comment=OuterRef("pk"), raised_by=user.pk if user.is_authenticated else None)
    return Comment.objects.filter(result=result).select_related("author").annotate(is_reported_by_me=Exists(mine))


def disputes_of(result: Result) -> QuerySet[Dispute]:
    """The disputes about one result: those that run first, then the newest."""
    is_over = Case(When(state__in=RUNNING, then=0), default=1)
    rows = Dispute.objects.filter(result=result).select_related("raised_by", "resolved_by")
    return rows.order_by(is_over, "-created_at", "-pk")


def public_disputes() -> QuerySet[Dispute]:
    """Every dispute that was raised; the results were public then, and what was public does not become private."""
    rows = Dispute.objects.filter(Q(result=None) | Q(result__submission__visibility=Visibility.PUBLIC))
    return rows.select_related("raised_by", "resolved_by", "result__model", "result__hardware")


def disputed_among(results: Collection[Result]) -> set[UUID]:
    """Which of these have a running dispute. One query."""
    ids = [result.pk for result in results]
    return set(Dispute.objects.filter(result__in=ids, state__in=RUNNING).values_list("result", flat=True))


def active_moderators() -> QuerySet[User]:
    return User.objects.with_perm(MODERATE, backend=MODEL_BACKEND)


def people_in_thread(result: Result) -> QuerySet[User]:
    """The owner and everyone whose comment stands, as far as they may still see the result."""
    authors = Comment.objects.filter(result=result, deleted_at=None).values("author")
    people = User.objects.filter(Q(pk__in=authors) | Q(pk=result.submission.owner_id), is_active=True)
    if result.submission.is_public:
        return people
    shared = Share.objects.filter(submission=result.submission_id).values("user")
    return people.filter(Q(pk__in=shared) | Q(pk=result.submission.owner_id))
