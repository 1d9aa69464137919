"""/api/benchmarks.csv, .json and .parquet: the leaderboard's query as a file."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from leaderboard import exports
from leaderboard.api.caching import etag_of, not_modified, with_etag
from leaderboard.api.parameters import read_board_query, read_columns
from leaderboard.api.schema import BOARD_PARAMETERS
from leaderboard.queries.facets import data_version
from lemsite.lib.api_schema import UNCHANGED, errors


class Export(APIView):
    """One form of the export; subclasses name it."""

    permission_classes = [AllowAny]
    ending: ClassVar[str]
    content_type: ClassVar[str]

    def get(self, request: Request) -> HttpResponseBase:
        query = read_board_query(request.query_params)
        etag = etag_of(request)
        if (unchanged := not_modified(request, etag)) is not None:
            return unchanged
        most = query.limit if request.query_params.get("limit") else exports.MAX_ROWS
        export = exports.Export(query, read_columns(request.query_params, query), most, data_version())
        response = self.respond(export)
        response.headers["Content-Disposition"] = f'attachment; filename="lemsite-benchmarks.{self.ending}"'
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Data-Version"] = str(export.version)
        response.headers["X-Data-Licence"] = exports.LICENCE
        response.headers["X-Row-Limit"] = str(most)
        return with_etag(response, etag)

    @abstractmethod
    def respond(self, export: exports.Export) -> HttpResponseBase:
        """The file as a response."""


class CSVExport(Export):
    ending, content_type = "csv", "text/csv; charset=utf-8"

    @extend_schema(
        operation_id="benchmarks_csv",
        summary="The leaderboard as CSV",
        description=f"At most {exports.MAX_ROWS:,} rows, as X-Row-Limit says; /api/dumps has all. "
        "Text that a spreadsheet would run as a formula begins with '.",
        parameters=BOARD_PARAMETERS,
        responses={(200, "text/csv"): OpenApiTypes.STR, **UNCHANGED, **errors(400, 401)},
        tags=["benchmarks"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        return super().get(request)

    def respond(self, export: exports.Export) -> HttpResponseBase:
        return StreamingHttpResponse(exports.csv_lines(export), content_type=self.content_type)


class JSONExport(Export):
    ending, content_type = "json", "application/json"

    @extend_schema(
        operation_id="benchmarks_json",
        summary="The leaderboard as one JSON document with units",
        description=f"At most {exports.MAX_ROWS:,} rows, as X-Row-Limit says; /api/dumps has all.",
        parameters=BOARD_PARAMETERS,
        responses={200: OpenApiTypes.OBJECT, **UNCHANGED, **errors(400, 401)},
        tags=["benchmarks"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        return super().get(request)

    def respond(self, export: exports.Export) -> HttpResponseBase:
        return StreamingHttpResponse(exports.json_parts(export), content_type=self.content_type)


class ParquetExport(Export):
    ending, content_type = "parquet", "application/vnd.apache.parquet"

    @extend_schema(
        operation_id="benchmarks_parquet",
        summary="The leaderboard as Parquet, units in the metadata of the columns",
        description=f"At most {exports.MAX_ROWS:,} rows, as X-Row-Limit says; /api/dumps has all.",
        parameters=BOARD_PARAMETERS,
        responses={(200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY, **UNCHANGED, **errors(400, 401)},
        tags=["benchmarks"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        return super().get(request)

    def respond(self, export: exports.Export) -> HttpResponseBase:
        return FileResponse(exports.parquet_file(export), content_type=self.content_type)
