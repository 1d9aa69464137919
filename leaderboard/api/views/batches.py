"""/api/batches: uploads of many files, while and after they are read."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.permissions import CanRead
from leaderboard.api.bodies import batch_body
from leaderboard.api.serializers import BatchSerializer
from leaderboard.models import UploadBatch
from lemsite.lib.api_schema import errors


class BatchDetail(APIView):
    permission_classes = [CanRead]

    @extend_schema(
        operation_id="batches_retrieve",
        summary="How far your upload of many files is, and what could not be used",
        responses={200: BatchSerializer, **errors(401, 403, 404)},
        tags=["submissions"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        batch = get_object_or_404(UploadBatch, pk=pk, owner_id=request.user.pk)
        return Response(batch_body(batch, request))
