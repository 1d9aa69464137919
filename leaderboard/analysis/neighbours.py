"""Pairs of measured results that differ in exactly one setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from uuid import UUID

Value = str | int | float

#: the settings that can be changed, in the order of the page
AXES = (
    "batch_size", "concurrency", "precision", "backend", "backend_version", "gpu_count", "tensor_parallel",
    "power_limit_w",
)  # fmt: skip
#: more values of one setting with all else equal are thinned out: pairs grow with their square
MAX_VALUES = 24
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


def pairs(measured: Iterable[Measured], higher_is_better: bool) -> Iterator[tuple[str, Pair]]:
    """(axis, pair) in both directions for every two configurations that differ in exactly one setting."""
    configurations = _configurations(measured)
    for axis in AXES:
        # The number of GPUs alone puts a result into two buckets.
        seen: set[tuple[UUID, UUID]] | None = set() if axis == "gpu_count" else None
        for bucket in _buckets(axis, configurations):
            for before, after in _new_pairs(axis, bucket, seen):
                yield axis, Pair(before, after, _factor(before, after, higher_is_better))


def _new_pairs(
    axis: str, bucket: Sequence[Measured], seen: set[tuple[UUID, UUID]] | None
) -> Iterator[tuple[Measured, Measured]]:
    for before, after in permutations(bucket, 2):
        if before.settings[axis] == after.settings[axis]:
            continue
        if seen is not None:
            key = (before.id, after.id)
            if key in seen:
                continue
            seen.add(key)
        yield before, after


#: all that has to be equal, then the value of each axis, None where it is not known
_Values = tuple[Hashable, ...]


def _configurations(measured: Iterable[Measured]) -> list[tuple[_Values, Measured]]:
    """One result per configuration, the one in the middle: many results of one configuration are one say."""
    groups: dict[_Values, list[Measured]] = defaultdict(list)
    for one in measured:
        if one.figure > 0:
            same = (one.model, one.scope, one.surroundings, one.pipeline_parallel)
            groups[same, *(one.settings.get(axis) for axis in AXES)].append(one)
    return [(values, _middle(group)) for values, group in groups.items()]


def _middle(group: list[Measured]) -> Measured:
    group.sort(key=lambda one: (one.figure, one.id))
    return group[(len(group) - 1) // 2]


def _buckets(axis: str, configurations: Iterable[tuple[_Values, Measured]]) -> Iterator[list[Measured]]:
    """Those that are equal but for `axis`, together, where there are two."""
    buckets: dict[_Values, list[Measured]] = defaultdict(list)
    for values, one in configurations:
        if axis in one.settings:
            for rest in _rests(axis, values, one):
                buckets[rest].append(one)
    return (_thinned(axis, bucket) for bucket in buckets.values() if len(bucket) > 1)


def _thinned(axis: str, bucket: list[Measured]) -> list[Measured]:
    """The lowest and the highest value, and others evenly between them; words by the alphabet."""
    if len(bucket) <= MAX_VALUES:
        return bucket
    ordered = sorted(bucket, key=lambda one: value_order(one.settings[axis]))
    step = (len(ordered) - 1) / (MAX_VALUES - 1)
    return [ordered[round(place * step)] for place in range(MAX_VALUES)]


def value_order(value: Value) -> tuple[float, str]:
    """Numbers by size, words by the alphabet."""
    return (0.0, value) if isinstance(value, str) else (float(value), "")


def _rests(axis: str, values: _Values, one: Measured) -> Iterator[_Values]:
    """All but `axis`, so that equal ones meet. Tensor parallelism over all GPUs goes with the number of GPUs, and a
    version belongs to its backend.
    """
    rest = _with(values, axis, None)
    if axis == "backend":
        rest = _with(rest, "backend_version", None)
    yield rest
    gpus, tensor = one.settings.get("gpu_count"), one.settings.get("tensor_parallel")
    if axis == "gpu_count" and tensor is not None and float(tensor) * (one.pipeline_parallel or 1) == gpus:
        yield _with(rest, "tensor_parallel", _ALL_GPUS)


def _with(values: _Values, axis: str, value: Hashable) -> _Values:
    place = 1 + AXES.index(axis)
    return (*values[:place], value, *values[place + 1 :])


def _factor(before: Measured, after: Measured, higher_is_better: bool) -> float:
    return after.figure / before.figure if higher_is_better else before.figure / after.figure
