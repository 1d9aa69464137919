"""What the host's GPUs say while the lane runs: of all of them, for only the operator knows which the server uses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpuagent.gpu.source import GpuFault, GpuSource, Sample

PERIOD_S = 0.5
#: a driver whose answer is older than that hangs, and its figures are unknown
FRESH_S = 3.0
MB_PER_MIB = 1.048576


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at all GPUs."""

    at: float
    samples: Sequence[Sample]


class Gauges:
    """Asks the driver in a thread of its own, so that a call that hangs holds up no prompt."""

    def __init__(self, open_source: Callable[[], GpuSource], *, now: Callable[[], float] = time.monotonic) -> None:
        self._open, self._now = open_source, now
        self._newest: Reading | None = None
        self._told_mj: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gauges", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2 * PERIOD_S)

    def read(self) -> dict[str, float | None]:
        """In the live contract's names; energy since the last call. None is what no GPU, or not every GPU, can say."""
        newest = self._newest
        samples = newest.samples if newest and self._now() - newest.at < FRESH_S else ()
        energy_mj, used_mib = _sum(samples, "energy_mj"), _sum(samples, "mem_mib")
        since_mj = None if energy_mj is None or self._told_mj is None else energy_mj - self._told_mj
        self._told_mj = energy_mj
        utils, temperatures = _known(samples, "util"), _known(samples, "temp_c")
        return {
            "powerW": _sum(samples, "power_w"),
            # A counter that goes backwards was reset.
            "energyJ": since_mj / 1000 if since_mj is not None and since_mj >= 0 else None,
            "vramUsedMB": None if used_mib is None else used_mib * MB_PER_MIB,
            "gpuUtilPct": sum(utils) / len(utils) if utils else None,
            "temperatureC": max(temperatures, default=None),
        }

    def _run(self) -> None:
        try:
            source = self._open()
        except GpuFault:
            # A host without a driver races all the same; its power is unknown.
            return
        try:
            while not self._stop.is_set():
                self._look(source)
                self._stop.wait(PERIOD_S)
        finally:
            source.close()

    def _look(self, source: GpuSource) -> None:
        try:
            self._newest = Reading(self._now(), [source.sample(gpu.uuid) for gpu in source.gpus()])
        except GpuFault:
            self._newest = None


def _known(samples: Sequence[Sample], name: str) -> list[float]:
    return [value for sample in samples if (value := getattr(sample, name)) is not None]


def _sum(samples: Sequence[Sample], name: str) -> float | None:
    """None where one GPU could not say: the sum of the others would be another figure."""
    values = _known(samples, name)
    return sum(values) if values and len(values) == len(samples) else None
