"""/api/submissions: what one POST made, and what became of it."""

from __future__ import annotations

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.permissions import CanRead
from leaderboard.api.access import PublicReads, find_own, find_visible, owner
from leaderboard.api.bodies import event_body, submission_body, submission_row
from leaderboard.api.changes import change, refuse_step
from leaderboard.api.downloads import attachment, zip_of
from leaderboard.api.serializers import (
    ChangesSerializer,
    HistorySerializer,
    SubmissionRowSerializer,
    SubmissionSerializer,
)
from leaderboard.models import Submission
from leaderboard.queries.results import detailed_submissions, listed_submissions
from leaderboard.services.editing import Changes
from leaderboard.services.submissions import delete
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages
from lemsite.lib.parsers import StrictJSONParser

REASON = OpenApiParameter("reason", OpenApiTypes.STR, description="stays with the tombstone of a published one")


class NewestFirst(Pages):
    ordering = "-created_at"


class SubmissionList(GenericAPIView[Submission]):
    permission_classes = [CanRead]
    pagination_class = NewestFirst
    queryset = Submission.objects.none()
    serializer_class = SubmissionRowSerializer

    @extend_schema(
        operation_id="submissions_list",
        summary="Your own submissions",
        responses={200: SubmissionRowSerializer(many=True), **errors(400, 401, 403)},
        tags=["submissions"],
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(listed_submissions(of=request.user))
        return self.get_paginated_response([submission_row(submission, request) for submission in page or ()])


class SubmissionDetail(PublicReads):
    parser_classes = [StrictJSONParser]

    @extend_schema(
        operation_id="submissions_retrieve",
        summary="One submission",
        responses={200: SubmissionSerializer, **errors(401, 403, 404)},
        tags=["submissions"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(submission_body(find_visible(request, detailed_submissions(), pk), request))

    @extend_schema(
        operation_id="submissions_update",
        summary="Complete, hand in or withdraw",
        description="Any of: state what the files lack (drafts), change the note (drafts), choose who sees it (which "
        "finishes a draft), hand it in (status pending) or take it back (status withdrawn). All or nothing.",
        request=ChangesSerializer,
        responses={200: SubmissionSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 422, 429)},
        tags=["submissions"],
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        submission = find_own(request, Submission.objects.all(), pk)
        given = ChangesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        change(submission, Changes(**given.validated_data), by=owner(request))
        return Response(submission_body(find_own(request, detailed_submissions(), pk), request))

    @extend_schema(
        operation_id="submissions_delete",
        summary="Delete a submission with its results and files",
        description="One that was published leaves a tombstone: who, when, why.",
        parameters=[REASON],
        responses={204: None, **errors(401, 403, 404, 429)},
        tags=["submissions"],
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        submission = find_own(request, Submission.objects.all(), pk)
        with refuse_step():
            delete(submission=submission, by=owner(request), reason=_reason(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


class SubmissionRaw(PublicReads):
    @extend_schema(
        operation_id="submissions_raw",
        summary="All files as stored after redaction, in one zip",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **errors(401, 403, 404)},
        tags=["submissions"],
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        submission = find_visible(request, detailed_submissions(), pk)
        return attachment(zip_of(submission.raw_files.all()), f"submission-{submission.pk}.zip")


class SubmissionHistory(PublicReads):
    @extend_schema(
        operation_id="submissions_history",
        summary="Every decision on it: who, when, why",
        responses={200: HistorySerializer, **errors(401, 403, 404)},
        tags=["submissions"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        submission = find_visible(request, Submission.objects.all(), pk)
        events = submission.events.select_related("actor")
        return Response({"results": [event_body(event) for event in events], "next": None})


def _reason(request: Request) -> str:
    return request.query_params.get("reason", "").replace("\x00", "")[:2000]
