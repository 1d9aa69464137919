"""The one shape of every error of the API: {"error": {"code", "message", "fields"}}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from rest_framework import status as http
from rest_framework.exceptions import APIException, UnsupportedMediaType, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from lemsite.lib import request_ids

#: status -> the code that stands in the body, for programs that look no further
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "impossible",
    429: "too_many_requests",
    500: "server_error",
    503: "unavailable",
    507: "disk_full",
}
NOT_FOUND = "The address is wrong, or what was here is private or gone."


class ApiError(APIException):
    """An answer other than success: a status, one plain sentence, and the fields or files at fault.

    `extra` stands beside "error" in the body; `wait` seconds are said as Retry-After.
    """

    def __init__(
        self,
        status: int,
        message: str,
        fields: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        *,
        wait: int | None = None,
    ) -> None:
        super().__init__(message)
        self.wait = wait
        self.status_code = status
        self.message = message
        self.fields = dict(fields or {})
        self.extra = dict(extra or {})


def error_body(status: int, message: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
    """For a fault of ours, with the id by which it is found in the log."""
    error = {"code": CODES.get(status, "error"), "message": message, "fields": dict(fields or {})}
    if status >= http.HTTP_500_INTERNAL_SERVER_ERROR and (request_id := request_ids.current()):
        error["request_id"] = request_id
    return {"error": error}


def handle_api_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. What it does not know is a fault of ours, and Django answers it with 500."""
    if isinstance(exc, SuspiciousOperation):
        exc = _refused_request(exc)
    response = exception_handler(exc, context)
    if response is None:
        return None
    message, fields = _words(exc, context)
    response.data = error_body(response.status_code, message, fields)
    if isinstance(exc, ApiError):
        response.data |= exc.extra
    return response


def _refused_request(exc: SuspiciousOperation) -> ApiError:
    """What Django refuses while it reads a body."""
    if isinstance(exc, RequestDataTooBig):
        return ApiError(http.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "The body is larger than this site reads.")
    if isinstance(exc, TooManyFilesSent):
        return ApiError(http.HTTP_400_BAD_REQUEST, "These are too many files for one request; send them as one zip.")
    if isinstance(exc, TooManyFieldsSent):
        return ApiError(http.HTTP_400_BAD_REQUEST, "These are too many fields for one request.")
    return ApiError(http.HTTP_400_BAD_REQUEST, "The request is malformed.")


def _words(exc: Exception, context: dict[str, Any]) -> tuple[str, dict[str, str]]:
    if isinstance(exc, ApiError):
        return exc.message, exc.fields
    if isinstance(exc, ValidationError):
        fields = dict(_flat(exc.detail))
        return f"Not right: {', '.join(fields)}.", fields
    if isinstance(exc, UnsupportedMediaType):
        accepted = ", ".join(parser.media_type for parser in getattr(context.get("view"), "parser_classes", ()))
        return f"{exc.detail} Send one of: {accepted}.", {}
    if isinstance(exc, APIException) and exc.status_code != http.HTTP_404_NOT_FOUND:
        return str(exc.detail), {}
    if isinstance(exc, PermissionDenied):
        return str(exc) or "This needs a permission that you do not have.", {}
    return NOT_FOUND, {}


def _flat(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested lists and objects of messages as (dotted field, message)."""
    if isinstance(detail, dict):
        return [
            pair for name, inner in detail.items() for pair in _flat(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        return [pair for place, inner in enumerate(detail) for pair in _flat(inner, f"{path}[{place}]")]
    messages = detail if isinstance(detail, list) else [detail]
    return [(path or "body", " ".join(str(message) for message in messages))]
