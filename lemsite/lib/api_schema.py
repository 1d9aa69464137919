"""Pieces of the OpenAPI schema that the endpoints of all apps share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

_WORDS = {
    400: "Something in the request is not right; `fields` names it.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope.",
    404: "Not there, or not for you.",
    409: "Not possible in the present state.",
    410: "It was published and is gone.",
    413: "The body is too large.",
    415: "This content type is not read.",
    422: "The statement makes a result impossible.",
    429: "Too many writing requests; Retry-After says when to go on.",
}


class ErrorFieldsSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # `fields` is the name of an attribute of every serializer.
        return {**super().get_fields(), "fields": serializers.DictField(child=serializers.CharField())}


class ErrorSerializer(serializers.Serializer[Any]):
    """What every error looks like."""

    error = ErrorFieldsSerializer()


#: for endpoints with an ETag
UNCHANGED = {304: OpenApiResponse(description="Nothing has changed since the answer whose ETag If-None-Match names.")}


def errors(*statuses: int) -> dict[int, Any]:
    """The same shape for every error status of an endpoint."""
    return {status: OpenApiResponse(ErrorSerializer, description=_WORDS[status]) for status in statuses}
