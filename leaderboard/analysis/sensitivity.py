"""How far one parameter moves a figure while everything else stays the same."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Same = TypeVar("Same", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step(Generic[Same]):
    """The figure at one value of the parameter; `same` is all that stays equal."""

    same: Same
    at: int
    figure: float


@dataclass(frozen=True, slots=True)
class Span(Generic[Same]):
    """From the lowest to the highest measured value of the parameter, in one group."""

    same: Same
    low: int
    high: int
    figure_at_low: float
    figure_at_high: float
    #: different values of the parameter that were measured
    values: int

    @property
    def factor(self) -> float:
        """The figure at the highest value over that at the lowest."""
        return self.figure_at_high / self.figure_at_low


def best_at_each(steps: Iterable[Step[Same]]) -> Mapping[Same, Mapping[int, float]]:
    """group -> value of the parameter -> the highest figure measured there; figures of zero or less say nothing."""
    curves: dict[Same, dict[int, float]] = defaultdict(dict)
    for step in steps:
        if step.figure > 0:
            curve = curves[step.same]
            curve[step.at] = max(step.figure, curve.get(step.at, 0.0))
    return curves


#: values that make a curve: of two alone, one may be an outlier
ENOUGH_VALUES = 3


def widest_span(steps: Iterable[Step[Same]]) -> Span[Same] | None:
    """The span that moves the figure most, of the groups with enough values where there are such.

    None where no group has two values. Nothing is fitted: both ends were measured.
    """
    spans = [
        Span(same, min(curve), max(curve), curve[min(curve)], curve[max(curve)], len(curve))
        for same, curve in best_at_each(steps).items()
        if len(curve) > 1
    ]
    return max(spans, key=lambda span: (span.values >= ENOUGH_VALUES, abs(math.log(span.factor))), default=None)
