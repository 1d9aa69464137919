"""/api/compare: results side by side, and keeping a comparison."""

from __future__ import annotations

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response

from leaderboard.api.access import PublicReads, owner, reader
from leaderboard.api.caching import etag_of, not_modified, with_etag
from leaderboard.api.comparing import (
    COMPARE_PARAMETERS,
    ComparisonSerializer,
    NewComparisonSerializer,
    SavedComparisonSerializer,
    comparison_body,
)
from leaderboard.api.parameters import refuse_unknown
from leaderboard.presenting.citing import Stamp
from leaderboard.presenting.comparing import Chosen, choose, comparison_page
from leaderboard.presenting.saved_comparisons import short_url
from leaderboard.selection import MIN_COMPARED
from leaderboard.services.comparisons import ComparisonRefused, save_comparison
from lemsite.lib.api_errors import ApiError
from lemsite.lib.api_schema import UNCHANGED, errors
from lemsite.lib.parsers import StrictJSONParser

KNOWN = tuple(parameter.name for parameter in COMPARE_PARAMETERS)


class Comparison(PublicReads):
    parser_classes = [StrictJSONParser]

    @extend_schema(
        operation_id="compare_retrieve",
        summary="Compare two to eight results or models",
        description="What they share first, then each figure with the difference from the best one and Welch's test "
        "over the repeats, the settings that differ, and how to cite it.",
        parameters=COMPARE_PARAMETERS,
        responses={200: ComparisonSerializer, **UNCHANGED, **errors(400, 401)},
        tags=["compare"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        refuse_unknown(request.query_params, KNOWN)
        stamp, path = Stamp.now(), reverse("runs:compare")
        # The answer says the day on which it was read.
        etag = f'{etag_of(request)[:-1]}-{stamp.day}"'
        is_public = not reader(request).is_authenticated
        if is_public and (unchanged := not_modified(request, etag)) is not None:
            return unchanged
        chosen = _chosen(request, request.query_params)
        response = Response(comparison_body(chosen, comparison_page(chosen, path, stamp), request))
        return with_etag(response, etag) if is_public else response

    @extend_schema(
        operation_id="compare_create",
        summary="Keep a comparison under a name, with a short link",
        description="It stands on your account, at /account/comparisons/. Scope: submit.",
        request=NewComparisonSerializer,
        responses={201: SavedComparisonSerializer, **errors(400, 401, 403, 409, 413, 415, 429)},
        tags=["compare"],
    )
    def post(self, request: Request) -> Response:
        given = NewComparisonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = QueryDict(mutable=True)
        asked.setlist("result", [str(pk) for pk in given.validated_data.get("results", ())])
        asked.setlist("model", given.validated_data.get("models", []))
        url = _chosen(request, asked).selection.url(reverse("runs:compare"))
        try:
            saved = save_comparison(owner=owner(request), name=given.validated_data["name"], url=url)
        except ComparisonRefused as error:
            raise ApiError(http.HTTP_409_CONFLICT, str(error)) from None
        address = short_url(saved.link)
        body = {
            "id": saved.pk,
            "name": saved.name,
            "url": request.build_absolute_uri(saved.link.url),
            "short_url": address,
            "created_at": saved.created_at,
        }
        return Response(body, http.HTTP_201_CREATED, headers={"Location": address})


def _chosen(request: Request, params: QueryDict) -> Chosen:
    """What is asked for, or 400 naming what is wrong with it."""
    chosen = choose(params, reader(request))
    if chosen.fields:
        raise ApiError(http.HTTP_400_BAD_REQUEST, " ".join(chosen.fields.values()), chosen.fields)
    if len(chosen.rows) < MIN_COMPARED:
        message = "A comparison takes two to eight results or models."
        raise ApiError(http.HTTP_400_BAD_REQUEST, message, {"result": message})
    return chosen
