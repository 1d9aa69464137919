"""/api/dumps: the full dumps and where their files are."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from leaderboard.models import Dump
from leaderboard.presenting.dumps import file_url
from leaderboard.queries.dumps import dumps
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages


class DumpSerializer(serializers.Serializer[Dump]):
    version = serializers.CharField(help_text="the day, and .2 and so on for more of one day")
    made_at = serializers.DateTimeField()
    data_version = serializers.IntegerField()
    rows = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    parquet_url = serializers.SerializerMethodField()
    card_url = serializers.SerializerMethodField()
    schema_url = serializers.SerializerMethodField()
    checksum_url = serializers.SerializerMethodField()

    def get_parquet_url(self, dump: Dump) -> str:
        return self._absolute(dump, "parquet")

    def get_card_url(self, dump: Dump) -> str:
        return self._absolute(dump, "card")

    def get_schema_url(self, dump: Dump) -> str:
        return self._absolute(dump, "schema")

    def get_checksum_url(self, dump: Dump) -> str:
        return self._absolute(dump, "checksum")

    def _absolute(self, dump: Dump, kind: str) -> str:
        request: Request = self.context["request"]
        return request.build_absolute_uri(file_url(dump, kind))


class NewestDumps(Pages):
    ordering = "-version"


class DumpList(GenericAPIView[Dump]):
    permission_classes = [AllowAny]
    pagination_class = NewestDumps
    queryset = Dump.objects.none()
    serializer_class = DumpSerializer

    @extend_schema(
        operation_id="dumps_list",
        summary="The full dumps: all public results as Parquet, one a night",
        responses={200: DumpSerializer(many=True), **errors(400, 401)},
        tags=["benchmarks"],
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(dumps())
        response = self.get_paginated_response(self.get_serializer(page, many=True).data)
        response["Cache-Control"] = "no-cache"
        return response
