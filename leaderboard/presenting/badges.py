"""Badges: one figure as a small image, with its unit, scope and trust in words."""

from __future__ import annotations

from leaderboard import format as fmt
from leaderboard.board import BoardQuery
from leaderboard.embed_pages import Badge
from leaderboard.metrics import BY_NAME, PRIMARY, SORTABLE, Better, Metric
from leaderboard.models import LanguageModel, Result, Trust
from leaderboard.presenting.common import gpu_words, model_link, trust_badge
from leaderboard.queries.board import board_results

#: what has a figure without prices of one's own
METRICS = frozenset(metric.name for metric in SORTABLE if metric.name != "co2_g_per_million_tokens")
DEFAULT = PRIMARY
GREEN, GREY, CLAY = "#1d6b4c", "#565b53", "#9c4718"
SCOPES = {"gpu": "GPU", "node": "node", "wall": "wall"}
SIZE_PX = 11
#: widths of Verdana's characters as shares of its size; text is set to what they add up to
_NARROW, _WIDE = frozenset("iIjl.,:;|!'()[]tfr/ "), frozenset("mwMW@%")
_MAX_VALUE = 60


def result_figure(result: Result, metric: Metric) -> Badge:
    value: float | None = getattr(result, metric.name)
    return _badge(metric, result, value, f"{model_link(result).label} on {gpu_words(result)}")


def model_figure(model: LanguageModel, metric: Metric) -> Badge:
    """The best of its ranked results, by GPU energy where energy is in it."""
    facets = {"model": (model.name,)} | ({"energy_scope": ("gpu",)} if _has_energy(metric) else {})
    query = BoardQuery(sort=metric.name, descending=metric.better == Better.HIGHER, facets=facets, limit=1)
    best = next(iter(board_results(query).results), None)
    if best is None:
        return _sized(metric.label, "not measured", f"{model.title}: {metric.label} not measured", GREY)
    return _badge(metric, best, getattr(best, metric.name), f"{model.title}, best of its results: {gpu_words(best)}")


def _badge(metric: Metric, result: Result, value: float | None, what: str) -> Badge:
    if value is None:
        return _sized(metric.label, "not measured", f"{what}: {metric.label} not measured", GREY)
    scope = f" {SCOPES[result.energy_scope]}" if _has_energy(metric) and result.energy_scope in SCOPES else ""
    figure = f"{fmt.number(value)} {metric.unit}".strip()
    trust = trust_badge(result.trust)
    title = f"{what}: {metric.label} {figure}{f', {scope.strip()} energy' if scope else ''}, {trust.label}"
    color = CLAY if result.trust < Trust.PUBLISHED else GREY if result.trust == Trust.PUBLISHED else GREEN
    return _sized(f"{metric.label}{f',{scope}' if scope else ''}", f"{figure} · {trust.label}", title, color)


def _has_energy(metric: Metric) -> bool:
    return BY_NAME[metric.name].group == "Efficiency" or metric.name == "avg_power_w"


def _sized(label: str, value: str, title: str, color: str) -> Badge:
    value = value if len(value) <= _MAX_VALUE else f"{value[: _MAX_VALUE - 1]}…"
    return Badge(label, value, title, color, text_width(label), text_width(value))


def text_width(text: str) -> int:
    """About how wide the text is, in px at 11 px."""
    shares = (0.38 if c in _NARROW else 0.95 if c in _WIDE or ord(c) > 0x2E80 else 0.64 for c in text)
    return round(sum(shares) * SIZE_PX)
