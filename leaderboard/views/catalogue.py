from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import condition, require_safe

from leaderboard.board import BoardQuery
from leaderboard.checks import CHECK_SET
from leaderboard.metrics import METRICS
from leaderboard.models import Hardware, LanguageModel, Trust
from leaderboard.presenting.advice import model_advice
from leaderboard.presenting.board import export_links, stored_columns
from leaderboard.presenting.catalogue import hardware_list_page, hardware_page, model_list_page, model_page
from leaderboard.presenting.common import SIMULATED, hardware_url, model_url, trust_badge
from leaderboard.presenting.comparing import compare_url
from leaderboard.presenting.methodology import check_rows, metric_groups, shape_rows
from leaderboard.presenting.stories import hardware_story, model_story
from leaderboard.presenting.watching import feed_links
from leaderboard.queries.board import board_results
from leaderboard.queries.catalogue import hardware_matching, models_matching, ranked_results_by
from leaderboard.queries.facets import hidden_by_trust
from leaderboard.queries.watching import is_watching
from leaderboard.views.board import page_etag
from lemsite.lib.asked_once import asking_once
from lemsite.lib.rendered_pages import kept

MAX_ROWS = 50
MAX_Q = 100


@require_safe
@condition(etag_func=page_etag)
@kept(page_etag)
def model_list(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "").replace("\x00", "")[:MAX_Q]
    page = model_list_page(list(models_matching(q)), ranked_results_by("model"), q)
    return _answer(request, "leaderboard/catalogue_list.html", {"page": page})


@require_safe
@condition(etag_func=page_etag)
@kept(page_etag)
def hardware_list(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "").replace("\x00", "")[:MAX_Q]
    page = hardware_list_page(list(hardware_matching(q)), ranked_results_by("hardware"), q)
    return _answer(request, "leaderboard/catalogue_list.html", {"page": page})


@require_safe
@asking_once
@condition(etag_func=page_etag)
@kept(page_etag)
def model_detail(request: HttpRequest, organisation: str, name: str) -> HttpResponse:
    model = get_object_or_404(LanguageModel.objects.prefetch_related("aliases"), name=f"{organisation}/{name}")
    query = replace(BoardQuery(limit=MAX_ROWS), facets={"model": (model.name,)})
    page = model_page(model, query, board_results(query, stored_columns(query)), hidden_by_trust(query))
    follow = {"feeds": feed_links(query), "downloads": export_links(query), "watch_url": f"{model_url(model)}watch/"}
    story = model_story(model, query)
    more = {"advice": model_advice(model, query), "compare_url": compare_url(models=[model.name])}
    context = {"page": page, "story": story, "is_watching": is_watching(request.user, model=model), **follow, **more}
    return _answer(request, "leaderboard/catalogue_detail.html", context)


@require_safe
@asking_once
@condition(etag_func=page_etag)
@kept(page_etag)
def hardware_detail(request: HttpRequest, slug: str) -> HttpResponse:
    gpu = get_object_or_404(Hardware.objects.prefetch_related("aliases"), slug=slug)
    query = replace(BoardQuery(limit=MAX_ROWS), facets={"hardware": (gpu.slug,)})
    page = hardware_page(gpu, query, board_results(query, stored_columns(query)), hidden_by_trust(query))
    follow = {"feeds": feed_links(query), "downloads": export_links(query), "watch_url": f"{hardware_url(gpu)}watch/"}
    story = hardware_story(gpu, query)
    context = {"page": page, "story": story, "is_watching": is_watching(request.user, hardware=gpu), **follow}
    return _answer(request, "leaderboard/catalogue_detail.html", context)


def _answer(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """The same for everybody who is not signed in, until the data changes."""
    response = render(request, template, context)
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


@require_safe
def methodology(request: HttpRequest) -> HttpResponse:
    context = {
        "groups": metric_groups(METRICS),
        "checks": check_rows(),
        "check_set": CHECK_SET,
        "trust": [*(trust_badge(level) for level in Trust), SIMULATED],
        "shapes": shape_rows(),
    }
    return render(request, "leaderboard/methodology.html", context)
