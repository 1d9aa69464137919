"""Where a result stands among its peers: a small chart of throughput and tokens per joule, and the table behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard import format as fmt
from leaderboard.models import Result
from leaderboard.pages import Link
from leaderboard.presenting.common import backend_words, batch_words, gpu_words, model_link, result_url

WIDTH, HEIGHT = 560, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 34
#: with fewer the place of a result says little
ENOUGH_PEERS = 5
X, Y = "throughput_tokens_per_s", "tokens_per_joule"


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    y: float
    #: "peer", "curve" or "own": each has its own shape and colour
    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class PeerRow:
    kind: str
    result: Link
    configuration: str
    throughput: str
    efficiency: str


@dataclass(frozen=True, slots=True)
class PeerChart:
    title: str
    #: what it says without eyes: how many peers, and where this result stands
    summary: str
    marks: Sequence[Mark]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    rows: Sequence[PeerRow]
    #: the view box and the frame of the plot
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def peer_chart(result: Result, peers: Sequence[Result] = (), curve: Sequence[Result] = ()) -> PeerChart:
    """`peers` are ranked results of others at this load, `curve` the same configuration at other loads."""
    known = {result.pk, *(other.pk for other in peers)}
    kinds = [(other, "curve") for other in curve if other.pk not in known]
    kinds += [(other, "peer") for other in peers]
    kinds.append((result, "own"))  # last, so that it lies on top
    plotted = [(one, kind) for one, kind in kinds if _has_both(one)]
    x_scale, y_scale = _scale([_at(one, X) for one, _ in plotted]), _scale([_at(one, Y) for one, _ in plotted])
    return PeerChart(
        title=_title(result),
        summary=_summary(result, [one for one, kind in kinds if kind == "peer"]),
        marks=[_mark(one, kind, x_scale, y_scale) for one, kind in plotted],
        x_ticks=[Tick(_x(value, x_scale), fmt.number(value, 3)) for value in _ends(x_scale)],
        y_ticks=[Tick(_y(value, y_scale), fmt.number(value, 3)) for value in _ends(y_scale)],
        rows=[_row(one, kind) for one, kind in reversed(kinds)],
    )


def _summary(result: Result, peers: Sequence[Result]) -> str:
    measured = [value for peer in peers if (value := getattr(peer, Y)) is not None]
    if len(peers) < ENOUGH_PEERS:
        return f"Fewer than {ENOUGH_PEERS} peers: {len(peers)}. Nothing to compare with yet."
    own = getattr(result, Y)
    if own is None or not measured:
        return f"{len(peers)} peers."
    below = sum(value < own for value in measured)
    return f"{len(peers)} peers; its tokens per joule are above those of {below} of {len(measured)}."


def _has_both(result: Result) -> bool:
    """On logarithmic axes only what is positive has a place."""
    return all((getattr(result, name) or 0) > 0 for name in (X, Y))


def _at(result: Result, name: str) -> float:
    return float(getattr(result, name))


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, with a little room; a single value lies in the middle."""
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    room = max((high / low) ** 0.08, 1.1)
    return low / room, high * room


def _ends(scale: tuple[float, float]) -> tuple[float, float, float]:
    low, high = scale
    return low, math.sqrt(low * high), high


def _share(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return math.log(value / low) / math.log(high / low)


def _x(value: float, scale: tuple[float, float]) -> float:
    return round(LEFT + _share(value, scale) * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, scale: tuple[float, float]) -> float:
    return round(HEIGHT - BOTTOM - _share(value, scale) * (HEIGHT - TOP - BOTTOM), 1)


def _mark(result: Result, kind: str, x_scale: tuple[float, float], y_scale: tuple[float, float]) -> Mark:
    x, y = _at(result, X), _at(result, Y)
    words = f"{_title(result)}: {fmt.number(x, 4)} tok/s, {fmt.number(y, 4)} tok/J"
    return Mark(_x(x, x_scale), _y(y, y_scale), kind, words, result_url(result))


def _row(result: Result, kind: str) -> PeerRow:
    parts = (result.precision, backend_words(result), f"batch {batch_words(result)}" if batch_words(result) else "")
    return PeerRow(
        kind={"own": "this result", "curve": "other load", "peer": "peer"}[kind],
        result=Link(_title(result), result_url(result)),
        configuration=", ".join(part for part in parts if part),
        throughput=fmt.number(getattr(result, X), 4),
        efficiency=fmt.number(getattr(result, Y), 4),
    )


def _title(result: Result) -> str:
    return f"{model_link(result).label} on {gpu_words(result)}"
