"""Events as chart series of at most 2,000 points: first, minimum, maximum and last of every bucket of time (M4).

M4 (Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014) draws the line that all points
would draw at one bucket a pixel column. Buckets fill in any order of events, in memory that depends on lanes alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

FIELDS = ("tokenPerSec", "latencyMs", "vramUsedMB", "powerW", "temperatureC")
MAX_POINTS = 2_000
#: a lane that says nothing for longer has a gap in its line
GAP_S = 10.0
#: a run with more lanes than senders may name is drawn without the rest
MAX_LANES = 64
#: four points a bucket, and a place for the gap behind them
SLOTS = 5
#: numbers in all series of a run together, so that a page of many lanes stays light
MAX_NUMBERS = 30_000
MIN_POINTS = 200

Floats = npt.NDArray[np.float64]
#: x in Unix seconds, then one list per lane; None where a lane has no line
Columns = list[list[float | None]]


@dataclass(frozen=True, slots=True)
class Extent:
    """A span of time in Unix seconds, both ends included."""

    start: float
    end: float


class Buckets:
    """What is kept of one field of one lane: time and value of each bucket's first, minimum, maximum and last event."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.total = 0.0
        #: rows: first, minimum, maximum, last
        self.times: Floats = np.full((4, size), np.nan)
        self.values: Floats = np.full((4, size), np.nan)

    def add(self, index: npt.NDArray[np.intp], times: Floats, values: Floats) -> None:
        self.count += len(values)
        self.total += float(values.sum())
        by_time, by_value = np.lexsort((times, index)), np.lexsort((times, values, index))
        starts = np.flatnonzero(np.diff(index[by_time], prepend=-1))
        ends = np.append(starts[1:], len(index)) - 1
        for kind, place in enumerate((by_time[starts], by_value[starts], by_value[ends], by_time[ends])):
            self._keep(kind, index[place], times[place], values[place])

    def _keep(self, kind: int, index: npt.NDArray[np.intp], times: Floats, values: Floats) -> None:
        key = self.values if kind in (1, 2) else self.times
        old, new = key[kind, index], values if kind in (1, 2) else times
        # Of several at one time, the first to come is the first and the last to come the last.
        is_better = np.isnan(old) | ((new < old) if kind < 2 else (new >= old))
        self.times[kind, index[is_better]] = times[is_better]
        self.values[kind, index[is_better]] = values[is_better]

    def merged(self, factor: int) -> Buckets:
        """The same with `factor` buckets in one."""
        size = -(-self.times.shape[1] // factor)
        found = Buckets(size)
        found.count, found.total = self.count, self.total
        for kind in range(4):
            used = np.flatnonzero(~np.isnan(self.times[kind]))
            for place in used:
                one = np.array([place])
                found._keep(kind, one // factor, self.times[kind, one], self.values[kind, one])
        return found

    def points(self, bucket: int) -> list[tuple[float, float]]:
        """(time, value) in order of time, each event once."""
        if math.isnan(self.times[0, bucket]):
            return []
        first, low, high, last = (
            (float(time), float(value))
            for time, value in zip(self.times[:, bucket], self.values[:, bucket], strict=True)
        )
        inner = [point for point in sorted({low, high}) if point not in (first, last)]
        return [first, *inner, last] if last != first or inner else [first]


class SeriesBuilder:
    """Takes events in any order and any number of parts; the span of their times must be known before."""

    def __init__(self, extent: Extent, lanes: Sequence[str] = (), max_points: int = MAX_POINTS) -> None:
        self._size = max(max_points // SLOTS, 1)
        self._extent = extent
        self._width = max(extent.end - extent.start, 0.001) / self._size
        self._lanes: dict[str, dict[str, Buckets]] = {name: {} for name in lanes[:MAX_LANES]}

    @property
    def lanes(self) -> list[str]:
        return list(self._lanes)

    def add(self, lane: str, field: str, times: Floats, values: Floats) -> None:
        """Times in Unix seconds; a value that is NaN is no event of this field."""
        known = ~np.isnan(values)
        if (lane not in self._lanes and len(self._lanes) >= MAX_LANES) or not known.any():
            return
        times, values = times[known], values[known]
        index = ((times - self._extent.start) / self._width).astype(np.intp).clip(0, self._size - 1)
        self._lanes.setdefault(lane, {}).setdefault(field, Buckets(self._size)).add(index, times, values)

    def columns(self, field: str) -> Columns:
        """The data of one chart."""
        x, lines = self._drawn([field], 1)
        return [x, *lines[field]]

    def stored(self) -> dict[str, Any]:
        """All charts of a run over one x: {"lanes", "x", "fields": {field: [one list per lane]}, "figures"}.

        Figures are exact: {field: [{"mean", "min", "max", "last"} or None per lane]}.
        """
        fields = [field for field in FIELDS if any(field in lane for lane in self._lanes.values())]
        most = max(MAX_NUMBERS // max(len(fields) * len(self._lanes), 1), MIN_POINTS)
        x, lines = self._drawn(fields, -(-self._size * SLOTS // most))
        figures = {field: [_figures(lane.get(field)) for lane in self._lanes.values()] for field in fields}
        return {"lanes": self.lanes, "x": x, "fields": lines, "figures": figures}

    def _drawn(self, fields: Sequence[str], factor: int) -> tuple[list[float | None], dict[str, Columns]]:
        drawn: dict[str, list[_Line]] = {}
        for field in fields:
            found = (lane.get(field) or Buckets(self._size) for lane in self._lanes.values())
            drawn[field] = [self._line(kept.merged(factor) if factor > 1 else kept, factor) for kept in found]
        axis = self._axis([line for lines in drawn.values() for line in lines], factor)
        lines = {field: [_rounded(line.over(axis)) for line in lines] for field, lines in drawn.items()}
        return [float(x) for x in axis.times], lines

    def _line(self, kept: Buckets, factor: int) -> _Line:
        """The points with their places on the axis. A gap leaves the last place of its bucket free."""
        line = _Line([], [], [], [])
        width = self._width * factor
        rows = [(bucket, points) for bucket in range(kept.times.shape[1]) if (points := kept.points(bucket))]
        for (bucket, points), following in zip_longest(rows, rows[1:]):
            has_gap = following is not None and following[1][0][0] - points[-1][0] > max(GAP_S, width)
            start = self._extent.start + bucket * width
            inner = [int((time - start) / width * SLOTS) for time, _ in points]
            slots = [bucket * SLOTS + place for place in _spread(inner, SLOTS - 1 if has_gap else SLOTS)]
            line.slots += slots
            line.times += [time for time, _ in points]
            line.values += [value for _, value in points]
            if has_gap and following is not None:
                line.gaps.append((slots[-1], following[0] * SLOTS))
        return line

    def _axis(self, lines: Sequence[_Line], factor: int) -> _Axis:
        """Places that some line needs, each at the mean time of its points; a gap needs one where it has none."""
        step = self._width * factor / SLOTS
        found: dict[int, list[float]] = {}
        for line in lines:
            for slot, time in zip(line.slots, line.times, strict=True):
                found.setdefault(slot, []).append(time)
            for last, _ in line.gaps:
                free = last // SLOTS * SLOTS + SLOTS - 1
                found.setdefault(free, [])
        slots = sorted(found)
        times: list[float] = []
        for slot in slots:
            low = self._extent.start + slot * step
            time = min(max(sum(found[slot]) / len(found[slot]), low), low + step) if found[slot] else low + step / 2
            # Milliseconds are what senders give; the axis must still ascend.
            times.append(max(round(time, 3), round(times[-1] + 0.001, 3)) if times else round(time, 3))
        return _Axis(np.array(slots, dtype=np.intp), np.array(times, dtype=np.float64))


@dataclass(slots=True)
class _Axis:
    slots: npt.NDArray[np.intp]
    times: Floats


@dataclass(slots=True)
class _Line:
    slots: list[int]
    times: list[float]
    values: list[float]
    #: (place of the last point before, first place of the bucket behind)
    gaps: list[tuple[int, int]]

    def over(self, axis: _Axis) -> Floats:
        """A value for every place: its own, one on the straight line between its neighbours, or NaN in a gap."""
        if not self.slots:
            return np.full(len(axis.slots), np.nan)
        own = np.searchsorted(axis.slots, self.slots)
        found = np.interp(axis.times, axis.times[own], self.values, left=np.nan, right=np.nan)
        found[own] = self.values
        following = dict(pairwise(self.slots))
        for last, _ in self.gaps:
            found[(axis.slots > last) & (axis.slots < following[last])] = np.nan
        return found


def columns(
    events: Iterable[Mapping[str, Any]], lanes: Sequence[str], field: str, max_points: int = MAX_POINTS
) -> Columns:
    """The data of one chart from events in the contract's form, in any order; events of other lanes are left out."""
    found: dict[str, list[tuple[float, float]]] = {lane: [] for lane in lanes}
    for event in events:
        if event.get(field) is not None and event["gpuId"] in found:
            found[event["gpuId"]].append((datetime.fromisoformat(event["ts"]).timestamp(), float(event[field])))
    times = [time for points in found.values() for time, _ in points]
    builder = SeriesBuilder(Extent(min(times, default=0.0), max(times, default=0.0)), lanes, max_points)
    for lane, points in found.items():
        pairs = np.array(points, dtype=np.float64).reshape(-1, 2)
        builder.add(lane, field, pairs[:, 0], pairs[:, 1])
    return builder.columns(field)


def _spread(places: Sequence[int], room: int) -> list[int]:
    """Places in 0 … room-1 that ascend, each as near to the wished one as the others let it."""
    found: list[int] = []
    for number, place in enumerate(places):
        low = found[-1] + 1 if found else 0
        found.append(min(max(place, low), room - (len(places) - number)))
    return found


def _rounded(values: Floats) -> list[float | None]:
    """Five digits are more than a chart shows, and keep a page light."""
    return [None if math.isnan(value) else float(f"{value:.5g}") for value in values]


def _figures(kept: Buckets | None) -> dict[str, float] | None:
    if kept is None:
        return None
    last = np.flatnonzero(~np.isnan(kept.times[3]))[-1]
    return {
        "mean": kept.total / kept.count,
        "min": float(np.nanmin(kept.values[1])),
        "max": float(np.nanmax(kept.values[2])),
        "last": float(kept.values[3, last]),
    }
