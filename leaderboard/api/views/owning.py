"""/api/submissions/<id>/…: what an owner does with a submission: replace its files, share it."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.permissions import CanSubmit
from leaderboard.api.access import find_own, owner
from leaderboard.api.bodies import ignored_body, submission_body
from leaderboard.api.changes import refuse_step
from leaderboard.api.schema import REPLACE_PARAMETERS, UPLOAD_REQUEST
from leaderboard.api.serializers import CreatedSerializer, ImpossibleSerializer, ShareSerializer, SharesSerializer
from leaderboard.api.uploads import PARSERS, ReplaceOptions, read_sent, refuse_impossible, unpack_files
from leaderboard.models import Submission
from leaderboard.queries.results import detailed_submissions
from leaderboard.services.batches import MAX_ENTRIES, refuse_many
from leaderboard.services.replacing import replace_files
from leaderboard.services.sharing import share, unshare
from lemsite.lib.api_schema import errors
from lemsite.lib.parsers import StrictJSONParser

USERNAME = OpenApiParameter("username", OpenApiTypes.STR, required=True, description="who no longer sees it")


class SubmissionFiles(APIView):
    permission_classes = [CanSubmit]
    parser_classes = PARSERS

    @extend_schema(
        operation_id="submissions_replace_files",
        summary="Replace the files of a submission",
        description="The new files are read and checked anew, and the old version is kept. Results of the same "
        "configuration keep their id. A published submission leaves the tables and waits for review again.",
        parameters=REPLACE_PARAMETERS,
        request=UPLOAD_REQUEST,
        responses={
            200: CreatedSerializer,
            **errors(400, 401, 403, 404, 409, 413, 415),
            422: OpenApiResponse(ImpossibleSerializer, description="A result cannot be right; nothing was changed."),
            **errors(429),
        },
        tags=["submissions"],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        submission = find_own(request, Submission.objects.all(), pk)
        options = ReplaceOptions.of(request)
        stated = submission.stated if options.stated is None else options.stated
        sent = unpack_files(request, max_entries=MAX_ENTRIES)
        with refuse_step():
            refuse_many(sent.files, sent.entries)
        reading = read_sent(sent, stated, owner=owner(request), replacing=submission)
        refuse_impossible(reading)
        with refuse_step():
            replace_files(submission=submission, reading=reading, by=owner(request), reason=options.reason)
        body = submission_body(find_own(request, detailed_submissions(), pk), request)
        body["ignored"] = [ignored_body(path, why) for path, why in reading.ignored]
        return Response(body)


class SubmissionShares(APIView):
    permission_classes = [CanSubmit]
    parser_classes = [StrictJSONParser]

    @extend_schema(
        operation_id="submissions_shares",
        summary="Whom your private submission is shared with",
        responses={200: SharesSerializer, **errors(401, 403, 404)},
        tags=["submissions"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_shares(find_own(request, Submission.objects.all(), pk)))

    @extend_schema(
        operation_id="submissions_share",
        summary="Let someone see your private submission",
        request=ShareSerializer,
        responses={200: SharesSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 429)},
        tags=["submissions"],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        submission = find_own(request, Submission.objects.all(), pk)
        given = ShareSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with refuse_step():
            share(submission=submission, username=given.validated_data["username"], by=owner(request))
        return Response(_shares(submission))

    @extend_schema(
        operation_id="submissions_unshare",
        summary="Take the sight of your private submission back",
        parameters=[USERNAME],
        responses={204: None, **errors(401, 403, 404, 429)},
        tags=["submissions"],
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        submission = find_own(request, Submission.objects.all(), pk)
        unshare(submission=submission, username=request.query_params.get("username", "").replace("\x00", "")[:151])
        return Response(status=http.HTTP_204_NO_CONTENT)


def _shares(submission: Submission) -> dict[str, list[str]]:
    shares = submission.shares.order_by("user__username")
    return {"shared_with": list(shares.values_list("user__username", flat=True))}
