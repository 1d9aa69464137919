"""/api/models and /api/hardware."""

from __future__ import annotations

from collections.abc import Mapping

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.api.bodies import hardware_body, model_body
from leaderboard.api.serializers import HardwareSerializer, ModelSerializer
from leaderboard.board import BoardQuery
from leaderboard.models import Hardware, LanguageModel, Trust
from leaderboard.queries.facets import facet_counts
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages

EVERYTHING = BoardQuery(view="all", min_trust=Trust.DRAFT)


class ByName(Pages):
    page_size = 100
    ordering = "name"


class ModelList(GenericAPIView[LanguageModel]):
    permission_classes = [AllowAny]
    pagination_class = ByName
    queryset = LanguageModel.objects.prefetch_related("aliases")
    serializer_class = ModelSerializer

    @extend_schema(
        operation_id="models_list",
        summary="Models of the catalogue",
        responses={200: ModelSerializer(many=True), **errors(400, 401)},
        tags=["catalogue"],
    )
    def get(self, request: Request) -> Response:
        counts = _ranked("model")
        page = self.paginate_queryset(self.get_queryset()) or ()
        return self.get_paginated_response([model_body(row, counts.get(row.name, 0), request) for row in page])


class ModelDetail(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="models_retrieve",
        summary="One model",
        responses={200: ModelSerializer, **errors(401, 404)},
        tags=["catalogue"],
    )
    def get(self, request: Request, organisation: str, name: str) -> Response:
        model = get_object_or_404(LanguageModel, name=f"{organisation}/{name}")
        return Response(model_body(model, _ranked("model").get(model.name, 0), request))


class HardwareList(GenericAPIView[Hardware]):
    permission_classes = [AllowAny]
    pagination_class = ByName
    queryset = Hardware.objects.prefetch_related("aliases")
    serializer_class = HardwareSerializer

    @extend_schema(
        operation_id="hardware_list",
        summary="Hardware of the catalogue",
        responses={200: HardwareSerializer(many=True), **errors(400, 401)},
        tags=["catalogue"],
    )
    def get(self, request: Request) -> Response:
        counts = _ranked("hardware")
        page = self.paginate_queryset(self.get_queryset()) or ()
        return self.get_paginated_response([hardware_body(row, counts.get(row.slug, 0), request) for row in page])


class HardwareDetail(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="hardware_retrieve",
        summary="One GPU",
        responses={200: HardwareSerializer, **errors(401, 404)},
        tags=["catalogue"],
    )
    def get(self, request: Request, slug: str) -> Response:
        hardware = get_object_or_404(Hardware, slug=slug)
        return Response(hardware_body(hardware, _ranked("hardware").get(slug, 0), request))


def _ranked(facet: str) -> Mapping[str, int]:
    """Ranked results per value, from the counts that the leaderboard keeps."""
    return facet_counts(EVERYTHING).facets[facet]
