"""The Pareto frontier of two stored columns over any number of results, found by walking their indexes.

Reading every row that has both figures takes half a second at 100,000 results. The frontier has some tens of them: the
first row of one column's index, then the first further down that is better in the other, and so on. Two such walks,
one from the best end of each column, stop where they meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThan, IsNull, LessThan

from leaderboard.analysis.frontier import pareto
from leaderboard.metrics import RANKED, Better
from leaderboard.models import Result
from leaderboard.queries.board import Walked

#: x, y and the result that has them
Spot = tuple[float, float, UUID]


def frontier(results: QuerySet[Result], x: str, y: str) -> list[Spot]:
    """The undominated of `results` by two columns of RANKED, by rising x; of equal points one."""
    is_x_high, is_y_high = (RANKED[column] == Better.HIGHER for column in (x, y))
    down_y = _Walk(results, by=y, other=x, is_by_high=is_y_high, is_other_high=is_x_high)
    down_x = _Walk(results, by=x, other=y, is_by_high=is_x_high, is_other_high=is_y_high)
    # By place: of equal points the walks may come upon different results.
    found: dict[tuple[float, float], Spot] = {}
    for (y_value, x_value, pk), (x_other, y_other, pk_other) in zip(down_y.steps(), down_x.steps(), strict=False):
        found[x_value, y_value] = (x_value, y_value, pk)
        found[x_other, y_other] = (x_other, y_other, pk_other)
        # What lies further down one walk is better in the other column than all so far: the other walk has passed it.
        if (x_value >= x_other) if is_x_high else (x_value <= x_other):
            break
    return sorted_frontier(found.values(), x, y)


def sorted_frontier(spots: Iterable[Spot], x: str, y: str) -> list[Spot]:
    """The undominated of these, by rising x."""
    is_x_high, is_y_high = (RANKED[column] == Better.HIGHER for column in (x, y))
    listed = list(spots)
    return [listed[i] for i in pareto([spot[:2] for spot in listed], higher_x=is_x_high, higher_y=is_y_high)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """From the best row by one column on, those that are better in the other one than all before them."""

    results: QuerySet[Result]
    by: str
    other: str
    is_by_high: bool
    is_other_high: bool

    def steps(self) -> Iterator[Spot]:
        """(value of `by`, value of `other`, result); ends when no row is left."""
        rows = self.results.filter(**{f"{self.by}__isnull": False})
        rows = rows.order_by(*(f"-{name}" if self.is_by_high else name for name in (self.by, "pk")))
        ahead = rows.filter(IsNull(Walked(F(self.other)), False))
        while spot := ahead.values_list(self.by, self.other, "pk").first():
            yield spot
            ahead = rows.filter(self._beyond(*spot[:2]))

    def _beyond(self, value: float, other: float) -> Q:
        better = GreaterThan if self.is_other_high else LessThan
        return Q(**{f"{self.by}__{'lte' if self.is_by_high else 'gte'}": value}) & Q(
            better(Walked(F(self.other)), other)
        )
