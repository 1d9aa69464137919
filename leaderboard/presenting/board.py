"""The leaderboard page: rows of ready text, facets with counts, and the way to every neighbouring state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.board import (
    DEFAULT_MIN_TRUST,
    FACETS,
    SIZE_LABELS,
    SIZES,
    BoardQuery,
    Prices,
)
from leaderboard.metrics import METRICS, Metric
from leaderboard.models import Backend, Hardware, LanguageModel, Result, Trust
from leaderboard.pages import BoardPage, BoardRow, Cell, ColumnChoice, ColumnHead, Facet, FacetOption, Link
from leaderboard.presenting.common import (
    SCOPE_WORDS,
    backend_words,
    batch_words,
    gpu_words,
    hardware_link,
    model_link,
    result_url,
    trust_badge,
)
from leaderboard.presenting.watching import feed_links
from leaderboard.queries.board import UNKNOWN, BoardResults
from leaderboard.queries.community import disputed_among
from leaderboard.queries.facets import Counts

FIXED_ORDER: dict[str, tuple[str, ...]] = {
    "size": tuple(SIZES),
    "trust": ("T4", "T3", "T2", "Published", "T1"),
}
#: of hundreds of models the most frequent are offered; the search finds the others
MAX_OPTIONS = 60
NUMERIC_FACETS = ("gpu_count", "batch_size")
PRICE_WORDS = {
    "usd_per_gpu_hour": "${} per GPU-hour",
    "usd_per_kwh": "${} per kWh",
    "pue": "PUE {}",
    "co2_g_per_kwh": "{} gCO2/kWh",
}
#: what a row is made of beside its figures
ROW = (
    "model__name", "model__title", "model__organisation", "model_name", "hardware__slug", "hardware__name",
    "hardware_name", "gpu_count", "backend__name", "backend_name", "backend_version", "precision", "batch_size",
    "concurrency", "energy_scope", "trust", "runs", "statistics",
)  # fmt: skip
#: from these come costs and carbon, and why there are none
PRICED_BY = ("energy_per_output_token_j", metrics.GPU_SECONDS)
SCOPE_LABELS = {"gpu": "GPUs", "node": "node", "wall": "wall socket"}


def board_page(query: BoardQuery, found: BoardResults, counts: Counts, notices: Sequence[str] = ()) -> BoardPage:
    path = reverse("leaderboard:list")
    columns = shown_columns(query)
    return BoardPage(
        view=query.view,
        sort_label=sort_label(query),
        heads=column_heads(query, columns, path),
        rows=board_rows(query, found.results, columns),
        facets=list(_facets(query, counts)),
        column_choices=[ColumnChoice(m.name, _with_unit(m), m.group, m in columns) for m in METRICS],
        summary=_summary(query, counts),
        chips=list(filter_chips(query, path)),
        hidden_by_trust=_hidden_by_trust(query, counts, path),
        hidden_unmeasured=_hidden_unmeasured(query, counts),
        other_view=_other_view(query, path),
        answer=_answer(query, found.results),
        empty_because=[] if found.results else list(filter_chips(query, path, narrowing_only=True)),
        first_url=query.url(path) if query.cursor else "",
        next_url=query.url(path, found.next_cursor) if found.next_cursor else "",
        downloads=export_links(query.spelled_out()),
        kept=_kept(query),
        clear_url=replace(query, facets={}, limits={}, q="", min_trust=DEFAULT_MIN_TRUST, cursor=None).url(path),
        notices=notices,
        feeds=feed_links(query),
    )


def shown_columns(query: BoardQuery) -> list[Metric]:
    """The chosen columns, and the sorted one wherever it is not among them."""
    columns = [metrics.BY_NAME[name] for name in query.columns]
    if query.metric not in columns:
        columns.insert(0, query.metric)
    if query.prices.co2_g_per_kwh is not None and metrics.BY_NAME["co2_g_per_million_tokens"] not in columns:
        columns.append(metrics.BY_NAME["co2_g_per_million_tokens"])
    return columns


def stored_columns(query: BoardQuery) -> list[str]:
    """What `board_rows` reads of a result: a tenth of what is stored."""
    figures = [metric.name for metric in shown_columns(query) if metric.name != "co2_g_per_million_tokens"]
    return list(dict.fromkeys((*ROW, *PRICED_BY, *figures)))


def column_heads(query: BoardQuery, columns: Sequence[Metric], path: str) -> list[ColumnHead]:
    heads = []
    for metric in columns:
        direction = ("descending" if query.descending else "ascending") if metric.name == query.sort else ""
        url = query.sorted_by(metric).url(path) if metric.is_sortable else ""
        heads.append(ColumnHead(metric.name, metric.label, metric.unit, metric.meaning, direction, url))
    return heads


def board_rows(query: BoardQuery, results: Sequence[Result], columns: Sequence[Metric]) -> list[BoardRow]:
    best = max((value for result in results if (value := cell_value(result, query.metric, query.prices))), default=None)
    disputed = disputed_among(results)
    return [
        _row(
            rank, result, [_cell(query, result, metric, best) for metric in columns], is_disputed=result.pk in disputed
        )
        for rank, result in enumerate(results, start=query.rows_before + 1)
    ]


def cell_value(result: Result, metric: Metric, prices: Prices) -> float | None:
    """The value in this column, with the reader's own prices and grid where they matter."""
    return priced_value(partial(getattr, result), metric, prices)


def priced_value(stored: Callable[[str], float | None], metric: Metric, prices: Prices) -> float | None:
    """The value in this column of whatever gives the stored ones by their name."""
    if metric.name == "co2_g_per_million_tokens":
        if prices.co2_g_per_kwh is None:
            return None
        return metrics.co2_g(stored("energy_per_output_token_j"), prices.co2_g_per_kwh, prices.effective_pue)
    if metric.name == "cost_per_million_tokens_usd":
        return _cost(stored, prices)
    return stored(metric.name)


def _cost(stored: Callable[[str], float | None], prices: Prices) -> float | None:
    if prices.usd_per_gpu_hour is not None:
        return metrics.cost_usd(stored(metrics.GPU_SECONDS), prices.usd_per_gpu_hour)
    if prices.usd_per_kwh is not None:
        return metrics.electricity_usd(stored("energy_per_output_token_j"), prices.usd_per_kwh, prices.effective_pue)
    return stored("cost_per_million_tokens_usd")


def _row(rank: int, result: Result, cells: Sequence[Cell], *, is_disputed: bool) -> BoardRow:
    return BoardRow(
        rank=rank,
        url=result_url(result),
        model=model_link(result),
        organisation=result.model.organisation if result.model else "",
        hardware=hardware_link(result),
        gpu_count=f"{result.gpu_count} x" if result.gpu_count else "",
        backend=backend_words(result),
        precision=result.precision,
        batch=batch_words(result),
        cells=cells,
        trust=trust_badge(result.trust),
        runs=fmt.count(result.runs, "run") if result.runs else "",
        scope=SCOPE_WORDS.get(result.energy_scope, ""),
        is_disputed=is_disputed,
        pk=str(result.pk),
    )


def _cell(query: BoardQuery, result: Result, metric: Metric, best: float | None) -> Cell:
    value = cell_value(result, metric, query.prices)
    if value is None:
        return Cell("", is_sorted=metric.name == query.sort, absent=_absent(result, metric))
    statistics = result.statistics.get(metric.name) or {}
    interval = fmt.interval_percent(value, statistics.get("ci95_low"), statistics.get("ci95_high"))
    if metric.name != query.sort:
        return Cell(fmt.number(value), interval)
    bar = max(round(100 * value / best), 1) if best and value > 0 else None
    return Cell(fmt.number(value), interval, is_sorted=True, bar_percent=bar)


def _absent(result: Result, metric: Metric) -> str:
    if metric.name == "cost_per_million_tokens_usd" and result.gpu_seconds_per_million_tokens is not None:
        return "no price"
    if metric.name == "co2_g_per_million_tokens" and result.energy_per_output_token_j is not None:
        return "no grid factor"
    return "not measured"


def sort_label(query: BoardQuery) -> str:
    return f"{_with_unit(query.metric)}, {'best' if query.best_first else 'worst'} first"


def _with_unit(metric: Metric) -> str:
    return f"{metric.label} ({metric.unit})" if metric.unit and metric.unit not in metric.label else metric.label


def _summary(query: BoardQuery, counts: Counts) -> str:
    if not counts.is_counted:
        return "The results that fit are being counted"
    models, gpus = fmt.count(counts.models, "model"), fmt.count(counts.hardware, "GPU type")
    return f"{fmt.count(counts.total, 'configuration')} of {models} on {gpus}"


def _hidden_by_trust(query: BoardQuery, counts: Counts, path: str) -> Link | None:
    hidden = counts.hidden_by_trust(query)
    if hidden <= 0 or not counts.is_counted:
        return None
    shown = replace(query.without_facet("trust"), min_trust=Trust.SELF_REPORTED)
    only_self_reported = "trust" not in query.facets and query.min_trust <= DEFAULT_MIN_TRUST
    what = "self-reported result" if only_self_reported else "result of other trust levels"
    many = what + "s" if only_self_reported else "results of other trust levels"
    return Link(f"{fmt.count(hidden, what, many)} hidden", shown.url(path))


def _hidden_unmeasured(query: BoardQuery, counts: Counts) -> str:
    without = counts.total - counts.measured
    if without <= 0 or not counts.is_counted:
        return ""
    verb, listed = ("has", "is") if without == 1 else ("have", "are")
    return f"{fmt.count(without, 'result')} {verb} no {query.metric.label} and {listed} not listed"


def _other_view(query: BoardQuery, path: str) -> Link:
    if query.view == "best":
        return Link("show all configurations", replace(query, view="all", cursor=None).url(path))
    return Link("show only the best of each", replace(query, view="best", cursor=None).url(path))


def _answer(query: BoardQuery, results: Sequence[Result]) -> str:
    """The best row in a sentence; only where the reader set limits or filters, else the table says it."""
    is_asked = bool(query.facets or query.limits or query.q)
    if not results or not is_asked or not query.best_first or query.cursor:
        return ""
    result = results[0]
    value = cell_value(result, query.metric, query.prices)
    details = [result.precision, backend_words(result), f"batch {batch_words(result)}" if batch_words(result) else ""]
    how = ", ".join(detail for detail in details if detail)
    model = model_link(result).label
    figure = f"{fmt.number(value)} {query.metric.unit}"
    return f"Within your limits, {model} ({how}) on {gpu_words(result)} comes first: {figure}."


def _facets(query: BoardQuery, counts: Counts) -> Iterator[Facet]:
    for name, label in FACETS.items():
        labels = _labels(name, counts.facets[name])
        chosen = query.facets.get(name, ())
        values = dict(counts.facets[name]) | {value: counts.facets[name].get(value, 0) for value in chosen}
        if len(values) > 1 or chosen:
            options = [FacetOption(value, labels.get(value, value), n, value in chosen) for value, n in values.items()]
            options.sort(key=partial(_facet_order, name))
            options = [option for place, option in enumerate(options) if place < MAX_OPTIONS or option.is_on]
            if not counts.is_counted:
                options = [replace(option, count=None) for option in options]
            yield Facet(name, label, options, bool(chosen))


def _facet_order(name: str, option: FacetOption) -> tuple[int, int, str]:
    """Known order, then numbers, then the most frequent; unknown last."""
    if option.value == UNKNOWN:
        return (2, 0, option.value)
    if name in FIXED_ORDER:
        return (0, FIXED_ORDER[name].index(option.value), option.value)
    if name in NUMERIC_FACETS:
        return (0, int(option.value), option.value)
    return (1, -(option.count or 0), option.label)


def _labels(name: str, values: object) -> dict[str, str]:
    if name == "hardware":
        return dict(Hardware.objects.values_list("slug", "name"))
    if name == "backend":
        return dict(Backend.objects.values_list("slug", "name"))
    if name == "model":
        return dict(LanguageModel.objects.values_list("name", "title"))
    if name == "size":
        return SIZE_LABELS
    if name == "trust":
        return {trust.code: trust.label for trust in Trust}
    if name == "energy_scope":
        return SCOPE_LABELS
    return {}


def filter_chips(query: BoardQuery, path: str, *, narrowing_only: bool = False) -> Iterator[Link]:
    """Each filter in force, with the address of this state without it."""
    if query.q:
        yield Link(f"“{query.q}”", replace(query, q="", cursor=None).url(path))
    for name, values in query.facets.items():
        labels = _labels(name, values)
        for value in values:
            label = f"{FACETS[name]}: {labels.get(value, value)}"
            yield Link(label, query.without_facet(name, value).url(path))
    for (column, edge), limit in query.limits.items():
        metric = metrics.BY_NAME[column]
        words = "at least" if edge == "min" else "at most"
        label = f"{metric.label} {words} {fmt.exact(limit)} {metric.unit}"
        yield Link(label, query.without_limit((column, edge)).url(path))
    is_wider = query.min_trust < DEFAULT_MIN_TRUST
    if query.min_trust != DEFAULT_MIN_TRUST and "trust" not in query.facets and not (is_wider and narrowing_only):
        url = replace(query, min_trust=DEFAULT_MIN_TRUST, cursor=None).url(path)
        yield Link(f"Trust: {query.min_trust.label} and up", url)
    if query.are_prices_private and not narrowing_only:
        yield Link(f"Your prices: {_price_words(query.prices)}", query.without_settings().url(path))
    elif query.prices_of == "catalogue" and not narrowing_only:
        yield Link("Catalogue prices", replace(query, prices_of="reader", cursor=None).url(path))


def _price_words(prices: Prices) -> str:
    values = ((name, getattr(prices, name)) for name in Prices.__slots__)
    return ", ".join(PRICE_WORDS[name].format(fmt.exact(value)) for name, value in values if value is not None)


def export_links(query: BoardQuery) -> list[Link]:
    """The results that pass the filters, in their order, as files."""
    return [Link(name, query.url(f"/api/benchmarks.{name.lower()}")) for name in ("CSV", "JSON", "Parquet")]


def _kept(query: BoardQuery) -> list[tuple[str, str]]:
    """What the filter form has no input for."""
    inputs = {"q", *FACETS, *Prices.__slots__, "columns"}
    limits = {f"{column}_{edge}" for column, edge in FORM_LIMITS}
    return [(name, value) for name, value in query.parameters() if name not in inputs | limits]


#: the limits that have an input of their own in the form
FORM_LIMITS = (("itl_ms_p50", "max"), ("ttft_ms_p90", "max"), ("throughput_tokens_per_s", "min"))
