"""/api/users/<name>/submissions: what someone made public."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from leaderboard.api.bodies import submission_row
from leaderboard.api.serializers import SubmissionRowSerializer
from leaderboard.api.views.submissions import NewestFirst
from leaderboard.models import Submission
from leaderboard.queries.people import public_people
from leaderboard.queries.results import public_submissions
from lemsite.lib.api_schema import errors


class PersonSubmissions(GenericAPIView[Submission]):
    permission_classes = [AllowAny]
    pagination_class = NewestFirst
    queryset = Submission.objects.none()
    serializer_class = SubmissionRowSerializer

    @extend_schema(
        operation_id="users_submissions",
        summary="Someone's public submissions",
        responses={200: SubmissionRowSerializer(many=True), **errors(400, 401, 404)},
        tags=["users"],
    )
    def get(self, request: Request, name: str) -> Response:
        person = get_object_or_404(public_people(), username=name)
        page = self.paginate_queryset(public_submissions(of=person))
        return self.get_paginated_response([submission_row(submission, request) for submission in page or ()])
