"""card.png of results, models, GPUs and of the site; drawn once for a state of the data."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import condition, require_safe

from leaderboard.models import Hardware, LanguageModel
from leaderboard.presenting.share_cards import BEST, hardware_card, model_card, result_card, site_card
from leaderboard.queries.facets import data_version
from leaderboard.queries.share_cards import public_result, standing_of_all, standing_of_hardware, standing_of_model
from lemsite import __version__
from lemsite.lib.share_card import png_response

KEPT_FOR_S = 3600
MAX_AGE_S = 600


def _etag(request: HttpRequest, **_: Any) -> str:
    state = (data_version(), __version__, request.path)
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


def _drawn(request: HttpRequest, draw: Callable[[], bytes]) -> HttpResponse:
    name = f"share-card:{_etag(request)[1:-1]}"
    content = cache.get(name)
    if content is None:
        content = draw()
        cache.set(name, content, KEPT_FOR_S)
    return png_response(content, MAX_AGE_S)


@require_safe
@condition(etag_func=_etag)
def result(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = public_result(pk)
    if found is None:
        raise Http404
    return _drawn(request, lambda: result_card(found))


@require_safe
@condition(etag_func=_etag)
def model(request: HttpRequest, organisation: str, name: str) -> HttpResponse:
    found = get_object_or_404(LanguageModel, name=f"{organisation}/{name}")
    return _drawn(request, lambda: model_card(found, standing_of_model(found, BEST)))


@require_safe
@condition(etag_func=_etag)
def hardware(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Hardware, slug=slug)
    return _drawn(request, lambda: hardware_card(found, standing_of_hardware(found, BEST)))


@require_safe
@condition(etag_func=_etag)
def site(request: HttpRequest) -> HttpResponse:
    return _drawn(request, lambda: site_card(*standing_of_all()))
