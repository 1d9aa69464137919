"""Who sees and changes what. A stranger gets 404 for what is not public, as if it were not there."""

from __future__ import annotations

from typing import TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import status as http
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.permissions import CanSubmit
from accounts.models import ApiToken, Scope, User
from leaderboard.models import Result, Submission, Tombstone
from leaderboard.queries.results import in_review_again
from lemsite.lib.api_errors import ApiError

Row = TypeVar("Row", Submission, Result)
_SUBMISSION_OF = {"Submission": "pk__in", "Result": "submission__in"}


class PublicReads(APIView):
    """Everyone may read what is public; writing needs a token with the scope submit."""

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method in SAFE_METHODS else [CanSubmit()]


def find_visible(request: Request, rows: QuerySet[Row], pk: UUID) -> Row:
    """The row if this reader may see it, else 404; 403 where only the token's scope is in the way."""
    submissions = Submission.objects.visible_to(reader(request))
    found = _within(rows, submissions).filter(pk=pk).first()
    if found is not None:
        return found
    if request.user.is_authenticated and _within(rows, Submission.objects.visible_to(request.user)).filter(pk=pk):
        raise PermissionDenied("The token lacks the scope read.")
    return get_object_or_404(rows.none(), pk=pk)


def refuse_gone(request: Request, pk: UUID) -> None:
    """410 where a published result was, saying what it was, whose, when it went and why; 409 while it is away only
    because its files were replaced and wait for a moderator.
    """
    if Result.objects.visible_to(reader(request)).filter(pk=pk).exists():
        return
    held = in_review_again(pk)
    if held is not None:
        message = f"It is being reviewed again since {held[1]:%Y-%m-%d}: its files were replaced."
        raise ApiError(http.HTTP_409_CONFLICT, message)
    stone = Tombstone.objects.select_related("owner").filter(pk=pk).first()
    if stone is None:
        return
    raise ApiError(
        http.HTTP_410_GONE,
        f"This result was published and is gone since {stone.gone_at:%Y-%m-%d}: {stone.reason or 'no reason given'}",
        extra={
            "tombstone": {
                "id": str(stone.pk),
                "title": stone.title,
                "owner": stone.owner.username if stone.owner and stone.owner.deleted_at is None else None,
                "published_at": stone.published_at,
                "gone_at": stone.gone_at,
                "reason": stone.reason,
            }
        },
    )


def find_own(request: Request, rows: QuerySet[Row], pk: UUID) -> Row:
    """The row if it is the caller's own, else 404."""
    return get_object_or_404(_within(rows, Submission.objects.owned_by(request.user)), pk=pk)


def reader(request: Request) -> User | AnonymousUser:
    """The caller as a reader: without the scope read a token sees what everyone sees."""
    may_read = isinstance(request.auth, ApiToken) and request.auth.allows(Scope.READ)
    return request.user if may_read else AnonymousUser()


def owner(request: Request) -> User:
    """The caller of a writing endpoint, which its permission has established."""
    return cast(User, request.user)


def _within(rows: QuerySet[Row], submissions: QuerySet[Submission]) -> QuerySet[Row]:
    column = _SUBMISSION_OF[rows.model.__name__]
    return rows.filter(**{column: submissions.values("pk")})
