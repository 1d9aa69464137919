"""The form of /analysis/, and the compact one on the leaderboard, as an address fills them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.core.cache import cache

from leaderboard.analysis_pages import AskForm, LimitInput, Option
from leaderboard.board import SIZE_LABELS, Prices
from leaderboard.metrics import BY_NAME
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.presenting.answer_words import GOAL_WORDS
from leaderboard.queries.facets import data_version
from leaderboard.question import Question, countries, grid_source

STATISTICS = ("mean", "p50", "p90", "p99")
LATENCIES = ("ttft_ms", "itl_ms", "tpot_ms")
THROUGHPUT = "throughput_tokens_per_s"
#: the filters with an input of their own, which holds one value; further ones stay in the address
CHOSEN = ("model", "family", "size", "hardware")
CACHE_S = 24 * 3600
#: (name, title, family) of models, and (slug, name) of hardware
Measured = tuple[list[tuple[str, str, str]], list[tuple[str, str]]]
LIMIT_INPUTS = frozenset(
    {f"{THROUGHPUT}_min", *(f"{latency}_{statistic}_max" for latency in LATENCIES for statistic in STATISTICS)}
)


def ask_form(question: Question) -> AskForm:
    models, hardware = measured()
    prices = Prices() if question.board.are_prices_private else question.typed.prices
    chosen = {name: next(iter(question.board.facets.get(name, ())), "") for name in CHOSEN}
    return AskForm(
        q=question.board.q,
        models=_by_family(models, chosen["model"]),
        families=_options([(family, family) for family in dict.fromkeys(row[2] for row in models)], chosen["family"]),
        sizes=_options(list(SIZE_LABELS.items()), chosen["size"]),
        hardware=_options(hardware, chosen["hardware"]),
        statistics=STATISTICS,
        latencies=[
            (_name(latency), [_limit(question, f"{latency}_{s}", "max") for s in STATISTICS]) for latency in LATENCIES
        ],
        throughput=_limit(question, THROUGHPUT, "min"),
        **{name: _typed(getattr(prices, name)) for name in Prices.__slots__},
        countries=_options(
            [(c.code, f"{c.name}, {c.co2_g_per_kwh:.0f} g ({c.year})") for c in countries().values()], question.country
        ),
        grid_source=grid_source(),
        goals=_options(list(GOAL_WORDS.items()), question.goal),
    )


def kept(question: Question) -> list[tuple[str, str]]:
    """What the form has no input for, of the address."""
    inputs = {"q", "goal", "country", *Prices.__slots__, *LIMIT_INPUTS}
    seen: set[str] = set()
    found = []
    for name, value in question.parameters():
        if name in inputs:
            continue
        if name in CHOSEN and name not in seen:
            seen.add(name)
            continue
        found.append((name, value))
    return found


def measured() -> Measured:
    """Models and hardware with results; read once a data version."""
    key = f"measured:{data_version()}"
    kept: Measured | None = cache.get(key)
    if kept is None:
        kept = _read_measured()
        cache.set(key, kept, CACHE_S)
    return kept


def _read_measured() -> Measured:
    ranked = Result.objects.ranked().order_by()
    models = LanguageModel.objects.filter(pk__in=set(ranked.values_list("model", flat=True).distinct()))
    hardware = Hardware.objects.filter(pk__in=set(ranked.values_list("hardware", flat=True).distinct()))
    return list(models.values_list("name", "title", "family")), list(hardware.values_list("slug", "name"))


def _by_family(models: Sequence[tuple[str, str, str]], chosen: str) -> list[tuple[str, list[Option]]]:
    """In the order of the catalogue, which is by family."""
    if chosen and chosen not in {name for name, _, _ in models}:
        models = [*models, (chosen, chosen, "Without results")]
    return [
        (family, [Option(name, title, name == chosen) for name, title, _ in rows])
        for family, rows in groupby(models, key=lambda row: row[2])
    ]


def _options(pairs: Sequence[tuple[str, str]], chosen: str) -> list[Option]:
    options = [Option(value, label, value == chosen) for value, label in pairs]
    if chosen and not any(option.is_on for option in options):
        options.append(Option(chosen, chosen, is_on=True))
    return options


def _limit(question: Question, column: str, edge: str) -> LimitInput:
    metric = BY_NAME[column]
    words = f"{metric.label} at {'most' if edge == 'max' else 'least'}, {metric.unit}"
    return LimitInput(f"{column}_{edge}", words, _typed(question.board.limits.get((column, edge))))


def _name(latency: str) -> str:
    return BY_NAME[f"{latency}_mean"].label.removesuffix(" mean")


def _typed(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"
