"""What to change first: what a change of one setting brought, wherever both sides of it were measured.

Nothing is fitted or extrapolated. A step that is advised leads from one measured value to another measured value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import median
from uuid import UUID

from leaderboard.analysis.neighbours import AXES, Measured, Pair, Value, pairs


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one setting, with every measured pair of it."""

    axis: str
    before: Value
    after: Value
    pairs: Sequence[Pair]

    @property
    def factor(self) -> float:
        return median(pair.factor for pair in self.pairs)

    @property
    def lowest(self) -> float:
        return min(pair.factor for pair in self.pairs)

    @property
    def highest(self) -> float:
        return max(pair.factor for pair in self.pairs)


class Evidence(IntEnum):
    """Where the pairs are from; a smaller number is nearer to what the reader runs."""

    YOURS = 1
    SAME_MODEL = 2
    OTHER_MODELS = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known about changing one setting; `evidence` is None where no pair was measured."""

    axis: str
    evidence: Evidence | None
    #: best first; only those that end within the reader's limits
    steps: Sequence[Step]
    #: pairs that end outside the limits
    outside_limits: int
    #: the step worth taking, None where no step gains more than the tolerance
    best: Step | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader asks: the settings they run now, as far as given, and which way the figure is better.

    A gain within `tolerance`, a share, is no gain: a rerun may differ by as much.
    """

    start: Mapping[str, Value]
    higher_is_better: bool
    tolerance: float


def advise(own: Sequence[Measured], others: Sequence[Measured], wish: Wish) -> list[Advice]:
    """One entry for each axis, the largest gain first, then what gains nothing, then what nobody measured.

    `own` are results of the reader's model on their GPU, `others` those of other models on the same GPU.
    """
    own_pairs, other_pairs = (_by_axis(pairs(group, wish.higher_is_better)) for group in (own, others))
    found = [_advice(axis, own_pairs[axis], other_pairs[axis], wish) for axis in AXES]
    return sorted(found, key=_place)


def _by_axis(found: Iterable[tuple[str, Pair]]) -> Mapping[str, list[Pair]]:
    grouped: dict[str, list[Pair]] = defaultdict(list)
    for axis, pair in found:
        grouped[axis].append(pair)
    return grouped


def _advice(axis: str, own: Sequence[Pair], others: Sequence[Pair], wish: Wish) -> Advice:
    """From the nearest evidence that there is: nothing is mixed."""
    axis_alone = {axis: wish.start[axis]} if axis in wish.start else {}
    for evidence, found, start in (
        (Evidence.YOURS, own if wish.start else (), wish.start),
        (Evidence.SAME_MODEL, own, axis_alone),
        (Evidence.OTHER_MODELS, others, axis_alone),
    ):
        candidates = [pair for pair in found if _starts(pair, start)] if start else found
        if candidates:
            return _weighed(axis, evidence, candidates, wish)
    return Advice(axis, None, (), 0, None)


def _starts(pair: Pair, start: Mapping[str, Value]) -> bool:
    return all(pair.before.settings.get(axis) == value for axis, value in start.items())


def _weighed(axis: str, evidence: Evidence, candidates: Sequence[Pair], wish: Wish) -> Advice:
    fitting = [pair for pair in candidates if pair.after.fits]
    steps: dict[tuple[Value, Value], list[Pair]] = defaultdict(list)
    for pair in fitting:
        steps[pair.before.settings[axis], pair.after.settings[axis]].append(pair)
    found = [Step(axis, *change, sorted(group, key=_pair_order)) for change, group in steps.items()]
    found.sort(key=lambda step: (-step.factor, -len(step.pairs), str(step.before), str(step.after)))
    best = found[0] if found and found[0].factor > 1 + wish.tolerance else None
    return Advice(axis, evidence, found, len(candidates) - len(fitting), best)


def _pair_order(pair: Pair) -> tuple[float, UUID, UUID]:
    return (-pair.factor, pair.before.id, pair.after.id)


def _place(advice: Advice) -> tuple[int, float, int]:
    axis = AXES.index(advice.axis)
    if advice.best is not None:
        # What was measured on the model itself comes before what others show.
        return (advice.evidence == Evidence.OTHER_MODELS, -advice.best.factor, axis)
    return (2 if advice.evidence else 3, 0.0, axis)
