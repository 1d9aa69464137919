from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import condition, require_safe

from leaderboard.charts.base import Chart
from leaderboard.exports import csv_table
from leaderboard.pages import Link
from leaderboard.presenting.charts import BY_SLUG, KINDS
from leaderboard.presenting.charts.block import address, figure_of
from leaderboard.presenting.charts.kinds import ChartKind
from leaderboard.presenting.charts.page import chart_page, read_chart
from leaderboard.presenting.citing import Stamp, data_citation
from leaderboard.queries.facets import data_version
from leaderboard.views.board import page_etag
from lemsite import __version__
from lemsite.lib.htmx import render_page, wants_fragment
from lemsite.lib.rendered_pages import kept


def public_etag(request: HttpRequest, *args: object, **kwargs: object) -> str:
    """Of what is the same for everybody: changes with the data, the address and the release."""
    state = (data_version(), __version__, request.get_full_path(), _mark(kwargs.get("slug")))
    return f'"{hashlib.sha256(repr(state).encode()).hexdigest()[:32]}"'


def _page_etag(request: HttpRequest, **kwargs: str) -> str | None:
    etag, mark = page_etag(request), _mark(kwargs.get("slug"))
    return f'{etag[:-1]}-{mark}"' if etag and mark else etag


def _mark(slug: object) -> str:
    """Of what a kind of chart shows beside results."""
    kind = BY_SLUG.get(str(slug))
    if kind is None or kind.mark is None:
        return ""
    return hashlib.sha256(kind.mark().encode()).hexdigest()[:16]


def kind_of(slug: str) -> ChartKind:
    try:
        return BY_SLUG[slug]
    except KeyError as error:
        raise Http404(slug) from error


@require_safe
def chart_list(request: HttpRequest) -> HttpResponse:
    rows = [(Link(kind.title, address("chart", kind.slug)), kind.question) for kind in KINDS]
    context = {"rows": rows, "citations": [data_citation(Stamp.now())]}
    return render(request, "leaderboard/chart_list.html", context)


@require_safe
@condition(etag_func=_page_etag)
@kept(_page_etag)
def chart_detail(request: HttpRequest, slug: str) -> HttpResponse:
    kind = kind_of(slug)
    chart, params, notices = read_chart(kind, request.GET)
    page = chart_page(kind, chart, params, notices)
    context = {"page": page, "chart": page.chart, "asks_anew": wants_fragment(request) and _asks_anew(request, kind)}
    response = render_page(request, "leaderboard/chart_detail.html", "shown", context)
    if wants_fragment(request):
        # The form in it depends on the page that asks, so no cache may answer another page with it.
        response["HX-Push-Url"], response["Cache-Control"] = page.chart.page_url, "no-store"
    else:
        response["Cache-Control"] = "private, no-cache" if request.user.is_authenticated else "no-cache"
    return response


def _asks_anew(request: HttpRequest, kind: ChartKind) -> bool:
    """Whether the form has other questions than on the page that is shown; else what is being typed stays."""
    if kind.asks is not None:
        return True
    shown = QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    return kind.ranges is not None and kind.ranges(shown) != kind.ranges(request.GET)


@require_safe
@condition(etag_func=public_etag)
def chart_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The table behind the chart; each row ends with the address of its result where it has one."""
    chart, _, _ = read_chart(kind_of(slug), request.GET)
    response = HttpResponse(_csv(chart, request), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
@condition(etag_func=public_etag)
@kept(public_etag)
def chart_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The figure as Plotly takes it, colours as names of tokens, with its words and its rows."""
    chart, params, notices = read_chart(kind_of(slug), request.GET)
    query = params.urlencode()
    body = {
        **figure_of(chart, address("chart", slug, query)),
        "title": chart.title,
        "summary": chart.summary,
        "notes": list(chart.notes),
        "notices": notices,
        "columns": [{"name": c.name, "label": c.label, "unit": c.unit} for c in chart.table.columns],
        "rows": [list(row) for row in chart.table.rows],
    }
    response = JsonResponse(body, json_dumps_params={"allow_nan": False})
    response["Cache-Control"] = "no-cache"
    return response


def _csv(chart: Chart, request: HttpRequest) -> str:
    table = chart.table
    head = [column.name for column in table.columns]
    if not table.urls:
        return csv_table(head, table.rows)
    urls = [request.build_absolute_uri(url) if url else None for url in table.urls]
    return csv_table([*head, "url"], [[*row, url] for row, url in zip(table.rows, urls, strict=True)])
