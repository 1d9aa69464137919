from __future__ import annotations

import hashlib
import json
from functools import cache

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import condition, require_safe

from accounts.models import User
from accounts.services.preferences import preferences_of
from leaderboard.board import BoardQuery, BoardQueryError, Prices, parse_board_query
from leaderboard.forms import BoardForm
from leaderboard.presenting.board import board_page, stored_columns
from leaderboard.queries.board import board_results
from leaderboard.queries.facets import data_version, facet_counts
from leaderboard.services.catalogue import CATALOGUE
from lemsite import __version__
from lemsite.lib.htmx import render_page, wants_fragment
from lemsite.lib.rendered_pages import kept


@cache
def grid_factors() -> list[tuple[str, str]]:
    """(country and year, gCO2 per kWh) for the suggestions of the grid input."""
    grid = json.loads((CATALOGUE / "grid.json").read_text(encoding="utf-8"))
    return [(f"{row['name']} ({row['year']})", f"{row['co2_g_per_kwh']:g}") for row in grid["countries"]]


def page_etag(request: HttpRequest, **kwargs: object) -> str | None:
    """For anonymous readers: changes with the data, the address and the release; nothing else is on their page."""
    if request.user.is_authenticated:
        return None
    state = (data_version(), __version__, request.get_full_path(), wants_fragment(request))
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=page_etag)
@kept(page_etag)
def result_list(request: HttpRequest) -> HttpResponse:
    """The leaderboard; htmx gets the table alone from the same address."""
    query, notices = read_query(request.GET)
    if isinstance(request.user, User):
        # Their page alone has these: it carries no ETag, and no shared cache may keep it.
        query = query.with_settings(own_prices(request.user))
    counts = facet_counts(query.spelled_out())
    page = board_page(query, board_results(query, stored_columns(query)), counts, notices)
    context = {"board": page, "form": BoardForm.of(query), "grid": grid_factors()}
    response = render_page(request, "leaderboard/result_list.html", "board", context)
    if wants_fragment(request):
        response["HX-Push-Url"] = query.url(request.path)
    if not counts.is_current:
        # The ETag does not know of counts that come later: a kept page would show the old ones for good.
        response["Cache-Control"] = "no-store"
    else:
        response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


def own_prices(reader: User) -> Prices:
    preferences = preferences_of(reader)
    return Prices(**{name: getattr(preferences, name) for name in Prices.__slots__})


def read_query(params: QueryDict) -> tuple[BoardQuery, list[str]]:
    """The state asked for. Parameters that are wrong are left out, and the page says so."""
    try:
        return parse_board_query(params), []
    except BoardQueryError as error:
        good = params.copy()
        for name in error.fields:
            good.pop(name, None)
        notices = [f"{name} was left out: {message}." for name, message in error.fields.items()]
        return parse_board_query(good), notices
