"""The energy of an attempt as the host saw it, from its ten-a-second file: by the counter and by the integral.

Both are kept, since each fails in its own way: the counter moves in steps and starts again with the driver, the power
is an average or a glimpse, and gaps are guessed across.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpuagent.gpu import telemetry
from gpuagent.gpu.source import Sample

DIFFER_SHARE = 0.05
#: a shorter window is quantised to more than 1 % by a counter that moves every 100 ms
SHORT_S = 10.0
GAP_MS = 200.0
THROTTLED_SHARE = 0.01
IDLE_UTIL = 10
#: samples before the load that make a baseline, and how many of them at most
LEAST_IDLE, MOST_IDLE = 10, 300
#: the first samples tell whether somebody was there before the job
BEFORE_S = 0.5

#: NVML's reasons by which a board is slower than its clocks: slowdown by hardware, by heat, by the power brake. Its
#: power cap is not among them: most boards run at it under load.
_SLOWED = 0x08 | 0x20 | 0x40 | 0x80


@dataclass(slots=True)
class _Account:
    """What one GPU used, sample by sample in the order of time."""

    uuid: str
    method: str
    scope: str
    counter_mj: int = 0
    integral_j: float = 0.0
    samples: int = 0
    max_gap_s: float = 0.0
    slowed: int = 0
    first_t: float | None = None
    last_t: float | None = None
    last_power: tuple[float, float] | None = None
    first_power: tuple[float, float] | None = None
    last_counter: int | None = None
    counters: int = 0
    #: power before the load, while it has not begun
    idle_w: list[float] = field(default_factory=list)
    has_begun: bool = False
    flags: set[str] = field(default_factory=set)

    def take(self, t: float, sample: Sample) -> None:
        if self.last_t is not None:
            self.max_gap_s = max(self.max_gap_s, t - self.last_t)
        self.first_t = t if self.first_t is None else self.first_t
        self.last_t = t
        self.samples += 1
        if sample.reasons is not None and sample.reasons & _SLOWED:
            self.slowed += 1
        if t - self.first_t <= BEFORE_S and (sample.util or 0) > IDLE_UTIL:
            self.flags.add("busy_before")
        self.count(sample.energy_mj)
        if sample.power_w is not None:
            self._integrate(t, sample.power_w)
            self._rest(sample.util, sample.power_w)

    def _rest(self, util: int | None, power_w: float) -> None:
        # A GPU that does not tell its load cannot be known to idle.
        self.has_begun = self.has_begun or util is None or util > IDLE_UTIL
        if not self.has_begun and len(self.idle_w) < MOST_IDLE:
            self.idle_w.append(power_w)

    def count(self, counter_mj: int | None) -> None:
        """Add what the counter moved. One that starts again adds nothing for that step."""
        if counter_mj is None:
            return
        self.counters += 1
        if self.last_counter is not None:
            if counter_mj < self.last_counter:
                self.flags.add("counter_backwards")
            self.counter_mj += max(0, counter_mj - self.last_counter)
        self.last_counter = counter_mj

    def _integrate(self, t: float, power_w: float) -> None:
        if self.last_power is None:
            self.first_power = (t, power_w)
        else:
            then, before = self.last_power
            self.integral_j += (before + power_w) / 2 * (t - then)
        self.last_power = (t, power_w)

    def reach(self, start: float | None, end: float | None) -> None:
        """Extend the integral to the edges at which the counter was read."""
        if start is not None and self.first_power is not None:
            self.integral_j += max(0.0, self.first_power[0] - start) * self.first_power[1]
        if end is not None and self.last_power is not None:
            self.integral_j += max(0.0, end - self.last_power[0]) * self.last_power[1]

    def report(self) -> dict[str, Any]:
        has_integral = self.first_power is not None and self.first_power != self.last_power
        counter_j = self.counter_mj / 1000 if self.counters > 1 else None
        integral_j = self.integral_j if has_integral else None
        return {
            "uuid": self.uuid,
            "counter_j": None if counter_j is None else round(counter_j, 3),
            "integral_j": None if integral_j is None else round(integral_j, 3),
            "method": self.method,
            "samples": self.samples,
            "max_gap_ms": round(self.max_gap_s * 1000, 1),
            "idle_w": sorted(self.idle_w)[len(self.idle_w) // 2] if len(self.idle_w) >= LEAST_IDLE else None,
            "flags": sorted(self.flags | self._judged(counter_j, integral_j)),
        }

    def _judged(self, counter_j: float | None, integral_j: float | None) -> set[str]:
        lasted_s = (self.last_t or 0.0) - (self.first_t or 0.0)
        differ = counter_j is not None and integral_j is not None and _differ(counter_j, integral_j)
        found = {
            "differ": differ,
            "short": lasted_s < SHORT_S,
            "gap": self.max_gap_s * 1000 > GAP_MS,
            "throttled": self.slowed > THROTTLED_SHARE * self.samples,
            f"scope_{self.scope}": self.scope != "gpu",
        }
        return {flag for flag, holds in found.items() if holds}


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > DIFFER_SHARE * max(one, other)


class _Ledger:
    """The accounts of all GPUs; a header may come again and put them in another order."""

    def __init__(self) -> None:
        self.accounts: dict[str, _Account] = {}
        self._order: list[_Account] = []
        self._starts: list[float | None] = []
        self._ends: list[float | None] = []

    def read(self, line: dict[str, Any]) -> None:
        if "columns" in line:
            self._head(line)
        elif isinstance(line.get("gpu"), list):
            for account, values in zip(self._order, line["gpu"], strict=False):
                account.take(line["t"], Sample(*values))
        elif "edge" in line:
            self._edge(line)
        else:
            self._tell(line)

    def _head(self, line: dict[str, Any]) -> None:
        self._order = []
        for gpu in line["gpus"]:
            account = self.accounts.setdefault(gpu["uuid"], _Account(gpu["uuid"], gpu["method"], gpu["scope"]))
            self._order.append(account)

    def _edge(self, line: dict[str, Any]) -> None:
        for account, counter in zip(self._order, line["energy_mj"], strict=False):
            account.count(counter)
        if line["edge"] == "start":
            # A sampler that took over has an edge of its own: the first one counts.
            self._starts = self._starts or line["at"]
        else:
            self._ends = line["at"]

    def _tell(self, line: dict[str, Any]) -> None:
        told = line.get("fault") or line
        account = self.accounts.get(str(told.get("uuid")))
        if account is not None:
            account.flags.add(str(told.get("code") or told.get("note")))

    def close(self) -> None:
        for place, account in enumerate(self._order):
            account.reach(_at(self._starts, place), _at(self._ends, place))


def _at(edges: Sequence[float | None], place: int) -> float | None:
    return edges[place] if place < len(edges) else None


def report(folder: Path) -> list[dict[str, Any]]:
    """Return what each GPU used between the first and the last sample, as the finish of an attempt tells it.

    [{"uuid", "counter_j", "integral_j", "method", "samples", "max_gap_ms", "idle_w", "flags"}]; None is "cannot be
    told". `idle_w` is the median power before the load: it is told beside the energy and never taken off it.
    """
    ledger = _Ledger()
    for line in telemetry.read_full(folder):
        ledger.read(line)
    ledger.close()
    return [account.report() for account in ledger.accounts.values()]
