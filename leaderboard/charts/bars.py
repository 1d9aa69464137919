"""Chosen results as bars with their intervals, and whether each differs from the best one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.analysis.welch import Comparison, Repeats, Verdict, welch
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import Reading, error_bars, figure_words, interval_words
from leaderboard.metrics import BY_NAME, Better

SLUG, TITLE = "bars", "Comparison bars"
MIN_BARS, MAX_BARS = 2, 8
OTHER_SCOPE = "another energy scope, not comparable"
NO_SCOPE = "energy scope not stated, not comparable"
BEST = "best"
#: a bar that does not differ clearly from the best is hatched
_PATTERNS = {Verdict.UNCLEAR.value: "/", Verdict.TOO_FEW.value: ".", OTHER_SCOPE: "x", NO_SCOPE: "x"}
_MAX_NAMED = 3
#: between bars, as a share of the distance from one to the next
_GAP = 0.5
_LETTERS, _PHONE_LETTERS = 110, 46


@dataclass(frozen=True, slots=True)
class Bar:
    """One result: what it is called, its value, and its repeats."""

    name: str
    value: float
    repeats: Repeats
    low: float | None = None
    high: float | None = None
    #: None where the metric is not about energy, "" where nobody stated it
    scope: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A bar beside the best one of its scope; the best has no comparison."""

    bar: Bar
    finding: str
    #: its value over the best one's; None where they are not comparable
    ratio: float | None
    comparison: Comparison | None = None


def ranked(metric: str, bars: Sequence[Bar]) -> list[Ranked]:
    """The best first. Those of another energy scope than most of the bars stand behind, compared with none."""
    sign = -1 if BY_NAME[metric].better == Better.HIGHER else 1
    scopes = Counter(bar.scope for bar in bars)
    scope = max(scopes, key=lambda name: (name != "", scopes[name], name == "gpu"), default=None)
    ordered = sorted(bars, key=lambda bar: (bar.scope != scope, sign * bar.value))
    return [_beside(bar, ordered[0], is_best=place == 0) for place, bar in enumerate(ordered)]


def _beside(bar: Bar, best: Bar, *, is_best: bool) -> Ranked:
    if is_best:
        return Ranked(bar, BEST, 1.0)
    if bar.scope == "":
        return Ranked(bar, NO_SCOPE, None)
    if bar.scope != best.scope:
        return Ranked(bar, OTHER_SCOPE, None)
    comparison = welch(best.repeats, bar.repeats)
    return Ranked(bar, comparison.verdict.value, bar.value / best.value if best.value else None, comparison)


def bars(metric: str, chosen: Sequence[Bar], notes: Sequence[str] = ()) -> Chart:
    head, found = BY_NAME[metric], ranked(metric, chosen)
    return Chart(
        slug=SLUG,
        title=f"{head.label} compared",
        summary=_summary(metric, found),
        traces=[_trace(metric, found)] if found else [],
        layout=look.layout(
            x=look.metric_axis(metric, rangemode="tozero"),
            y=look.axis("", showticklabels=False, ticks="", autorange="reversed", fixedrange=True),
            height=look.MEDIUM if len(found) <= 5 else look.LARGE,
            margin={"l": 12, "r": 24, "t": 12, "b": 52, "pad": 2},
            narrow={
                "margin": {"l": 8, "r": 16, "t": 12, "b": 44},
                "annotations": [_label(place, one, _PHONE_LETTERS) for place, one in enumerate(found)],
            },
            showlegend=False,
            bargap=_GAP,
            annotations=[_label(place, one, _LETTERS) for place, one in enumerate(found)],
        ),
        table=Table(_columns(metric), [_row(one) for one in found], [one.bar.url for one in found]),
        notes=notes,
    )


def _trace(metric: str, found: Sequence[Ranked]) -> dict[str, Any]:
    readings = [Reading(0, one.bar.value, one.bar.low, one.bar.high) for one in found]
    return {
        "type": "bar",
        "orientation": "h",
        "x": [one.bar.value for one in found],
        "y": list(range(len(found))),
        "error_x": {**error_bars(readings), "color": "text"},
        "marker": {
            "color": ["accent" if one.finding == BEST else "series-1" for one in found],
            "line": {"color": "text", "width": 1},
            "pattern": {"shape": [_PATTERNS.get(one.finding, "") for one in found], "fgcolor": "surface", "size": 7},
        },
        "customdata": list(range(len(found))),
        "hovertext": [
            look.lines(
                one.bar.name,
                figure_words(one.bar.value, metric),
                interval_words(one.bar.low, one.bar.high),
                one.finding,
            )
            for one in found
        ],
        "hoverinfo": "text",
    }


def _label(place: int, one: Ranked, letters: int) -> dict[str, Any]:
    """Above its bar, since names are longer than a phone leaves beside it."""
    name = one.bar.name
    return {
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": place - (1 - _GAP) / 2,
        "yref": "y",
        "yanchor": "bottom",
        "text": look.plain(name if len(name) <= letters else f"{name[: letters - 1]}…"),
        "showarrow": False,
        "font": {"color": "text", "size": 12},
    }


def _columns(metric: str) -> tuple[Column, ...]:
    head = BY_NAME[metric]
    return (
        Column("result", "Result"),
        Column(metric, head.label, head.unit),
        Column("ci95_low", "95 % low", head.unit),
        Column("ci95_high", "95 % high", head.unit),
        Column("repeats", "Repeats"),
        Column("sd", "Standard deviation", head.unit),
        Column("percent_of_best", "Of the best", "%"),
        Column("p", "p (Welch)"),
        Column("finding", "Against the best"),
    )


def _row(one: Ranked) -> tuple[Value, ...]:
    bar, p = one.bar, one.comparison.p if one.comparison else None
    percent = None if one.ratio is None else one.ratio * 100
    return (bar.name, bar.value, bar.low, bar.high, bar.repeats.n, bar.repeats.sd, percent, p, one.finding)


def _summary(metric: str, found: Sequence[Ranked]) -> str:
    if not found:
        return f"Choose two to eight results that have {BY_NAME[metric].label}."
    best, *others = found
    direction = "Most" if BY_NAME[metric].better == Better.HIGHER else "Least"
    first = f"{direction} {BY_NAME[metric].label}: {best.bar.name}, {figure_words(best.bar.value, metric)}."
    if len(others) <= _MAX_NAMED:
        return " ".join([first, *(_told(one) for one in others)])
    counts = Counter(one.finding for one in others)
    told = [f"{number} {_many(finding)}" for finding, number in counts.items()]
    return f"{first} Of the others: {'; '.join(told)}."


def _many(finding: str) -> str:
    return {
        Verdict.DIFFERENT.value: "clearly worse",
        Verdict.UNCLEAR.value: "with no clear difference to it",
        Verdict.TOO_FEW.value: "with too few repeats to tell",
        NO_SCOPE: "without a stated energy scope, not comparable",
    }.get(finding, f"of {finding}")


def _told(one: Ranked) -> str:
    if one.ratio is None:
        return f"{one.bar.name}: {one.finding}."
    gap = abs(one.ratio - 1) * 100
    apart = f"{fmt.number(gap, 2)} % {'less' if one.ratio < 1 else 'more'}"
    if one.finding == Verdict.DIFFERENT.value:
        return f"{one.bar.name} has {apart}, a clear difference."
    return f"{one.bar.name} has {apart}: {one.finding}."
