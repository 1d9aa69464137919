"""Which results are held against which: peers at one load, and one configuration over its loads.

Peers are results of other people. The curve is made of results of anybody. Ids are compared and never looked into.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from leaderboard.checks.findings import Neighbour
from leaderboard.checks.latency import output_length, sequences_in_flight
from leaderboard.checks.peers import energy_per_output_token_j
from leaderboard.normal import NormalResult

#: loads of one bucket are at most 19 % apart: a wider one would take the gain of a larger batch for an outlier
BUCKETS_PER_DOUBLING = 4
#: a curve asks for the same split and the same prompts, too
WORKLOAD_FIELDS = (
    "tensor_parallel", "pipeline_parallel", "dataset", "max_input_tokens", "max_output_tokens", "prefix_caching",
    "speculative_decoding",
)  # fmt: skip

Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One result as it is compared: whose it is, which configuration, at which load, with which figures."""

    #: None while it is not stored
    pk: Hashable
    submission: Hashable
    owner: Hashable
    #: model, hardware, backend, GPU count, precision, energy scope
    configuration: Key
    #: how it was split, and which prompts it had
    workload: Key
    figures: Neighbour

    @property
    def load(self) -> int | None:
        return self.figures.load

    @property
    def is_comparable(self) -> bool:
        model, hardware, backend, *_ = self.configuration
        return None not in (model, hardware, backend, self.load)

    @property
    def peer_key(self) -> Key:
        return (*self.configuration, load_bucket(self.load or 1))

    @property
    def curve_key(self) -> Key:
        return (*self.configuration, *self.workload)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks are told about the others."""

    peers: Sequence[Neighbour] = ()
    curve: Sequence[Neighbour] = ()


class Crowd:
    """Standings, found by what they are compared by."""

    def __init__(self, standings: Iterable[Standing]) -> None:
        self._peers: dict[Key, list[Standing]] = defaultdict(list)
        self._curves: dict[Key, dict[int, list[Standing]]] = defaultdict(lambda: defaultdict(list))
        for standing in standings:
            if standing.load:
                self._peers[standing.peer_key].append(standing)
                self._curves[standing.curve_key][standing.load].append(standing)

    def peers_of(self, own: Standing) -> list[Standing]:
        """Results of other submissions of other people; a result without an owner has no person to be the same."""
        return [
            other
            for other in self._peers.get(own.peer_key, ())
            if other.submission != own.submission and (own.owner is None or other.owner != own.owner)
        ]

    def at_loads(self, own: Standing) -> Mapping[int, list[Standing]]:
        return self._curves.get(own.curve_key, {})


def load_bucket(load: int) -> int:
    """Loads of equal bucket are compared with each other."""
    return round(BUCKETS_PER_DOUBLING * math.log2(load))


def standing(
    values: NormalResult,
    *,
    targets: tuple[Hashable, Hashable, Hashable],
    name: str = "",
    pk: Hashable = None,
    submission: Hashable = None,
    owner: Hashable = None,
    is_verified: bool = False,
) -> Standing:
    """How a result stands, with the ids of its model, hardware and backend."""
    figures = Neighbour(
        name=name,
        load=sequences_in_flight(values),
        throughput_tokens_per_s=values.throughput_tokens_per_s,
        energy_per_output_token_j=energy_per_output_token_j(values),
        output_length=output_length(values),
        dataset=values.dataset or None,
        max_output_tokens=values.max_output_tokens,
        prefix_caching=values.prefix_caching,
        is_verified=is_verified,
    )
    return Standing(
        pk=pk,
        submission=submission,
        owner=owner,
        configuration=(*targets, values.gpu_count, values.precision or "", values.energy_scope or ""),
        workload=tuple(getattr(values, name) or None for name in WORKLOAD_FIELDS),
        figures=figures,
    )


def surround(own: Standing, *crowds: Crowd) -> Surroundings:
    """Peers from the first crowd, the curve from all of them."""
    if not own.is_comparable:
        return Surroundings()
    return Surroundings([other.figures for other in crowds[0].peers_of(own)], _curve(own, crowds))


def _curve(own: Standing, crowds: Iterable[Crowd]) -> list[Neighbour]:
    """The points at the next smaller and the next larger load; the others are of no use to the check."""
    points = [crowd.at_loads(own) for crowd in crowds]
    loads, mine = {load for at in points for load in at}, own.load or 0
    ends = (
        max((load for load in loads if load < mine), default=None),
        min((load for load in loads if load > mine), default=None),
    )
    return [other.figures for at in points for load in ends if load for other in at.get(load, ())]
