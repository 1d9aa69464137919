"""What charts read from the query string beside the leaderboard's own parameters, and what they say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import Count

from leaderboard import format as fmt
from leaderboard.analysis.points import Points
from leaderboard.board import BoardQuery, BoardQueryError
from leaderboard.charts.look import metric_label
from leaderboard.metrics import METRICS
from leaderboard.presenting.board import SCOPE_LABELS
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.queries.board import COST, filtered_results
from leaderboard.queries.facets import hidden_by_trust

if TYPE_CHECKING:
    from django.http import QueryDict

#: the metrics that depend on what the energy meter saw
ENERGY = frozenset(
    {metric.name for metric in METRICS if metric.group == "Efficiency"}
    | {"avg_power_w", "co2_g_per_million_tokens", "total_energy_j", "adjusted_energy_j"}
)


def chosen(params: QueryDict, choice: Choice) -> str:
    """The value of a chart's own parameter, its first where the address has none; raises BoardQueryError."""
    values = [value for value, _ in choice.options]
    asked = params.get(choice.name, "") or values[0]
    if asked not in values:
        raise BoardQueryError({choice.name: f"{asked[:40]!r} is not one of {', '.join(values)}"})
    return asked


def metric_choice(name: str, label: str, metrics: Sequence[str]) -> Choice:
    """A choice among metrics; the first is the default."""
    return Choice(name, label, [(metric, metric_label(metric)) for metric in metrics])


def in_one_scope(query: BoardQuery, metrics: Sequence[str]) -> tuple[BoardQuery, str]:
    """`query` with the energy scope of most of its results, and the sentence that says so.

    Energies of different scopes are not comparable. Figures without energy leave `query` as it is, and so does a
    reader who chooses scopes: they get those, in marks that differ.
    """
    if "energy_scope" in query.facets or not is_about_energy(query, metrics):
        return query, ""
    rows = filtered_results(query).order_by().values_list("energy_scope").annotate(n=Count("*"))
    counts = dict(sorted(rows, key=lambda row: (-row[1], row[0] != "gpu", row[0])))
    if not counts:
        return query, ""
    scope = next(iter(counts))
    others = sum(counts.values()) - counts[scope]
    narrowed = replace(query, facets={**query.facets, "energy_scope": (scope or "unknown",)})
    words = f"Energy is {_scope_words(scope)}."
    if others:
        words += f" {fmt.count(others, 'result')} of another energy scope left out: they are not comparable."
    return narrowed, words


def is_about_energy(query: BoardQuery, metrics: Sequence[str]) -> bool:
    """Whether any of these depends on what the energy meter saw."""
    is_electricity = query.prices.is_electricity_only
    return any(name in ENERGY or (is_electricity and name == COST) for name in metrics)


def sample_note(found: Points) -> str:
    if not found.is_sampled:
        return ""
    return (
        f"A random sample of {len(found.points):,} of {found.total_words} results: "
        "a page cannot carry all. Filters narrow it down to the whole."
    )


def lack_note(query: BoardQuery, found: Points) -> str:
    """What passes the filters without a figure that the chart needs; not counted where the rest is an estimate."""
    lacking = 0 if found.is_estimated else filtered_results(query).count() - found.total
    return f"{fmt.count(lacking, 'result')} left out that lack one of these figures." if lacking > 0 else ""


def trust_note(query: BoardQuery) -> str:
    hidden = hidden_by_trust(query)
    if hidden <= 0:
        return ""
    return f"{fmt.count(hidden, 'result')} hidden by the trust filter."


def notes_of(query: BoardQuery, found: Points, *more: str) -> list[str]:
    """What is said below a chart of points: sampling and trust, and whatever else there is to say."""
    return [note for note in (*more, sample_note(found), trust_note(query)) if note]


def _scope_words(scope: str) -> str:
    return f"that of the {SCOPE_LABELS[scope]}" if scope in SCOPE_LABELS else "of unknown scope"
