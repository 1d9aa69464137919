"""The energy that a host measured itself: its ten samples a second over any window of the attempt. No Django.

The file is a header that names the GPUs and the columns, then a line a sample; docs/jobs.md describes it. It comes
from a host, so nothing in it is believed: what cannot be read gives no energy, and never an error of ours.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import IO, Any

FILE = "telemetry.ndjson.gz"
#: eight GPUs for a day; a longer file is read so far, and does not cover what comes after
MAX_BYTES = 512 << 20
MAX_LINE_BYTES = 64 << 10
MAX_GPUS = 64
#: as PWR4 of the check catalogue has it
MAX_GAP_S = 3.0
J_PER_MJ = 1e-3
_UNKNOWN = math.nan
_DAMAGE = (OSError, EOFError, zlib.error)


@dataclass(slots=True)
class Series:
    """What one GPU said: when by the host's clock, its power, and its counter in mJ; nan is "not told"."""

    at: array[float] = field(default_factory=lambda: array("d"))
    power_w: array[float] = field(default_factory=lambda: array("d"))
    counter_mj: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class Trace:
    """The samples of an attempt by the UUID of the GPU."""

    gpus: dict[str, Series] = field(default_factory=dict)

    def energy_j(self, start: float, end: float) -> float | None:
        """Joules of all GPUs together between two moments, in seconds of Unix time; None where it cannot be told."""
        parts = [_energy_j(series, start, end) for series in self.gpus.values()]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        return sum(known) or None


def read_trace(stream: IO[bytes]) -> Trace:
    """All samples of a file, as far as it is whole."""
    trace = Trace()
    reader = _Reader(trace)
    for line in _lines(stream):
        reader.take(line)
    return trace


def _lines(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    left = MAX_BYTES
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            while left > 0 and (line := unpacked.readline(MAX_LINE_BYTES)):
                left -= len(line)
                if (decoded := _decode(line)) is not None:
                    yield decoded
    except _DAMAGE:
        return


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        decoded = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


class _Reader:
    """Knows from the newest header which GPU and which column stands where."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._series: list[Series] = []
        self._power = self._counter = -1

    def take(self, line: dict[str, Any]) -> None:
        if "columns" in line:
            self._read_header(line)
        elif self._series and isinstance(line.get("gpu"), list):
            self._read_sample(line.get("unix"), line["gpu"])

    def _read_header(self, line: dict[str, Any]) -> None:
        columns, gpus = line.get("columns"), line.get("gpus")
        if not isinstance(columns, list) or not isinstance(gpus, list):
            return
        uuids = [gpu.get("uuid") for gpu in gpus[:MAX_GPUS] if isinstance(gpu, dict)]
        self._series = [self._trace.gpus.setdefault(str(uuid), Series()) for uuid in uuids]
        self._power = columns.index("power_w") if "power_w" in columns else -1
        self._counter = columns.index("energy_mj") if "energy_mj" in columns else -1

    def _read_sample(self, unix: Any, rows: list[Any]) -> None:
        moment = _number(unix)
        if math.isnan(moment):
            return
        for series, row in zip(self._series, rows, strict=False):
            if isinstance(row, list):
                series.at.append(moment)
                series.power_w.append(_column(row, self._power))
                series.counter_mj.append(_column(row, self._counter))


def _column(row: list[Any], place: int) -> float:
    return _number(row[place]) if 0 <= place < len(row) else _UNKNOWN


def _number(value: Any) -> float:
    """A finite number that is not negative, else nan."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _UNKNOWN
    try:
        number = float(value)
    except OverflowError:
        return _UNKNOWN
    return number if math.isfinite(number) and number >= 0 else _UNKNOWN


def _energy_j(series: Series, start: float, end: float) -> float | None:
    """By the counter where it stands at every sample, else by the power; the samples have to cover the window."""
    first, last = bisect_right(series.at, start) - 1, bisect_left(series.at, end)
    if first < 0 or last >= len(series.at) or first >= last:
        return None
    at = series.at[first : last + 1]
    is_gapless = all(0 <= after - before <= MAX_GAP_S for before, after in pairwise(at))
    if not (at[0] <= start < end <= at[-1] and is_gapless):
        # A gap, or a clock that was set.
        return None
    counter, power = series.counter_mj[first : last + 1], series.power_w[first : last + 1]
    if all(after >= before for before, after in pairwise(counter)):
        return (_between(at, counter, end) - _between(at, counter, start)) * J_PER_MJ
    if any(math.isnan(watts) for watts in power):
        return None
    return _integral(at, power, start, end)


def _between(at: Sequence[float], values: Sequence[float], moment: float) -> float:
    """The value at a moment, in proportion to the time between the samples around it."""
    place = max(1, bisect_left(at, moment))
    before, after = at[place - 1], at[place]
    if after <= before:
        return values[place]
    share = (moment - before) / (after - before)
    return values[place - 1] + (values[place] - values[place - 1]) * share


def _integral(at: Sequence[float], power_w: Sequence[float], start: float, end: float) -> float:
    """Trapezoids; those at the edges as far as they are inside."""
    total = 0.0
    for (before, low), (after, high) in pairwise(zip(at, power_w, strict=True)):
        inside = min(after, end) - max(before, start)
        if inside > 0:
            total += (low + high) / 2 * inside
    return total
