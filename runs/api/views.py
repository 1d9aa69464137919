"""GET /api/runs…: the published reads, without authentication and with errors in the contract's own form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runs.models import Run
from runs.queries import find_run, in_order_of_time, iterate_events, newest_runs, one_per_slot, run_body, score_body

MAX_RUNS = 500
MAX_LIMIT = 10_000
MAX_RESOLUTION_MS = 24 * 3600 * 1000
CHUNK = 1_000


class LiveErrorSerializer(serializers.Serializer[str]):
    """What an error of the live API looks like."""

    error = serializers.CharField()


_NO_RUN = OpenApiResponse(LiveErrorSerializer, description="There is no such run.")
_BAD_NUMBER = OpenApiResponse(LiveErrorSerializer, description="A parameter is no whole number, or out of its range.")


class PublicRead(APIView):
    """Open to everyone; errors are {"error": text}, as the live contract has them."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RunList(PublicRead):
    @extend_schema(operation_id="runs_list", summary="The newest runs", responses=OpenApiTypes.OBJECT, tags=["live"])
    def get(self, request: Request) -> Response:
        return Response({"runs": [run_body(run) for run in newest_runs(MAX_RUNS)]})


class RunDetail(PublicRead):
    @extend_schema(
        operation_id="runs_retrieve",
        summary="One run and its scores",
        responses={200: OpenApiTypes.OBJECT, 404: _NO_RUN},
        tags=["live"],
    )
    def get(self, request: Request, key: str) -> Response:
        run = find_run(key)
        if run is None:
            return _not_found()
        scores = [score_body(score) for score in run.scores.select_related("run")]
        return Response({"run": run_body(run), "scores": scores})


class RunEvents(PublicRead):
    @extend_schema(
        summary="The events of a run in order of their time",
        responses={200: OpenApiTypes.OBJECT, 400: _BAD_NUMBER, 404: _NO_RUN},
        tags=["live"],
        parameters=[
            OpenApiParameter("after", int, description="only events with a greater id (the id of the stream)"),
            OpenApiParameter("limit", int, description=f"at most so many, up to {MAX_LIMIT:,}; without it, all"),
            OpenApiParameter("resolution", int, description="ms: at most one event of each lane in so much time"),
        ],
    )
    def get(self, request: Request, key: str) -> HttpResponseBase:
        run = find_run(key)
        if run is None:
            return _not_found()
        try:
            after = _whole(request, "after", 0, 2**62)
            limit = _whole(request, "limit", 0, MAX_LIMIT)
            resolution_ms = _whole(request, "resolution", 0, MAX_RESOLUTION_MS)
        except ValueError as error:
            return Response({"error": str(error)}, status=status.HTTP_400_BAD_REQUEST)
        return StreamingHttpResponse(_events(run, after, limit, resolution_ms), content_type="application/json")


def _events(run: Run, after: int, limit: int, resolution_ms: int) -> Iterator[bytes]:
    """{"events": […]}, written as it is read."""
    texts: Iterable[str] = in_order_of_time(iterate_events(run, after=after, limit=limit or None))
    if resolution_ms:
        texts = one_per_slot(texts, resolution_ms)
    yield b'{"events":['
    together: list[str] = []
    is_first = True
    for text in texts:
        together.append(text)
        if len(together) == CHUNK:
            yield (("" if is_first else ",") + ",".join(together)).encode()
            together, is_first = [], False
    if together:
        yield (("" if is_first else ",") + ",".join(together)).encode()
    yield b"]}"


def _whole(request: Request, name: str, low: int, high: int) -> int:
    text = request.query_params.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def _not_found() -> Response:
    return Response({"error": "There is no such run."}, status=status.HTTP_404_NOT_FOUND)
