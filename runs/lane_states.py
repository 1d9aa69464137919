"""The lanes of one run as they stand, without reading all of its events for every visitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.core.cache import cache

from runs.models import Lane, Run
from runs.queries import events_after
from runs.snapshot import LaneState, closing, fold, restore

#: what a visitor waits for at most when nobody has looked at a busy run before: under a second
MAX_FOLDED = 100_000
READ_AT_ONCE = 10_000
KEPT_FOR_S = 3600


@dataclass(frozen=True, slots=True)
class Standing:
    states: Sequence[LaneState]
    #: the last event that is in them
    seq: int
    #: events before the newest 100,000 are not
    is_partial: bool


def lane_states(run: Run) -> Standing:
    """Lanes in their order, with everything that is committed by now.

    A sealed run has its closing state; for an open one the cache keeps the state up to some seq, and only what came
    since is read. Order of seq is order of commit, so the state at a seq is the same whoever folded it.
    """
    snapshot, seq, is_partial = _known(run)
    if run.last_seq - seq > MAX_FOLDED and not run.sealed_seq:
        snapshot, seq, is_partial = {}, run.last_seq - MAX_FOLDED, True
    known_seq = seq
    states = _described(restore(snapshot), list(run.lanes.all()))
    while events := events_after(run, seq, READ_AT_ONCE):
        states = fold(states, (orjson.loads(text) for _, text in events))
        seq = events[-1][0]
        if len(events) < READ_AT_ONCE:
            break
    if seq > known_seq:
        cache.set(_cache_key(run), (closing(states), seq, is_partial), KEPT_FOR_S)
    return Standing(states, seq, is_partial)


def _known(run: Run) -> tuple[dict[str, object], int, bool]:
    if run.sealed_seq and run.snapshot.get("lanes"):
        return run.snapshot, run.sealed_seq, False
    found: tuple[dict[str, object], int, bool] = cache.get(_cache_key(run), ({}, 0, False))
    return found


def _cache_key(run: Run) -> str:
    return f"lane-states:{run.pk}"


def _described(states: list[LaneState], lanes: Sequence[Lane]) -> list[LaneState]:
    """What a lane is may have been told after its first events."""
    known = {state.name: state for state in states}
    described = []
    for lane in lanes:
        state = known.pop(lane.name, None) or LaneState(lane.name)
        state.type, state.vram_gb, state.cost_per_hour_usd = lane.type, lane.vram_gb, lane.cost_per_hour_usd
        described.append(state)
    return described + list(known.values())
