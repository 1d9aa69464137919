"""Simulated GPUs: they idle until a simulated job says in a file what load it puts on them."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gpuagent.gpu.source import GpuFault, GpuInfo, Sample

UUID_PREFIX = "GPU-simulated-"
#: in the folder of the attempt: {"power_w", "util", "mem_mib"}; without the file the GPUs idle
LOAD_FILE = "simulated-load.json"

#: counters of real boards move ten times a second
TICK_S = 0.1
WARMING_S = 20.0
IDLE_TEMP_C = 34.0
NOISE = 0.01

_THROTTLE_IDLE = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """A board, and what its driver can and cannot say."""

    name: str
    memory_mib: int
    cc: str
    power_limit_w: float
    idle_w: float
    clock_mhz: int = 1410
    #: what NVML's power figure means on this board
    power: str = "average_1s"
    scope: str = "gpu"
    mig: bool = False
    absent: frozenset[str] = frozenset()

    def info(self, uuid: str) -> GpuInfo:
        nvml = {
            "energy_counter": "energy_mj" not in self.absent,
            "power": self.power if "power_w" not in self.absent else None,
            "instant": self.power != "legacy",
            "scope": self.scope,
        }
        return GpuInfo(uuid, self.name, self.memory_mib, self.cc, self.mig, self.power_limit_w, nvml)


PROFILES = {
    "a100": Profile("NVIDIA A100-SXM4-80GB", 81920, "8.0", 400.0, 62.0, power="instant"),
    "h100": Profile("NVIDIA H100 80GB HBM3", 81559, "9.0", 700.0, 72.0, clock_mhz=1980),
    "l40s": Profile("NVIDIA L40S", 46068, "8.9", 350.0, 36.0, clock_mhz=2520),
    "rtx4090": Profile("NVIDIA GeForce RTX 4090", 24564, "8.9", 450.0, 22.0, clock_mhz=2745),
    "p100": Profile(
        "Tesla P100-PCIE-16GB", 16384, "6.0", 250.0, 30.0, 1328, power="instant", absent=frozenset({"energy_mj"})
    ),
    "mig": Profile(
        "NVIDIA A100-SXM4-80GB", 81920, "8.0", 400.0, 62.0, power="instant", mig=True, absent=frozenset({"util"})
    ),
    "gb10": Profile("NVIDIA GB10", 122880, "12.1", 140.0, 10.0, 2418, absent=frozenset({"mem_mib"})),
    "gh200": Profile("NVIDIA GH200 480GB", 97871, "9.0", 900.0, 110.0, 1980, scope="module"),
}


@dataclass(slots=True)
class _Board:
    """The state that a GPU has from one sample to the next."""

    profile: Profile
    noise: random.Random
    at: float
    energy_j: float
    power_w: float
    temp_c: float = IDLE_TEMP_C
    #: the counter as it was at its last tick
    shown_mj: int = 0
    ticked_at: float = 0.0


@dataclass(slots=True)
class Load:
    power_w: float
    util: int
    mem_mib: int


@dataclass(slots=True)
class Script:
    """What goes wrong, for tests: seconds after the source was opened."""

    lost_at_s: float | None = None
    counter_reset_at_s: float | None = None
    absent: frozenset[str] = field(default_factory=frozenset)


class FakeSource:
    """GPUs without a driver. Their counter is the integral of their power, so both agree as on a good board."""

    def __init__(
        self,
        uuids: Iterable[str],
        *,
        profile: str = "a100",
        folder: Path | None = None,
        script: Script | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._script, self._profile = clock, script or Script(), PROFILES[profile]
        self._load_path = str(folder / LOAD_FILE) if folder else None
        self._load: Load | None = None
        self._load_mtime = -1
        self._opened = now = clock()
        self._boards = {uuid: _new_board(uuid, self._profile, now) for uuid in uuids}

    @classmethod
    def of_instance(cls, instance_id: str, *, count: int = 1, profile: str = "a100") -> FakeSource:
        """The GPUs of one simulated host; another host has others, and a restart of this one the same."""
        # Not above: the sampler has no need of it, and starts with each job.
        import hashlib

        short = hashlib.sha256(instance_id.encode()).hexdigest()[:8]
        return cls([f"{UUID_PREFIX}{short}-{place}" for place in range(count)], profile=profile)

    def gpus(self) -> list[GpuInfo]:
        return [board.profile.info(uuid) for uuid, board in self._boards.items()]

    def sample(self, uuid: str) -> Sample:
        board = self._advance(uuid)
        load = self._load
        shown = Sample(
            power_w=round(board.power_w, 1),
            energy_mj=board.shown_mj,
            util=load.util if load else 0,
            mem_mib=load.mem_mib if load else 4,
            temp_c=int(board.temp_c),
            clock_mhz=board.profile.clock_mhz if load else 210,
            reasons=0 if load else _THROTTLE_IDLE,
        )
        absent = board.profile.absent | self._script.absent
        return shown._replace(**dict.fromkeys(absent)) if absent else shown

    def energy_mj(self, uuid: str) -> int | None:
        board = self._advance(uuid)
        return None if "energy_mj" in board.profile.absent | self._script.absent else board.shown_mj

    def pids(self, uuid: str) -> list[int] | None:
        self._board(uuid)
        return []

    def close(self) -> None:
        self._boards.clear()

    def _board(self, uuid: str) -> _Board:
        if uuid not in self._boards:
            raise GpuFault("gpu_unknown", "This host has no such GPU.")
        lost_at = self._script.lost_at_s
        if lost_at is not None and self._clock() - self._opened >= lost_at:
            raise GpuFault("gpu_lost", "The GPU has fallen off the bus; the host must be restarted.")
        return self._boards[uuid]

    def _advance(self, uuid: str) -> _Board:
        """Bring the board to the present: energy is the trapezoid of its power."""
        board, now = self._board(uuid), self._clock()
        self._read_load()
        passed = now - board.at
        if passed <= 0:
            return board
        before, load = board.power_w, self._load
        board.power_w = _power_w(board, load)
        board.energy_j += (before + board.power_w) / 2 * passed
        board.at = now
        self._warm(board, load, passed)
        self._tick(board, now)
        return board

    def _warm(self, board: _Board, load: Load | None, passed: float) -> None:
        aim = IDLE_TEMP_C + 32.0 * (load.util / 100 if load else 0)
        board.temp_c += (aim - board.temp_c) * min(1.0, passed / WARMING_S)

    def _tick(self, board: _Board, now: float) -> None:
        reset_at = self._script.counter_reset_at_s
        if reset_at is not None and board.ticked_at < self._opened + reset_at <= now:
            board.energy_j = 0.0
        if now - board.ticked_at >= TICK_S:
            board.shown_mj, board.ticked_at = int(board.energy_j * 1000), now - now % TICK_S

    def _read_load(self) -> None:
        """Look whether the job has said something new. A torn or absent file is no load."""
        if self._load_path is None:
            return
        try:
            mtime = os.stat(self._load_path).st_mtime_ns  # noqa: PTH116 - eighty times a second
            if mtime != self._load_mtime:
                self._load_mtime = mtime
                told = json.loads(Path(self._load_path).read_bytes())
                self._load = Load(float(told["power_w"]), int(told["util"]), int(told["mem_mib"]))
        except (OSError, ValueError, KeyError, TypeError):
            self._load, self._load_mtime = None, -1


def _new_board(uuid: str, profile: Profile, now: float) -> _Board:
    noise = random.Random(uuid)  # noqa: S311 - a wobble, not a secret
    energy_j = 1e4 + noise.random() * 1e6
    return _Board(
        profile, noise, at=now, energy_j=energy_j, power_w=profile.idle_w, shown_mj=int(energy_j * 1000), ticked_at=now
    )


def _power_w(board: _Board, load: Load | None) -> float:
    aim = min(load.power_w, board.profile.power_limit_w) if load else board.profile.idle_w
    return aim * (1 + NOISE * (2 * board.noise.random() - 1))


def put_load(folder: Path, *, power_w: float, util: int, mem_mib: int) -> None:
    """Let the simulated GPUs that are sampled into this folder work."""
    scratch = folder / f"{LOAD_FILE}.new"
    scratch.write_text(json.dumps({"power_w": power_w, "util": util, "mem_mib": mem_mib}))
    scratch.replace(folder / LOAD_FILE)


def take_load_off(folder: Path) -> None:
    (folder / LOAD_FILE).unlink(missing_ok=True)
