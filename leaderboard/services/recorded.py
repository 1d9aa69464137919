"""Power and temperature over time that belong to a result: from its own files, or from whoever else recorded them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.core.cache import cache

from leaderboard.analysis.traces import MIN_SAMPLES, GpuTrace, trace_of
from leaderboard.importers.base import ImportRefused
from leaderboard.importers.telemetry import Reading, is_telemetry, one_series_per_gpu, read_telemetry
from leaderboard.models import Result
from leaderboard.services.storing import read_raw_file

Recorder = Callable[[Result], Sequence[GpuTrace]]
KEPT_S = 600
_NS = 1e9
_RECORDERS: dict[str, Recorder] = {}


def register_recorder(app: str, recorder: Recorder) -> None:
    """An app above this one that records more says so when it is ready."""
    _RECORDERS[app] = recorder


def traces_of(result: Result) -> Sequence[GpuTrace]:
    """One trace a GPU, () where nothing was recorded. A file of an upload is read once in ten minutes at most."""
    key = f"leaderboard.traces.{result.pk}.{result.submission.version}"
    known: Sequence[GpuTrace] | None = cache.get(key)
    if known is None:
        known = _asked(result)
        if known:
            cache.set(key, known, KEPT_S)
    return known


def _asked(result: Result) -> Sequence[GpuTrace]:
    for recorder in (_in_files, *_RECORDERS.values()):
        traces = [trace for trace in recorder(result) if len(trace.t_s) >= MIN_SAMPLES]
        if traces:
            return traces
    return ()


def _in_files(result: Result) -> Sequence[GpuTrace]:
    """What AIPerf wrote beside its result; a submission of several results does not say whose it is."""
    submission = result.submission
    if submission.results.count() > 1:
        return ()
    for raw in submission.raw_files.all():
        if raw.version != submission.version or not raw.name.endswith(".jsonl"):
            continue
        content = read_raw_file(raw)
        if is_telemetry(raw.name, content):
            try:
                return _traces(read_telemetry(raw.name, content, is_redacted=True))
            except ImportRefused:  # an earlier release took what this one would not
                return ()
    return ()


def _traces(readings: Sequence[Reading]) -> list[GpuTrace]:
    if not readings:
        return []
    start = min(reading.at_ns for reading in readings)
    return [
        trace_of(
            f"GPU {number}",
            [(reading.at_ns - start) / _NS for reading in series],
            [reading.power_w for reading in series],
            [reading.temperature_c for reading in series],
        )
        for number, series in enumerate(one_series_per_gpu(readings))
    ]
