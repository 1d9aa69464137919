"""One configuration over the versions of its backend, with the versions that changed something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.analysis.changes import Change, change_points
from leaderboard.analysis.versions import version_key
from leaderboard.analysis.welch import Repeats
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import Line, Reading, figure_words, trace
from leaderboard.metrics import BY_NAME
from leaderboard.statistics import summarise

SLUG, TITLE = "history", "History over backend versions"
#: the newest ones
MAX_VERSIONS = 40


@dataclass(frozen=True, slots=True)
class Measured:
    """One result of the configuration: its version, its mean over its own repeats, and their spread."""

    version: str
    value: float
    runs: int = 1
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """All results of one version: independent results are the repeats where there are several."""

    name: str
    repeats: Repeats
    reading: Reading


def by_version(measured: Sequence[Measured]) -> list[Version]:
    """One entry for each version, in the order of versions."""
    groups: dict[str, list[Measured]] = {}
    for one in sorted(measured, key=lambda one: version_key(one.version)):
        groups.setdefault(one.version, []).append(one)
    return [_version(place, name, group) for place, (name, group) in enumerate(groups.items())]


def _version(place: int, name: str, group: Sequence[Measured]) -> Version:
    if len(group) == 1:
        one = group[0]
        reading = Reading(place, one.value, one.low, one.high, 1, one.runs, one.url)
        return Version(name, Repeats(one.runs, one.value, one.sd), reading)
    whole = summarise([one.value for one in group])
    reading = Reading(place, whole.mean, whole.ci95_low, whole.ci95_high, whole.n, whole.n, group[0].url)
    return Version(name, Repeats(whole.n, whole.mean, whole.sd), reading)


def history(metric: str, subject: str, measured: Sequence[Measured], notes: Sequence[str] = ()) -> Chart:
    """`subject` names the configuration."""
    versions = by_version(measured)
    left_out = len(versions) - MAX_VERSIONS
    versions = versions[-MAX_VERSIONS:]
    changes = {change.at: change for change in change_points([version.repeats for version in versions])}
    names = [version.name for version in versions]
    line = Line(subject, [version.reading for version in versions])
    head = BY_NAME[metric]
    more = [f"{fmt.count(left_out, 'older version')} left out."] if left_out > 0 else []
    return Chart(
        slug=SLUG,
        title=f"{head.label} over backend versions",
        summary=_summary(metric, subject, versions, changes),
        traces=[trace(line, 0, metric, first_row=0, at=names)] if versions else [],
        layout=look.layout(
            x=look.axis("Backend version", type="category", tickangle=-35 if len(names) > 6 else 0),
            y=look.metric_axis(metric, rangemode="tozero"),
            narrow={"xaxis": {"tickangle": -60}} if len(names) > 4 else {},
            showlegend=False,
            shapes=[_rule(change) for change in changes.values()],
            annotations=[_words(change) for change in changes.values()],
        ),
        table=Table(_columns(metric), *_rows(versions, changes)),
        notes=[*notes, *more],
    )


def _columns(metric: str) -> tuple[Column, ...]:
    head = BY_NAME[metric]
    return (
        Column("version", "Version"),
        Column(metric, head.label, head.unit),
        Column("ci95_low", "95 % low", head.unit),
        Column("ci95_high", "95 % high", head.unit),
        Column("results", "Results"),
        Column("repeats", "Repeats"),
        Column("change_percent", "Change", "%"),
        Column("finding", "Against the version before"),
    )


def _rows(versions: Sequence[Version], changes: Mapping[int, Change]) -> tuple[list[tuple[Value, ...]], list[str]]:
    rows: list[tuple[Value, ...]] = []
    for place, version in enumerate(versions):
        reading, change = version.reading, None
        before = versions[place - 1].repeats.mean if place else 0.0
        if place and before:
            change = (version.repeats.mean / before - 1) * 100
        finding = "" if place == 0 else _finding(changes[place]) if place in changes else "no clear change"
        rows.append(
            (version.name, reading.value, reading.low, reading.high, reading.results, reading.runs, change, finding)
        )
    return rows, [version.reading.url if version.reading.results == 1 else "" for version in versions]


def _finding(change: Change) -> str:
    if change.p is None:
        return "change above the noise"
    return f"change (Welch, p {'< 0.001' if change.p < 0.001 else f'= {change.p:.3f}'})"


def _percent(change: Change) -> str:
    return f"{(change.ratio - 1) * 100:+.1f} %".replace("-", "\N{MINUS SIGN}")


def _rule(change: Change) -> dict[str, Any]:
    place = change.at - 0.5
    line = {"color": "muted", "width": 1.5, "dash": "dash"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": place, "x1": place, "y0": 0, "y1": 1, "line": line}


def _words(change: Change) -> dict[str, Any]:
    return {
        "x": change.at - 0.5,
        "xref": "x",
        "y": 0.02 + 0.09 * (change.at % 2),
        "yref": "paper",
        "yanchor": "bottom",
        "text": _percent(change),
        "showarrow": False,
        "bgcolor": "surface",
        "font": {"color": "text", "size": 12},
    }


def _summary(metric: str, subject: str, versions: Sequence[Version], changes: Mapping[int, Change]) -> str:
    if len(versions) < 2:
        return "No configuration is measured with two versions of a backend."
    first, last = versions[0], versions[-1]
    moved = (
        f"From {first.name} to {last.name}, {subject} went from {figure_words(first.repeats.mean, metric)} to "
        f"{figure_words(last.repeats.mean, metric)}"
    )
    if not changes:
        return f"{moved}; no version changed it clearly."
    steps = [f"{_percent(change)} with {versions[at].name}" for at, change in changes.items()]
    return f"{moved}; clear changes: {', '.join(steps)}."
