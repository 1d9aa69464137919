"""AIPerf's gpu_telemetry_export.jsonl: readings of the GPUs' energy counters, and the energy of a window from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from leaderboard.importers.base import ImportRefused
from leaderboard.importers.fields import Fields, as_object
from lemsite.lib.strict_json import BadJson, loads

MAX_BYTES = 16 << 20
#: one GPU for an hour and three quarters, or eight for a quarter, at the tool's three readings a second
MAX_READINGS = 20_000
MAX_LINE_BYTES = 16_384
MAX_GAP_S = 3.0
#: how far the counter and the sampled power may be apart
MAX_DIFFERENCE = 0.05
_SIGNS = (b'"gpu_uuid"', b'"telemetry_data"')
_NS = 1e9
_J_PER_MEGAJOULE = 1e6


@dataclass(frozen=True, slots=True)
class Reading:
    """One GPU at one moment. The energy is the counter's state in MJ (10^6 J), not that of a window."""

    at_ns: int
    gpu: str
    #: where it was read: the address of a DCGM exporter, or pynvml://localhost
    source: str
    energy_megajoules: float | None
    power_w: float | None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class WindowEnergy:
    """What all GPUs together used in the measured window."""

    energy_j: float
    method: str


def is_telemetry(path: str, content: bytes) -> bool:
    start = content[:MAX_LINE_BYTES].partition(b"\n")[0]
    return path.lower().endswith(".jsonl") and all(sign in start for sign in _SIGNS)


def read_telemetry(path: str, content: bytes, *, is_redacted: bool = False) -> tuple[Reading, ...]:
    """Return the readings of a file, or raise ImportRefused naming the line.

    A file that is stored has lost the UUIDs of its GPUs: there their numbers tell them apart.
    """
    if len(content) > MAX_BYTES or content.count(b"\n") > MAX_READINGS:
        raise ImportRefused(
            f"{path}: it has more than {MAX_BYTES >> 20} MiB or {MAX_READINGS} readings; upload the result without it.",
            file=path,
        )
    lines = enumerate(content.split(b"\n"), start=1)
    return tuple(_reading(path, number, line, is_redacted=is_redacted) for number, line in lines if line.strip())


def _reading(path: str, number: int, line: bytes, *, is_redacted: bool) -> Reading:
    label = f"{path}: line {number}"
    try:
        value = loads(line, max_bytes=MAX_LINE_BYTES, max_depth=8, max_nodes=500)
    except BadJson as error:
        raise ImportRefused(f"{label}: {error}.", file=path) from None
    fields = Fields(as_object(value, file=label, field="the line"), label)
    at_ns, gpu = fields.count("timestamp_ns"), fields.text("gpu_uuid")
    if is_redacted and gpu is None:
        gpu = f"GPU {fields.count('gpu_index')}"
    if at_ns is None or gpu is None:
        raise fields.refuse("timestamp_ns" if at_ns is None else "gpu_uuid", "is missing")
    data = fields.below("telemetry_data")
    return Reading(
        at_ns=at_ns,
        gpu=gpu,
        source=fields.text("dcgm_url", limit=500) or "",
        energy_megajoules=_first(data, "energy_consumption", "amd_energy_consumption"),
        power_w=_first(data, "gpu_power_usage", "amd_power"),
        temperature_c=_first(data, "gpu_temperature"),
    )


def _first(data: Fields, *names: str) -> float | None:
    return next((value for name in names if (value := data.number(name)) is not None), None)


def window_energy(
    readings: Sequence[Reading], *, start_ns: float, end_ns: float, gpu_count: int | None
) -> WindowEnergy | str:
    """Return last less first state of every GPU's counter over the window, or the sentence that says why not."""
    series = one_series_per_gpu(readings)
    if gpu_count is not None and len(series) != gpu_count:
        return f"The telemetry file has {len(series)} GPUs and the result {gpu_count}, so they do not fit together."
    total = 0.0
    for one in series:
        problem = _problem(one, start_ns, end_ns)
        if problem:
            return problem
        total += (_counter_at(one, end_ns) - _counter_at(one, start_ns)) * _J_PER_MEGAJOULE
    if not total:
        return "The energy counters did not move during the run."
    by_power = [_sampled_j(one, start_ns, end_ns) for one in series]
    sampled = 0.0 if None in by_power else sum(joules or 0.0 for joules in by_power)
    if sampled and abs(total - sampled) > MAX_DIFFERENCE * max(total, sampled):
        return (
            f"The energy counters say {total:.0f} J and the sampled power {sampled:.0f} J; "
            f"more than {MAX_DIFFERENCE:.0%} apart, one of them is wrong."
        )
    return WindowEnergy(total, _method([one[0].source for one in series]))


def one_series_per_gpu(readings: Sequence[Reading]) -> list[list[Reading]]:
    """A GPU may be read through two exporters: the one with more readings counts, so that none is counted twice."""
    by_source: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        by_source.setdefault((reading.gpu, reading.source), []).append(reading)
    best: dict[str, list[Reading]] = {}
    for (gpu, _), series in sorted(by_source.items()):
        if len(series) > len(best.get(gpu, ())):
            best[gpu] = series
    return [sorted(series, key=lambda reading: reading.at_ns) for series in best.values()]


def _problem(series: Sequence[Reading], start_ns: float, end_ns: float) -> str | None:
    first, last = series[0].at_ns, series[-1].at_ns
    if first > start_ns or last < end_ns:
        covered = max(0.0, min(last, end_ns) - max(first, start_ns)) / _NS
        return (
            f"The telemetry covers {covered:.1f} s of the {(end_ns - start_ns) / _NS:.1f} s that were measured, "
            "so the energy of the run is not known."
        )
    if any(reading.energy_megajoules is None for reading in series):
        return "Some readings of the telemetry have no energy counter."
    inside = [pair for pair in pairwise(series) if pair[1].at_ns > start_ns and pair[0].at_ns < end_ns]
    gap = max(after.at_ns - before.at_ns for before, after in inside) / _NS
    if gap > MAX_GAP_S:
        return f"The telemetry has a gap of {gap:.1f} s in the measured window; {MAX_GAP_S:.0f} s are allowed."
    if any((after.energy_megajoules or 0) < (before.energy_megajoules or 0) for before, after in inside):
        return "An energy counter was reset or went backwards during the run."
    return None


def _counter_at(series: Sequence[Reading], at_ns: float) -> float:
    """The counter at a moment, between the readings around it in proportion to time."""
    before = next(reading for reading in reversed(series) if reading.at_ns <= at_ns)
    after = next(reading for reading in series if reading.at_ns >= at_ns)
    low, high = before.energy_megajoules or 0.0, after.energy_megajoules or 0.0
    if after.at_ns <= before.at_ns:
        return high
    return low + (high - low) * (at_ns - before.at_ns) / (after.at_ns - before.at_ns)


def _sampled_j(series: Sequence[Reading], start_ns: float, end_ns: float) -> float | None:
    """The energy by the trapezoid rule over sampled power, or None where some reading has no power."""
    if any(reading.power_w is None for reading in series):
        return None
    total = 0.0
    for before, after in pairwise(series):
        overlap = min(after.at_ns, end_ns) - max(before.at_ns, start_ns)
        if overlap > 0:
            total += ((before.power_w or 0.0) + (after.power_w or 0.0)) / 2 * overlap / _NS
    return total


def _method(sources: Sequence[str]) -> str:
    if all(source.startswith(("http://", "https://")) for source in sources):
        return "dcgm"
    return "nvml_counter" if all(source.startswith("pynvml") for source in sources) else "unknown"
