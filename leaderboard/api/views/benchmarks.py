"""/api/benchmarks: a benchmark is one Result; posting makes a Submission of one or more."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status as http
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import idempotency
from leaderboard.api.access import PublicReads, find_own, find_visible, owner, refuse_gone
from leaderboard.api.bodies import (
    batch_row,
    ignored_body,
    preview_body,
    result_body,
    result_detail_body,
    submission_body,
)
from leaderboard.api.caching import etag_of, not_modified, with_etag
from leaderboard.api.changes import change, refuse_step
from leaderboard.api.downloads import attachment
from leaderboard.api.parameters import read_board_query, read_columns, read_prices
from leaderboard.api.schema import (
    BOARD_PARAMETERS,
    PRICE_PARAMETERS,
    UPLOAD_EXAMPLE,
    UPLOAD_PARAMETERS,
    UPLOAD_REQUEST,
)
from leaderboard.api.serializers import (
    AcceptedSerializer,
    BoardSerializer,
    CreatedSerializer,
    ImpossibleSerializer,
    PreviewSerializer,
    ResultDetailSerializer,
    StatedSerializer,
    TombstoneSerializer,
)
from leaderboard.api.uploads import PARSERS, Sent, UploadOptions, read_sent, refuse_impossible, unpack_files
from leaderboard.models import Provenance, Result
from leaderboard.queries.board import board_results
from leaderboard.queries.results import complete, detailed_results, detailed_submissions, raw_file_of
from leaderboard.result_values import chosen_fields
from leaderboard.services.batches import MAX_ENTRIES, BatchOptions, is_many, open_batch
from leaderboard.services.editing import Changes
from leaderboard.services.reading import Reading
from leaderboard.services.storing import open_raw_file
from leaderboard.services.submissions import delete, new_submission
from lemsite.lib.api_errors import ApiError
from lemsite.lib.api_schema import UNCHANGED, errors
from lemsite.lib.archives import MAX_ENTRIES as ARCHIVE_ENTRIES
from lemsite.lib.parsers import StrictJSONParser


class BenchmarkList(PublicReads):
    parser_classes = PARSERS

    @extend_schema(
        operation_id="benchmarks_list",
        summary="The leaderboard",
        description="Ranked results with filters, limits, search, sort and the reader's own prices. "
        "ETag and If-None-Match save the transfer while nothing has changed.",
        parameters=BOARD_PARAMETERS,
        responses={200: BoardSerializer, **UNCHANGED, **errors(400, 401)},
        tags=["benchmarks"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = read_board_query(request.query_params)
        etag = etag_of(request)
        if (unchanged := not_modified(request, etag)) is not None:
            return unchanged
        board = board_results(query)
        bodies = [result_body(result, request, query.prices) for result in complete(board.results)]
        columns = read_columns(request.query_params, query)
        if columns is not None:
            wanted = {*chosen_fields(columns), "status", "url"}
            bodies = [{name: value for name, value in body.items() if name in wanted} for body in bodies]
        following = None
        if board.next_cursor is not None:
            params = request.query_params.copy()
            params["cursor"] = board.next_cursor.encode()
            following = request.build_absolute_uri(f"{request.path}?{params.urlencode()}")
        answer = {
            "results": bodies,
            "next": following,
            "view": query.view,
            "sort": f"{'-' if query.descending else ''}{query.sort}",
        }
        return with_etag(Response(answer), etag)

    @extend_schema(
        operation_id="benchmarks_create",
        summary="Submit results",
        description="One upload is one submission: a result or an array of them as JSON, one or several files, a zip "
        "or tar, or CSV. Nothing is stored unless all of it is right. More than 50 files or 8 MiB are read in the "
        "background: what is good of them becomes one draft, the rest is named. Scope: submit.",
        parameters=[*UPLOAD_PARAMETERS, *idempotency.PARAMETERS],
        request=UPLOAD_REQUEST,
        examples=[UPLOAD_EXAMPLE],
        responses={
            201: CreatedSerializer,
            200: OpenApiResponse(PreviewSerializer, description="The dry run: nothing was stored."),
            202: OpenApiResponse(AcceptedSerializer, description="Many files: they are read in the background."),
            **errors(400, 401, 403, 409, 413, 415),
            422: OpenApiResponse(ImpossibleSerializer, description="A result cannot be right; nothing was stored."),
            **errors(429),
        },
        tags=["benchmarks"],
    )
    def post(self, request: Request) -> Response:
        options = UploadOptions.of(request)
        if options.is_dry_run:
            sent = unpack_files(request, max_entries=ARCHIVE_ENTRIES)
            reading = read_sent(sent, options.stated, owner=owner(request))
            return Response(preview_body(reading, options.visibility, request))
        return idempotency.answer_once(request, partial(_read, request, options))


class BenchmarkDetail(PublicReads):
    parser_classes = [StrictJSONParser]

    @extend_schema(
        operation_id="benchmarks_retrieve",
        summary="One result",
        parameters=PRICE_PARAMETERS,
        responses={
            200: ResultDetailSerializer,
            **errors(400, 401, 403, 404, 409),
            410: OpenApiResponse(TombstoneSerializer, description="It was published and is gone: who, when, why."),
        },
        tags=["benchmarks"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        prices = read_prices(request.query_params)
        refuse_gone(request, pk)
        return Response(result_detail_body(find_visible(request, detailed_results(), pk), request, prices))

    @extend_schema(
        operation_id="benchmarks_update",
        summary="State what the file lacks",
        description="Checks the results of its submission again with the values stated. Drafts only.",
        request=StatedSerializer,
        responses={200: ResultDetailSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 422, 429)},
        tags=["benchmarks"],
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        result = find_own(request, detailed_results(), pk)
        given = StatedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        change(result.submission, Changes(stated=given.validated_data.get("stated", {})), by=owner(request))
        return Response(result_detail_body(find_own(request, detailed_results(), pk), request))

    @extend_schema(
        operation_id="benchmarks_delete",
        summary="Delete a result",
        description="Deletes the submission when this is its only result; else delete the submission itself.",
        responses={204: None, **errors(401, 403, 404, 409, 429)},
        tags=["benchmarks"],
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        result = find_own(request, detailed_results(), pk)
        others = Result.objects.filter(submission=result.submission).count() - 1
        if others:
            raise ApiError(
                http.HTTP_409_CONFLICT,
                f"Its submission {result.submission_id} holds {others} more: results that were given together are "
                f"deleted together, with DELETE /api/submissions/{result.submission_id}.",
            )
        with refuse_step():
            delete(submission=result.submission, by=owner(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


class BenchmarkRaw(PublicReads):
    @extend_schema(
        operation_id="benchmarks_raw",
        summary="The file that a result was read from, as stored after redaction",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **errors(401, 403, 404, 409, 410)},
        tags=["benchmarks"],
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        refuse_gone(request, pk)
        raw = raw_file_of(find_visible(request, detailed_results(), pk))
        if raw is None:
            raise NotFound
        return attachment(open_raw_file(raw), raw.name)


def _read(request: Request, options: UploadOptions) -> idempotency.Storing:
    """What will store the upload, once it has been understood and can be right."""
    sent = unpack_files(request, max_entries=MAX_ENTRIES)
    if options.in_background or is_many(sent.files, sent.entries):
        return partial(_read_later, request, sent, options)
    reading = read_sent(sent, options.stated, owner=owner(request))
    refuse_impossible(reading)
    return partial(_store, request, reading, options)


def _store(request: Request, reading: Reading, options: UploadOptions) -> Response:
    """201 with the submission."""
    with refuse_step():
        submission = new_submission(
            reading=reading,
            owner=owner(request),
            provenance=Provenance.API,
            visibility=options.visibility,
            note=options.note,
            licence=options.licence,
        )
    body = submission_body(detailed_submissions().get(pk=submission.pk), request)
    body["ignored"] = [ignored_body(path, why) for path, why in reading.ignored]
    return Response(body, http.HTTP_201_CREATED, headers={"Location": body["url"]})


def _read_later(request: Request, sent: Sent, options: UploadOptions) -> Response:
    """202: many files are read in the background."""
    wanted = BatchOptions(
        provenance=Provenance.API,
        visibility=options.visibility,
        note=options.note,
        licence=options.licence,
        stated=options.stated,
    )
    with refuse_step():
        batch = open_batch(owner=owner(request), uploads=sent.files, files_total=len(sent.entries), options=wanted)
    row = batch_row(batch, request)
    return Response({"batch": row}, http.HTTP_202_ACCEPTED, headers={"Location": row["url"]})
