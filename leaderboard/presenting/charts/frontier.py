"""/charts/frontier/: the answer of /analysis/ among its alternatives, for the same parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from leaderboard.charts.base import Chart
from leaderboard.charts.frontier import SLUG, Axis, Shown, frontier_chart
from leaderboard.metrics import BY_NAME
from leaderboard.presenting.answer_words import GOAL_WORDS, SCOPES, SEVERAL_SCOPES, goal_label, goal_unit
from leaderboard.presenting.charts.kinds import ChartKind, Choice
from leaderboard.queries.analysis import Answer, answer
from leaderboard.queries.points import points
from leaderboard.question import parse_question

if TYPE_CHECKING:
    from django.http import QueryDict

#: results in the background: enough to see their shape, and a page stays light
CLOUD = 200


def make(params: QueryDict) -> Chart:
    found = answer(parse_question(params))
    return chart_of(found.instead or found)


KIND = ChartKind(
    SLUG,
    "Frontier under your limits",
    "What does a tighter or a looser limit cost?",
    make,
    choices=(Choice("goal", "Best by", tuple(GOAL_WORDS.items())),),
)


def chart_of(found: Answer) -> Chart:
    """The frontier whole and exact; of the other results a sample where they are many."""
    question, metric = found.scoped, found.question.metric.name
    x = Axis(found.axis, BY_NAME[found.axis].label, BY_NAME[found.axis].unit) if found.axis else None
    y = Axis(metric, goal_label(found.question), goal_unit(found.question))
    if x is None:
        return frontier_chart([], (y, y), Shown())
    free = question.without(*(key for key in question.constraints if key[0] == found.axis))
    shown = points(free.ranked, (x.metric, y.metric), CLOUD, always=[result.pk for result in found.frontier])
    limits = [limit for (column, _), limit in question.constraints.items() if column == found.axis]
    return frontier_chart(
        shown.points,
        (x, y),
        Shown(
            best=found.best.pk if found.best else None,
            limit=limits[0] if limits else None,
            urls={point.id: reverse("leaderboard:result", args=[point.id]) for point in shown.points},
            notes=list(_notes(found, len(shown.points), shown.total_words if shown.is_sampled else "")),
        ),
    )


def _notes(found: Answer, shown: int, total: str) -> list[str]:
    notes = []
    if total:
        notes.append(f"The frontier is exact; the background is a random sample, {shown:,} of {total} results in all.")
    scope = found.considered.scope
    if scope is not None:
        notes.append(f"Only {SCOPES.get(scope, 'one energy scope')}: energies of different scopes are not comparable.")
    elif found.question.is_about_energy:
        notes.append(SEVERAL_SCOPES)
    return notes
