"""Answers that change with the data only: an ETag of the data version, 304 while it stands."""

from __future__ import annotations

import hashlib

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from leaderboard.queries.facets import data_version
from lemsite import __version__


def etag_of(request: Request) -> str:
    """Changes with the data, the address and the release; readers of these answers all see the same."""
    state = (data_version(), __version__, request.build_absolute_uri())
    return f'W/"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


def not_modified(request: Request, etag: str) -> HttpResponseBase | None:
    """304 for a reader who has this version already, None for everyone else."""
    return get_conditional_response(request._request, etag=etag)


def with_etag(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"
    return response
