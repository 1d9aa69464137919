"""When a waiting job is likely to start: the queue played forward over the hosts that are there, by the estimates.

Pure; rows go in, seconds come out. It says nothing where an estimate is missing on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.limits import RUNNING_PER_PERSON


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU of a host."""

    memory_mib: int
    hardware_id: int | None
    #: seconds until it is free; None where nobody can say
    free_in_s: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Host:
    id: str
    is_simulated: bool
    labels: frozenset[str]
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Wish:
    """A job that waits, as far as it decides where it can run."""

    id: int
    owner_id: int | None
    is_simulated: bool
    gpu_count: int = 1
    min_memory_mib: int = 0
    hardware_id: int | None = None
    label: str = ""
    host_id: str = ""
    duration_s: float | None = None

    def fits(self, host: Host) -> bool:
        if host.is_simulated != self.is_simulated or self.host_id not in ("", host.id):
            return False
        return (not self.label or self.label in host.labels) and len(self.cards_of(host)) >= self.gpu_count

    def cards_of(self, host: Host) -> list[int]:
        """Which GPUs of the host would do."""
        return [place for place, card in enumerate(host.cards) if self._takes(card)]

    def _takes(self, card: Card) -> bool:
        return card.memory_mib >= self.min_memory_mib and self.hardware_id in (None, card.hardware_id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting job stands."""

    position: int
    waiting: int
    hosts: int
    #: None where it cannot be said
    starts_in_s: float | None


@dataclass(slots=True)
class _Board:
    """When each GPU is free and when each person's running jobs end, as far as the queue was played."""

    free: dict[str, list[float | None]]
    ends: dict[int, list[float | None]] = field(default_factory=dict)


def places(
    wishes: Sequence[Wish], hosts: Sequence[Host], running: Sequence[tuple[int | None, float | None]] = ()
) -> dict[int, Place]:
    """`wishes` in the order in which they are served; `running` is (owner, seconds left) of what runs."""
    board = _Board({host.id: [card.free_in_s for card in host.cards] for host in hosts})
    for owner_id, left_s in running:
        if owner_id is not None:
            board.ends.setdefault(owner_id, []).append(left_s)
    found = {}
    for position, wish in enumerate(wishes, start=1):
        fitting = [host for host in hosts if wish.fits(host)]
        starts = _start(wish, fitting, board)
        found[wish.id] = Place(position, len(wishes), len(fitting), starts)
    return found


def _start(wish: Wish, fitting: Sequence[Host], board: _Board) -> float | None:
    """The earliest moment at which a host has enough GPUs, which are then taken."""
    options = [(moment, host) for host in fitting if (moment := _free_at(wish, host, board)) is not None]
    own = _own_turn(board.ends.get(wish.owner_id, []) if wish.owner_id is not None else [])
    if not options or own is None:
        return None
    moment, host = min(options, key=lambda option: option[0])
    start = max(moment, own)
    end = None if wish.duration_s is None else start + wish.duration_s
    _take(wish, host, board, end)
    return start


def _free_at(wish: Wish, host: Host, board: _Board) -> float | None:
    moments = sorted(moment for place in wish.cards_of(host) if (moment := board.free[host.id][place]) is not None)
    return moments[wish.gpu_count - 1] if len(moments) >= wish.gpu_count else None


def _take(wish: Wish, host: Host, board: _Board, end: float | None) -> None:
    free = board.free[host.id]
    usable = [place for place in wish.cards_of(host) if free[place] is not None]
    for place in sorted(usable, key=lambda place: free[place] or 0.0)[: wish.gpu_count]:
        free[place] = end
    if wish.owner_id is not None:
        board.ends.setdefault(wish.owner_id, []).append(end)


def _own_turn(ends: Sequence[float | None]) -> float | None:
    """When a person with these running jobs may have one more."""
    over = len(ends) - RUNNING_PER_PERSON
    if over < 0:
        return 0.0
    known = sorted(end for end in ends if end is not None)
    return known[over] if len(known) > over else None
