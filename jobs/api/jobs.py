"""/api/jobs: ordering, following and cancelling jobs by script."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status as http
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency
from accounts.api.permissions import HasScope
from accounts.models import Scope, User
from accounts.services.bans import Banned
from jobs.api.races import RACE_EXAMPLE, OrderedRaceSerializer, ordered_race_body, read_race, refuse_race
from jobs.api.serializers import (
    ORDER_EXAMPLE,
    CancelSerializer,
    EstimatedSerializer,
    JobSerializer,
    OrderedSerializer,
    OrderOrRaceSerializer,
    OrderSerializer,
    config_fields,
    job_body,
    not_right,
    ordered_body,
    read_order,
)
from jobs.models import Job, JobKind, JobState, Race
from jobs.queries.jobs import recorded_attempt
from jobs.queries.logs import attempt_log, gone_words
from jobs.queries.matching import matching_agents, place_if_ordered, position_of
from jobs.queries.races import with_lanes
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.ordering import OrderRefused, draft_job, order_job
from jobs.services.race_ordering import order_race
from leaderboard.api.parameters import refuse_unknown
from leaderboard.services.quotas import OverQuota
from lemsite.lib.api_errors import ApiError
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages

#: a log up to this size stays in memory while it is sent
_SPOOLED_BYTES = 1 << 20
LOG_ATTEMPT, LOG_NEXT = "X-Log-Attempt", "X-Log-Next"
_EXAMPLE = OpenApiExample("two batch sizes with vLLM", value=ORDER_EXAMPLE, request_only=True)
_RACE = OpenApiExample("a race of two hosts", value=RACE_EXAMPLE, request_only=True)
_ORDERED = PolymorphicProxySerializer("OrderedJobOrRace", [OrderedSerializer, OrderedRaceSerializer], None)


class CanOrder(HasScope):
    scope = Scope.JOBS


class NewestFirst(Pages):
    ordering = ("-id",)


class _Jobs(GenericAPIView[Job]):
    """Everyone reads; writing needs a token with the scope jobs."""

    queryset = Job.objects.select_related("owner").prefetch_related("attempts__agent")
    serializer_class = JobSerializer

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method in SAFE_METHODS else [CanOrder()]


class JobList(_Jobs):
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="jobs_list",
        summary="Jobs, newest first",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, description="of the job", enum=JobState.values),
            OpenApiParameter("owner", OpenApiTypes.STR, description="user name"),
        ],
        responses={200: JobSerializer(many=True), **errors(400, 401)},
        tags=["jobs"],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params, ("state", "owner", "limit", "cursor"))
        state, owner = request.query_params.get("state"), request.query_params.get("owner")
        if state is not None and state not in JobState.values:
            raise ApiError(
                http.HTTP_400_BAD_REQUEST, "Not right: state.", {"state": f"of {', '.join(JobState.values)}"}
            )
        if owner is not None and "\x00" in owner:
            # PostgreSQL refuses to compare it.
            raise ApiError(http.HTTP_400_BAD_REQUEST, "Not right: owner.", {"owner": "a user name, without NUL"})
        jobs = self.get_queryset()
        jobs = jobs.filter(state=state) if state else jobs
        jobs = jobs.filter(owner__username=owner) if owner else jobs
        page = self.paginate_queryset(jobs) or ()
        return self.get_paginated_response([job_body(job, request) for job in page])

    @extend_schema(
        operation_id="jobs_create",
        summary="Order a benchmark or a race",
        description="A benchmark waits in the queue until a GPU host that fits takes it. A race sends the same prompts "
        "to the model servers of several hosts at once; `agents` are names of hosts, or the ids in the addresses of "
        "their pages. A field that is not known is answered with 422, which names it. Scope: jobs.",
        parameters=idempotency.PARAMETERS,
        request=OrderOrRaceSerializer,
        examples=[_EXAMPLE, _RACE],
        responses={201: _ORDERED, **errors(400, 401, 403, 409, 413, 415, 422, 429)},
        tags=["jobs"],
    )
    def post(self, request: Request) -> Response:
        is_race = isinstance(request.data, dict) and request.data.get("kind") == JobKind.RACE
        order = _order_race if is_race else _order_job
        return idempotency.answer_once(request, lambda: partial(order, request))


class JobEstimate(_Jobs):
    @extend_schema(
        operation_id="jobs_estimate",
        summary="What an order would take",
        description="Nothing is ordered. Scope: jobs.",
        request=OrderSerializer,
        examples=[_EXAMPLE],
        responses={200: EstimatedSerializer, **errors(400, 401, 403, 413, 415, 422, 429)},
        tags=["jobs"],
    )
    def post(self, request: Request) -> Response:
        order, simulate = read_order(request.data)
        with refuse_order():
            job, told = draft_job(owner=cast(User, request.user), order=order, simulate=simulate)
        now = timezone.now()
        place = place_if_ordered(job, now)
        body = {
            "estimate": told.stored(),
            "configurations": order.cells,
            "runs": order.runs,
            "position": place.position,
            "starts_in_s": place.starts_in_s,
            "hosts": [agent.name for agent in matching_agents(job, now)],
            "config_yaml": job.rendered,
        }
        return Response(body)


class JobDetail(_Jobs):
    @extend_schema(
        operation_id="jobs_read",
        summary="One job",
        responses={200: JobSerializer, **errors(401, 404)},
        tags=["jobs"],
    )
    def get(self, request: Request, pk: int) -> Response:
        job = get_object_or_404(self.get_queryset(), pk=pk)
        return Response(job_body(job, request, position_of(job, timezone.now())))


class JobCancel(_Jobs):
    @extend_schema(
        operation_id="jobs_cancel",
        summary="Cancel a job",
        description="One that waits is cancelled at once. One that runs is asked to stop: its host hears of it with "
        "its next call, and until then `cancel_requested_at` alone says so. 409 where it is over. Scope: jobs.",
        request=CancelSerializer,
        responses={200: JobSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 429)},
        tags=["jobs"],
    )
    def post(self, request: Request, pk: int) -> Response:
        user = cast(User, request.user)
        job = get_object_or_404(Job.objects.changeable_by(user), pk=pk)
        given = CancelSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            cancel_job(job=job, by=user, reason=given.validated_data.get("reason", ""))
        except JobRefused as refused:
            raise ApiError(http.HTTP_409_CONFLICT, str(refused)) from None
        return Response(job_body(get_object_or_404(self.get_queryset(), pk=pk), request))


class JobLog(_Jobs):
    @extend_schema(
        operation_id="jobs_log",
        summary="The log of a job",
        description="As far as it has come, as the host sent it, colours included. Who follows it asks for what came "
        "since: `after` is the X-Log-Next of the answer before. Where another attempt counts meanwhile, X-Log-Attempt "
        "says so, and that log is read from 0 on.",
        parameters=[
            OpenApiParameter("attempt", OpenApiTypes.INT, description="number; without it the one that counts"),
            OpenApiParameter("after", OpenApiTypes.INT, description="bytes to leave out at the beginning", default=0),
            OpenApiParameter(
                LOG_ATTEMPT, OpenApiTypes.INT, OpenApiParameter.HEADER, description="whose log it is", response=[200]
            ),
            OpenApiParameter(
                LOG_NEXT, OpenApiTypes.INT, OpenApiParameter.HEADER, description="the next `after`", response=[200]
            ),
        ],
        responses={(200, "text/plain"): OpenApiTypes.STR, **errors(400, 401, 404)},
        tags=["jobs"],
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        refuse_unknown(request.query_params, ("attempt", "after"))
        number, after = _whole(request, "attempt", digits=5), _whole(request, "after", digits=18) or 0
        job = get_object_or_404(self.get_queryset(), pk=pk)
        attempt = recorded_attempt(job, number)
        if attempt is None:
            raise ApiError(http.HTTP_404_NOT_FOUND, "There is no log yet.")
        if attempt.records_dropped_at is not None:
            raise ApiError(http.HTTP_404_NOT_FOUND, gone_words(attempt))
        spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 - the response closes it
        for content in attempt_log(attempt, after):
            spooled.write(content)
        told = {LOG_ATTEMPT: str(attempt.number), LOG_NEXT: str(after + spooled.tell())}
        spooled.seek(0)
        response = FileResponse(spooled, content_type="text/plain; charset=utf-8", headers=told)
        response["Content-Disposition"] = f'inline; filename="job-{job.pk}-attempt-{attempt.number}.log"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


def _whole(request: Request, name: str, *, digits: int) -> int | None:
    """A parameter that is a whole number, or 400 naming it."""
    given = request.query_params.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= digits):
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"Not right: {name}.", {name: "a whole number"})
    return int(given)


def _order_job(request: Request) -> Response:
    order, simulate = read_order(request.data)
    with refuse_order():
        job = order_job(owner=cast(User, request.user), order=order, simulate=simulate)
    body = ordered_body(job, position_of(job, timezone.now()), request)
    return Response(
        body, http.HTTP_201_CREATED, headers={"Location": request.build_absolute_uri(f"/api/jobs/{job.pk}")}
    )


def _order_race(request: Request) -> Response:
    order = read_race(request.data)
    with refuse_order(), refuse_race():
        race = order_race(owner=cast(User, request.user), order=order)
    body = ordered_race_body(with_lanes(Race.objects.all()).get(pk=race.pk), request)
    return Response(body, http.HTTP_201_CREATED, headers={"Location": body["url"]})


@contextmanager
def refuse_order() -> Iterator[None]:
    """403 and 429 for who may not order now, 422 for what cannot be run."""
    try:
        yield
    except Banned as error:
        raise ApiError(http.HTTP_403_FORBIDDEN, str(error)) from None
    except OverQuota as error:
        raise ApiError(http.HTTP_429_TOO_MANY_REQUESTS, error.message, wait=error.retry_after_s) from None
    except OrderRefused as error:
        raise not_right(config_fields(error.fields)) from None
