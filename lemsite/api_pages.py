"""The API's own pages: its root, its OpenAPI schema and the documentation made from it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from lemsite.lib.api_schema import errors

PATHS = {
    "benchmarks": "api:benchmark-list",
    "benchmarks_csv": "api:benchmark-csv",
    "benchmarks_json": "api:benchmark-json",
    "benchmarks_parquet": "api:benchmark-parquet",
    "submissions": "api:submission-list",
    "models": "api:model-list",
    "hardware": "api:hardware-list",
    "runs": "api:run-list",
    "me": "api:user-me",
    "schema": "api:schema",
    "docs": "api:docs",
}


class ApiRoot(APIView):
    """Where things are."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="root",
        summary="Where things are",
        responses={200: OpenApiTypes.OBJECT, **errors(401)},
        tags=["api"],
    )
    def get(self, request: Request) -> Response:
        return Response({name: reverse(view, request=request) for name, view in PATHS.items()})


class ApiSchema(SpectacularAPIView):
    """JSON for who does not ask: a YAML parser reads it as well."""

    content_negotiation_class = DefaultContentNegotiation
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


class ApiDocs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files: markup and script apart, nothing inline."""

    url_name = "api:schema"
    template_name = "api/docs.html"
    title = "API"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]  # of the library
        # The site's own value stands: the library's is for sign-in windows that we do not open.
        response.headers.pop("Cross-Origin-Opener-Policy", None)
        return response
