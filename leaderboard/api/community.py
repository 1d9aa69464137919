"""Comments and disputes as the API takes and answers them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from rest_framework import serializers
from rest_framework import status as http
from rest_framework.request import Request

from accounts.models import User
from accounts.services.bans import Banned
from leaderboard.api.serializers import StrictSerializer
from leaderboard.models import Comment, Dispute, DisputeState
from leaderboard.presenting.community import may_read
from leaderboard.services.quotas import OverQuota
from leaderboard.services.steps import Refused
from lemsite.lib.api_errors import ApiError


class CommentSerializer(serializers.Serializer[Any]):
    """A remark on a result."""

    id = serializers.IntegerField()
    result = serializers.UUIDField()
    author = serializers.CharField(allow_null=True, help_text="user name; null for a deleted account")
    text = serializers.CharField(allow_null=True, help_text="Markdown; null where it is deleted, or hidden from you")
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="by its author")
    hidden_reason = serializers.CharField(allow_null=True, help_text="why a moderator hid it; null where none did")
    url = serializers.URLField(help_text="its place on the page of the result")


class CommentTextSerializer(StrictSerializer):
    """What one writes."""

    text = serializers.CharField(trim_whitespace=False, help_text="Markdown, at most 5,000 characters")


class DisputeSerializer(serializers.Serializer[Any]):
    """A reader's claim that a result is wrong, and how it ended."""

    id = serializers.IntegerField()
    result = serializers.UUIDField()
    raised_by = serializers.CharField(
        allow_null=True, help_text="user name; null for a deleted account, and for the site after a rerun of its own"
    )
    reason = serializers.CharField(help_text="Markdown")
    evidence_url = serializers.URLField(allow_null=True)
    state = serializers.ChoiceField(DisputeState.choices)
    created_at = serializers.DateTimeField()
    resolution = serializers.CharField(allow_null=True, help_text="Markdown; null while it runs")
    resolved_by = serializers.CharField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField(help_text="its place on the page of the result")


class DisputeReasonSerializer(StrictSerializer):
    """What is wrong, and how one knows."""

    reason = serializers.CharField(trim_whitespace=False, help_text="Markdown, at most 4,000 characters")
    evidence_url = serializers.CharField(required=False, allow_blank=True, help_text="begins with https://")


def comment_body(comment: Comment, request: Request, reader: User | AnonymousUser) -> dict[str, Any]:
    return {
        "id": comment.pk,
        "result": str(comment.result_id),
        "author": _name(comment.author),
        "text": comment.text if may_read(comment, reader) else None,
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "deleted_at": comment.deleted_at,
        "hidden_reason": comment.hidden_reason if comment.hidden_at else None,
        "url": request.build_absolute_uri(reverse("leaderboard:comment", args=[comment.pk])),
    }


def dispute_body(dispute: Dispute, request: Request) -> dict[str, Any]:
    page = reverse("leaderboard:result", args=[dispute.result_id])
    return {
        "id": dispute.pk,
        "result": str(dispute.result_id),
        "raised_by": _name(dispute.raised_by),
        "reason": dispute.reason,
        "evidence_url": dispute.evidence_url or None,
        "state": dispute.state,
        "created_at": dispute.created_at,
        "resolution": dispute.resolution or None,
        "resolved_by": _name(dispute.resolved_by),
        "resolved_at": dispute.resolved_at,
        "url": request.build_absolute_uri(f"{page}#dispute-{dispute.pk}"),
    }


@contextmanager
def refuse_words() -> Iterator[None]:
    """400 for a text that is not right, 403 for the banned, 409 for the wrong moment, 429 for too much in a day."""
    try:
        yield
    except Banned as error:
        raise ApiError(http.HTTP_403_FORBIDDEN, str(error)) from None
    except OverQuota as error:
        refusal = ApiError(http.HTTP_429_TOO_MANY_REQUESTS, error.message)
        refusal.wait = error.retry_after_s  # DRF makes Retry-After of it
        raise refusal from None
    except Refused as error:
        if not error.field:
            raise ApiError(http.HTTP_409_CONFLICT, error.message) from None
        raise ApiError(http.HTTP_400_BAD_REQUEST, error.message, {error.field: error.message}) from None


def _name(person: User | None) -> str | None:
    return None if person is None or person.deleted_at is not None else person.username
