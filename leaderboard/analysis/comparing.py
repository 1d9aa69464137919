"""Results side by side: what they share, where they differ, and which differences the repeats bear out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from leaderboard.analysis import welch
from leaderboard.analysis.welch import Repeats

#: mean output lengths further apart are another workload (docs/checks.md, LEN1)
LENGTH_TOLERANCE = 0.10

V = TypeVar("V")


class Agreement(StrEnum):
    """Whether results share a value. Two that do not state it do not share it."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What a difference between two figures is worth."""

    CLEAR = "clear"
    NOT_CLEAR = "not clear"
    TOO_FEW = "too few repeats"
    #: different energy scopes, or one that nobody stated
    NOT_COMPARABLE = "not comparable"


_VERDICTS = {
    welch.Verdict.DIFFERENT: Verdict.CLEAR,
    welch.Verdict.UNCLEAR: Verdict.NOT_CLEAR,
    welch.Verdict.TOO_FEW: Verdict.TOO_FEW,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one result. `scope` is what its energy covers, None for figures without energy in them."""

    value: float
    repeats: Repeats | None = None
    scope: str | None = None

    @property
    def n(self) -> int | None:
        return self.repeats.n if self.repeats else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure beside the best one: `factor` is how many times better the best is, None where it cannot be said."""

    best: int
    other: int
    factor: float | None
    verdict: Verdict
    #: two-sided, of Welch's test
    p: float | None = None


def agreement(values: Sequence[V | None]) -> Agreement:
    known = {value for value in values if value not in (None, "")}
    if len(known) > 1:
        return Agreement.DIFFERENT
    return Agreement.SAME if known and all(value not in (None, "") for value in values) else Agreement.UNKNOWN


def length_agreement(lengths: Sequence[float | None]) -> Agreement:
    """As `agreement`, for mean lengths in tokens: equal within 10 % of the longest."""
    known = [length for length in lengths if length is not None]
    if known and min(known) < max(known) * (1 - LENGTH_TOLERANCE):
        return Agreement.DIFFERENT
    return Agreement.SAME if known and len(known) == len(lengths) else Agreement.UNKNOWN


def split_by_difference(rows: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The names of settings that differ, and of those that are the same for all. What nobody states is neither."""
    differ = [name for name, values in rows.items() if len(set(values)) > 1]
    return differ, [name for name, values in rows.items() if len(set(values)) == 1 and values[0]]


def best_first(figures: Sequence[Figure | None], higher_is_better: bool) -> list[int]:
    """The places of those that have the figure, the best first; equal ones in the order given."""
    having = [(figure.value, place) for place, figure in enumerate(figures) if figure is not None]
    return [place for _, place in sorted(having, key=lambda one: (-one[0] if higher_is_better else one[0], one[1]))]


def differences(figures: Sequence[Figure | None], higher_is_better: bool) -> list[Difference]:
    """The best figure against each other one of the same energy scope, the most common scope first.

    The best of each other scope stands against the first best as not comparable; so does all without a stated scope.
    """
    found: list[Difference] = []
    first = None
    for scope, places in _by_scope(figures):
        ordered = [place for place in best_first(figures, higher_is_better) if place in places]
        best, others = ordered[0], ordered[1:]
        if first is not None:
            found.append(Difference(first, best, None, Verdict.NOT_COMPARABLE))
        if scope == "":
            found += [Difference(best, other, None, Verdict.NOT_COMPARABLE) for other in others]
        else:
            found += [_difference(figures, best, other, higher_is_better) for other in others]
        first = best if first is None else first
    return found


def _by_scope(figures: Sequence[Figure | None]) -> list[tuple[str | None, list[int]]]:
    groups: dict[str | None, list[int]] = defaultdict(list)
    for place, figure in enumerate(figures):
        if figure is not None:
            groups[figure.scope].append(place)
    return sorted(groups.items(), key=lambda group: (group[0] == "", -len(group[1]), group[1]))


def _difference(figures: Sequence[Figure | None], best: int, other: int, higher_is_better: bool) -> Difference:
    first, second = figures[best], figures[other]
    if first is None or second is None:
        raise ValueError("Only figures that are there can be compared.")
    verdict, p = significance(first.repeats, second.repeats)
    over, under = (first.value, second.value) if higher_is_better else (second.value, first.value)
    return Difference(best, other, over / under if under > 0 else None, verdict, p)


def significance(first: Repeats | None, second: Repeats | None) -> tuple[Verdict, float | None]:
    """Welch's test at 5 % over independent repeats."""
    if first is None or second is None:
        return Verdict.TOO_FEW, None
    tested = welch.welch(first, second)
    return _VERDICTS[tested.verdict], tested.p
