"""Pages of live runs. Each is right as the server sends it; sockets and scripts only go on from there."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.services.preferences import preferences_of
from leaderboard.board import DEFAULT_PUE
from leaderboard.presenting.citing import Stamp
from leaderboard.presenting.comparing import choose, comparison_page
from leaderboard.views.board import own_prices
from runs.card import card_response
from runs.comparison import by_gpu_type, ended_runs, lane_means, left_out_simulated
from runs.downloads import CONTENT_TYPES, events_response
from runs.forms import CompareForm, RunFilterForm
from runs.history import Cursor, hidden_simulated, last_ended_run
from runs.history import run_page as history_rows
from runs.lane_states import lane_states
from runs.models import Run
from runs.presenting.common import WORLD_RATES, Rates, run_link
from runs.presenting.comparison import compare_page
from runs.presenting.history import run_list_page
from runs.presenting.live import live_page, live_strip, replay_page
from runs.presenting.run import EVENT_HEADS, MAX_EVENTS, run_page
from runs.queries import find_run, live_runs, recent_events
from runs.scores import scores_of, scores_of_models
from runs.sealing import stored_series, unsealed_series

MAX_OPEN = 20
MAX_USD_PER_GPU_HOUR = 10_000
MAX_MODELS = 50


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """?run= or the newest open run, a real one before a simulated one."""
    key = request.GET.get("run", "").replace("\x00", "")
    now = timezone.now()
    open_runs = _open_runs()
    run = _found(key) if key else next(iter(open_runs), None)
    page = live_page(run, lane_states(run), open_runs, now, rates=_rates_of(request)) if run else None
    last = None if page else last_ended_run()
    context = {"page": page, "last": run_link(last) if last else None}
    return _fresh(request, render(request, "runs/live.html", context))


@require_safe
def live_strip_fragment(request: HttpRequest) -> HttpResponse:
    """For the front page, which stays the same for everyone and is cached; 204 while nothing is live."""
    run = next(iter(_open_runs()), None)
    if run is None:
        return _fresh(request, HttpResponse(status=204))
    strip = live_strip(run, lane_states(run), timezone.now())
    return _fresh(request, render(request, "runs/_strip.html", {"strip": strip}))


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    form = RunFilterForm(request.GET)
    wanted = form.filter()
    cursor = Cursor.read(request.GET.get("after", ""))
    runs, following = history_rows(wanted, cursor)
    page = run_list_page(
        runs,
        wanted,
        path=request.path,
        following=following,
        is_first=cursor is None,
        hidden=hidden_simulated(wanted),
        now=timezone.now(),
    )
    return render(request, "runs/run_list.html", {"page": page, "form": form})


@require_safe
def run_detail(request: HttpRequest, key: str) -> HttpResponse:
    run = _found(key)
    events = recent_events(run, MAX_EVENTS)
    standing, rates = lane_states(run), _rates_of(request)
    page = run_page(run, standing, events, scores_of(run), now=timezone.now(), rates=rates)
    return _fresh(request, render(request, "runs/run_detail.html", {"page": page, "event_heads": EVENT_HEADS}))


@require_safe
def run_series(request: HttpRequest, key: str) -> HttpResponse:
    """Points of the charts and of the replay: {"lanes", "x", "fields"}."""
    run = _found(key)
    response = JsonResponse(stored_series(run) or unsealed_series(run))
    if run.sealed_seq:
        # Late events may be sealed into it later.
        patch_cache_control(response, public=True, max_age=300)
        return response
    return _fresh(request, response)


@require_safe
def run_card(request: HttpRequest, key: str) -> HttpResponse:
    """The picture that other sites show beside a link."""
    return card_response(_found(key))


@require_safe
def run_download(request: HttpRequest, key: str, ending: str) -> HttpResponseBase:
    if ending not in CONTENT_TYPES:
        raise Http404
    return events_response(_found(key), ending)


@require_safe
def run_replay(request: HttpRequest, key: str) -> HttpResponse:
    run = _found(key)
    page = replay_page(run, lane_states(run).states, timezone.now(), rates=_rates_of(request))
    return _fresh(request, render(request, "runs/run_replay.html", {"page": page}))


@require_safe
def run_compare(request: HttpRequest) -> HttpResponse:
    """Two sources on one page: published results, then live runs. A model is looked for in both."""
    form = CompareForm(request.GET)
    form.is_valid()
    simulated = bool(form.cleaned_data["simulated"])
    means = lane_means(ended_runs(simulated=simulated))
    known = {mean.model for mean in means}
    chosen = [model for model in request.GET.getlist("model")[:MAX_MODELS] if model in known]
    scores = scores_of_models(sorted({mean.run for mean in means}), chosen or sorted(known))
    left_out = 0 if simulated else left_out_simulated()
    rows = by_gpu_type(means, chosen)
    page = compare_page(means, chosen, rows, scores, simulated=simulated, left_out=left_out)
    prices = own_prices(request.user) if isinstance(request.user, User) else None
    published = choose(request.GET, request.user, prices, frozenset(known))
    context = {"page": page, "published": comparison_page(published, request.path, Stamp.now())}
    response = render(request, "runs/compare.html", context)
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


def _found(word: str) -> Run:
    """By key, or by "~" and the row id where a path could not carry the key."""
    run = find_run(word)
    if run is None and word.startswith("~") and word[1:].isascii() and word[1:].isdigit() and len(word) < 20:
        run = Run.objects.filter(pk=int(word[1:])).prefetch_related("lanes").first()
    if run is None:
        raise Http404
    return run


def _open_runs() -> list[Run]:
    """Real ones first, each kind by its last sign of life."""
    return sorted(live_runs()[:MAX_OPEN], key=lambda run: run.is_simulated)


def _rates_of(request: HttpRequest) -> Rates:
    """Grid, PUE and price of the reader's settings, unless the address asks for those of all; its own price first."""
    usd = _price_in(request)
    if not isinstance(request.user, User) or request.GET.get("prices") == "catalogue":
        return replace(WORLD_RATES, usd_per_gpu_hour=usd, price_from="the address")
    own = preferences_of(request.user)
    rates = WORLD_RATES
    if own.co2_g_per_kwh is not None:
        rates = Rates(own.co2_g_per_kwh, DEFAULT_PUE if own.pue is None else own.pue, is_own_grid=True)
    if usd is None:
        return replace(rates, usd_per_gpu_hour=own.usd_per_gpu_hour)
    return replace(rates, usd_per_gpu_hour=usd, price_from="the address")


def _price_in(request: HttpRequest) -> float | None:
    """?usd_per_gpu_hour=, where it is a price."""
    try:
        usd = float(request.GET.get("usd_per_gpu_hour", ""))
    except ValueError:
        return None
    return usd if 0 <= usd <= MAX_USD_PER_GPU_HOUR else None


def _fresh(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response
