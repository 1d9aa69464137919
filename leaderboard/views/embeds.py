"""Pages made to stand inside those of other sites. They read no session and set no cookie: the same for everybody."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import condition, require_safe

from leaderboard.embed_pages import Badge
from leaderboard.metrics import BY_NAME, Metric
from leaderboard.models import LanguageModel, Result
from leaderboard.presenting.badges import DEFAULT, METRICS, model_figure, result_figure
from leaderboard.presenting.cards import result_card, table_card
from leaderboard.presenting.charts.block import address, chart_block
from leaderboard.presenting.charts.page import read_chart
from leaderboard.presenting.embedding import embed_of, oembed_body
from leaderboard.views.board import read_query
from leaderboard.views.charts import kind_of, public_etag

View = Callable[..., HttpResponseBase]
THEMES = ("light", "dark")
MAX_AGE_S = 300


def embeddable(view: View) -> View:
    """Any site may frame the page and load the image; nothing else of our policy is softened."""

    @require_safe
    @xframe_options_exempt
    @csp_replace({"frame-ancestors": ["*"]})
    @condition(etag_func=public_etag)
    @wraps(view)
    def public(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        response["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
        return response

    return public


@embeddable
def chart_embed(request: HttpRequest, slug: str) -> HttpResponse:
    kind = kind_of(slug)
    params = request.GET.copy()
    params.pop("theme", None)
    chart, params, notices = read_chart(kind, params)
    context = {"chart": chart_block(chart, params, level=1), "notices": notices, "page_url": address("chart", slug)}
    return _page(request, "leaderboard/embed_chart.html", context)


@embeddable
def result_embed(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    card = result_card(_ranked(pk))
    return _page(request, "leaderboard/embed_result.html", {"card": card, "page_url": card.url})


@embeddable
def table_embed(request: HttpRequest) -> HttpResponse:
    query, notices = read_query(request.GET)
    card = table_card(query, has_limit="limit" in request.GET)
    return _page(request, "leaderboard/embed_table.html", {"card": card, "notices": notices, "page_url": card.url})


@embeddable
def result_badge(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _svg(result_figure(_ranked(pk), _metric(request)))


@embeddable
def model_badge(request: HttpRequest, organisation: str, name: str) -> HttpResponse:
    model = get_object_or_404(LanguageModel, name=f"{organisation}/{name}")
    return _svg(model_figure(model, _metric(request)))


def _ranked(pk: uuid.UUID) -> Result:
    results = Result.objects.ranked().select_related("model", "hardware", "backend", "submission")
    return get_object_or_404(results, pk=pk)


def _metric(request: HttpRequest) -> Metric:
    name = request.GET.get("metric", DEFAULT)
    if name not in METRICS:
        raise Http404(f"metric is one of {', '.join(sorted(METRICS))}")
    return BY_NAME[name]


def _svg(badge: Badge) -> HttpResponse:
    response = HttpResponse(render_to_string("leaderboard/badge.svg", {"badge": badge}), content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Frame-Options"] = "DENY"  # it stands in other pages as an image, never as a frame
    return response


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Without the request in it: context processors would ask who is signed in."""
    theme = request.GET.get("theme", "")
    return HttpResponse(render_to_string(template, {**context, "theme": theme if theme in THEMES else ""}))


@require_safe
@condition(etag_func=public_etag)
def oembed(request: HttpRequest) -> HttpResponse:
    """https://oembed.com for the pages that have an embed."""
    if request.GET.get("format", "json") != "json":
        return HttpResponse("Only format=json is offered.", status=501, content_type="text/plain")
    found = embed_of(request.GET.get("url", ""))
    if found is None:
        raise Http404("no such page here to embed")
    response = JsonResponse(oembed_body(found, request.GET))
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
