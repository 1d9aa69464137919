"""/data/: the full dumps, their cards, schemas and checksums. Public, and the same for everyone."""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from leaderboard.models import Dump
from leaderboard.presenting.dumps import data_page, file_url
from leaderboard.queries.dumps import dumps
from leaderboard.services.dumps import COLUMNS, KEPT, schema_name
from lemsite.lib.ranges import file_response

#: a version never changes; "latest" does
FOR_GOOD = "public, max-age=31536000, immutable"
#: ending of an address -> which of the dump's files
KINDS = {"parquet": "parquet", "md": "card", "sha256": "checksum"}
logger = logging.getLogger(__name__)


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    return render(request, "leaderboard/data.html", {"page": data_page(list(dumps()), COLUMNS, KEPT)})


@require_safe
def latest(request: HttpRequest, ending: str) -> HttpResponse:
    """The address of the newest dump's file."""
    newest = dumps().first()
    if newest is None or ending not in KINDS:
        raise Http404
    response = redirect(file_url(newest, KINDS[ending]))
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def dump_parquet(request: HttpRequest, version: str) -> HttpResponseBase:
    """The file, whole or in parts: readers of Parquet fetch the columns they need."""
    dump = _found(version)
    try:
        stream = default_storage.open(dump.file, "rb")
    except FileNotFoundError:
        logger.exception("The file of dump %s is not in the storage", version)
        raise Http404 from None
    headers = {
        "Content-Type": "application/vnd.apache.parquet",
        "Content-Disposition": f'attachment; filename="{dump.version}.parquet"',
        "Cache-Control": FOR_GOOD,
        "X-Content-Type-Options": "nosniff",
    }
    return file_response(request, stream, size=dump.size_bytes, etag=f'"{dump.sha256}"', headers=headers)


@require_safe
def dump_card(request: HttpRequest, version: str) -> HttpResponse:
    return _text(_found(version).card, "text/plain; charset=utf-8")


@require_safe
def dump_schema(request: HttpRequest, version: str) -> HttpResponse:
    return _text(schema_name(_found(version)), "application/schema+json")


@require_safe
def dump_checksum(request: HttpRequest, version: str) -> HttpResponse:
    """As `sha256sum --check` reads it."""
    dump = _found(version)
    response = HttpResponse(f"{dump.sha256}  {dump.version}.parquet\n", content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = FOR_GOOD
    return response


def _found(version: str) -> Dump:
    return get_object_or_404(Dump, version=version)


def _text(name: str, content_type: str) -> HttpResponse:
    try:
        with default_storage.open(name, "rb") as stored:
            response = HttpResponse(stored.read(), content_type=content_type)
    except FileNotFoundError:
        raise Http404 from None
    response["Cache-Control"] = FOR_GOOD
    response["X-Content-Type-Options"] = "nosniff"
    return response
