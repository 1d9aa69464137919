"""Lists of the API: {"results", "next"}, where `next` is the address of the following page or null."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import status as http
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lemsite.lib.api_errors import ApiError


class Pages(CursorPagination):
    """Pages by cursor in the order of one column; a subclass names it."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "limit"
    page_size_query_description = "Rows a page, 1 to 500."
    cursor_query_description = "Where the page begins: taken from `next` of the previous answer."

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.get_next_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": "string", "format": "uri", "nullable": True, "description": "null on the last page"},
            },
        }

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValidationError, ValueError):
            # A cursor may hold any text, also what is no time for a column of times, or NUL.
            message = "take it from the `next` of a previous answer"
            raise ApiError(http.HTTP_400_BAD_REQUEST, f"cursor: {message}.", {"cursor": message}) from None
