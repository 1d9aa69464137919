"""What to change first: measured results that differ in exactly one setting, and what the change brought.

Nothing is fitted or extrapolated. A step that is advised leads from one measured value to another measured value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from statistics import median
from uuid import UUID

Value = str | int | float

#: the settings that can be changed, in the order of the page
AXES = (
    "batch_size", "concurrency", "precision", "backend", "backend_version", "gpu_count", "tensor_parallel",
    "power_limit_w",
)  # fmt: skip
#: stands for a tensor parallelism over all GPUs, which follows their number
_ALL_GPUS = "all"


@dataclass(frozen=True, slots=True)
class Measured:
    """One result with the figure in question. Settings that are not known are left out of `settings`."""

    id: UUID
    model: str
    settings: Mapping[str, Value]
    #: what its energy covers
    scope: str
    #: all else that has to be equal: GPU, workload, tool
    surroundings: Hashable
    pipeline_parallel: int | None
    figure: float
    #: it is within the reader's limits
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """Two results that differ in one setting; `factor` is above 1 where the second is better."""

    before: Measured
    after: Measured
    factor: float


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


def pairs(measured: Iterable[Measured], higher_is_better: bool) -> Iterator[tuple[str, Pair]]:
    """(axis, pair) in both directions for every two configurations that differ in exactly one setting."""
    configurations = _configurations(measured)
    for axis in AXES:
        seen: set[tuple[UUID, UUID]] = set()
        for bucket in _buckets(axis, configurations):
            for before in bucket:
                for after in bucket:
                    key = (before.id, after.id)
                    if before.settings[axis] != after.settings[axis] and key not in seen:
                        seen.add(key)
                        yield axis, Pair(before, after, _factor(before, after, higher_is_better))


def _configurations(measured: Iterable[Measured]) -> list[Measured]:
    """One result per configuration, the one in the middle: many results of one configuration are one say."""
    groups: dict[Hashable, list[Measured]] = defaultdict(list)
    for one in measured:
        if one.figure > 0:
            settings = tuple(one.settings.get(axis) for axis in AXES)
            groups[*_same(one), settings].append(one)
    return [_middle(group) for group in groups.values()]


def _middle(group: list[Measured]) -> Measured:
    group.sort(key=lambda one: (one.figure, one.id))
    return group[(len(group) - 1) // 2]


def _buckets(axis: str, configurations: Iterable[Measured]) -> Iterable[list[Measured]]:
    """Those that are equal but for `axis`, together."""
    buckets: dict[Hashable, list[Measured]] = defaultdict(list)
    for one in configurations:
        if axis in one.settings:
            for rest in _rests(axis, one):
                buckets[rest].append(one)
    return buckets.values()


def _rests(axis: str, one: Measured) -> Iterator[Hashable]:
    """All but `axis`, so that equal ones meet. Tensor parallelism over all GPUs goes with the number of GPUs, and a
    version belongs to its backend.
    """
    rest = {name: one.settings.get(name) for name in AXES if name != axis}
    if axis == "backend":
        del rest["backend_version"]
    same = _same(one)
    yield (*same, *rest.values())
    gpus, tensor = one.settings.get("gpu_count"), one.settings.get("tensor_parallel")
    if axis == "gpu_count" and gpus is not None and tensor is not None and _product(tensor, one) == gpus:
        yield (*same, *{**rest, "tensor_parallel": _ALL_GPUS}.values())


def _same(one: Measured) -> tuple[Hashable, ...]:
    return (one.model, one.scope, one.surroundings, one.pipeline_parallel)


def _product(tensor_parallel: Value, one: Measured) -> float:
    return float(tensor_parallel) * (one.pipeline_parallel or 1)


def _factor(before: Measured, after: Measured, higher_is_better: bool) -> float:
    return after.figure / before.figure if higher_is_better else before.figure / after.figure


def _by_axis(found: Iterable[tuple[str, Pair]]) -> Mapping[str, list[Pair]]:
    grouped: dict[str, list[Pair]] = defaultdict(list)
    for axis, pair in found:
        grouped[axis].append(pair)
    return grouped


def _advice(axis: str, own: Sequence[Pair], others: Sequence[Pair], wish: Wish) -> Advice:
    """From the nearest evidence that there is: nothing is mixed."""
    for evidence, candidates in (
        (Evidence.YOURS, [pair for pair in own if wish.start and _starts(pair, wish.start)]),
        (Evidence.SAME_MODEL, [pair for pair in own if _starts(pair, _only(axis, wish.start))]),
        (Evidence.OTHER_MODELS, [pair for pair in others if _starts(pair, _only(axis, wish.start))]),
    ):
        if candidates:
            return _weighed(axis, evidence, candidates, wish)
    return Advice(axis, None, (), 0, None)


def _starts(pair: Pair, start: Mapping[str, Value]) -> bool:
    return all(pair.before.settings.get(axis) == value for axis, value in start.items())


def _only(axis: str, start: Mapping[str, Value]) -> Mapping[str, Value]:
    return {axis: start[axis]} if axis in start else {}


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
