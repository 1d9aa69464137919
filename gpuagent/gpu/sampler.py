"""Samples GPUs ten times a second into the folder of an attempt: `python -m gpuagent.gpu.sampler --out FOLDER …`.

A process of its own, so that a driver call that hangs stops no heartbeat, and so that it outlives the agent. SIGTERM
and SIGINT end it; it ends by itself once the attempt has its exit.json, or the folder is gone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gpuagent.gpu import neighbours, telemetry
from gpuagent.gpu.source import GpuFault, GpuInfo, GpuSource, Sample

PERIOD_S = 0.1
#: NVML repeats itself when it is asked faster
LEAST_PERIOD_S = 0.05
#: the counter moves about ten times a second
TICK_POLL_S = 0.005
TICK_PATIENCE_S = 0.25
AFTER_EXIT_S = 5.0
TURN_POLL_S = 0.5
#: held by the one that samples, whose process id is in it
LOCK = "sampler.lock"
MAX_AGE_S = 26 * 3600.0

_STOP = {signal.SIGTERM, signal.SIGINT}
_NOTHING = Sample()
_POWER, _ENERGY = Sample._fields.index("power_w"), Sample._fields.index("energy_mj")


def boottime() -> float:
    """Seconds since the host started, with the time it slept: no clock step touches it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Sampler:
    """Asks the source on an absolute schedule and writes what it says."""

    def __init__(
        self,
        source: GpuSource,
        uuids: Sequence[str],
        folder: Path,
        *,
        period_s: float = PERIOD_S,
        since: float | None = None,
    ) -> None:
        self._source, self._uuids, self._folder = source, uuids, folder
        self._period_s = max(LEAST_PERIOD_S, period_s)
        self._recorder = telemetry.Recorder(folder)
        self._began = self._beginning(since)
        self._second: list[list[Sample]] = []
        self._shown_at = 0.0
        self._ill: set[tuple[str, str]] = set()
        self._shared: set[str] = set()
        self._over_since: float | None = None

    def run(self, wait: Callable[[float], bool]) -> None:
        """Sample until `wait`, given seconds, says that it is enough, or the attempt is over."""
        self._write_header()
        self._edge("start")
        due = boottime()
        while not self._is_over():
            self.tick()
            due += self._period_s
            behind = boottime() - due
            if behind > self._period_s:
                # Missed samples are a gap, not a burst.
                due += self._period_s * int(behind / self._period_s)
            if wait(max(0.0, due - boottime())):
                break
        self._edge("end")
        self._recorder.close()

    def tick(self) -> None:
        """Take one sample of every GPU. Its time is the middle of the calls."""
        before = boottime()
        samples = [self._sample(uuid) for uuid in self._uuids]
        t = (before + boottime()) / 2 - self._began
        self._recorder.keep(t, time.time(), samples)
        self._second.append(samples)
        if t - self._shown_at >= 1.0 - self._period_s / 2:
            self._show(t)

    def _sample(self, uuid: str) -> Sample:
        try:
            return self._source.sample(uuid)
        except GpuFault as fault:
            self._tell_fault(uuid, fault)
            return _NOTHING

    def _tell_fault(self, uuid: str, fault: GpuFault) -> None:
        if (uuid, fault.code) not in self._ill:
            self._ill.add((uuid, fault.code))
            self._tell("fault", {"code": fault.code, "uuid": uuid, "text": str(fault)})

    def _tell(self, kind: str, what: Any, **more: Any) -> None:
        self._recorder.tell(
            {kind: what, "t": round(boottime() - self._began, 4), "unix": round(time.time(), 4), **more}
        )

    def _show(self, t: float) -> None:
        """Write the second that ends now: its mean power, and the newest of all else."""
        # On schedule, so that a late sample does not make all later ones late.
        self._shown_at = t if t - self._shown_at > 2 else self._shown_at + 1.0
        shown = []
        for place, uuid in enumerate(self._uuids):
            newest = self._second[-1][place]
            powers = [samples[place].power_w for samples in self._second]
            known = [power for power in powers if power is not None]
            mean = round(sum(known) / len(known), 2) if known else None
            shown.append({"uuid": uuid, **newest._replace(power_w=mean)._asdict()})
        self._second.clear()
        self._recorder.show(t, shown)
        self._look_for_neighbours()

    def _look_for_neighbours(self) -> None:
        own = neighbours.own_pid(self._folder)
        if own is None:
            return
        for uuid in self._uuids:
            try:
                pids = self._source.pids(uuid) if uuid not in self._shared else None
            except GpuFault:
                continue
            if pids and (others := neighbours.foreign(pids, own)):
                self._shared.add(uuid)
                self._tell("note", "gpu_shared", uuid=uuid, processes=len(others))

    def _edge(self, name: str) -> None:
        """Write the counters at the moment that they move: what lies between two edges is exact."""
        first = [self._counter(uuid) for uuid in self._uuids]
        edges: list[int | None] = [None] * len(first)
        at: list[float | None] = [None] * len(first)
        deadline = boottime() + TICK_PATIENCE_S
        waiting = {place for place, counter in enumerate(first) if counter is not None}
        while waiting and boottime() < deadline:
            time.sleep(TICK_POLL_S)
            for place in tuple(waiting):
                counter = self._counter(self._uuids[place])
                if counter != first[place]:
                    edges[place], at[place] = counter, round(boottime() - self._began, 4)
                    waiting.discard(place)
        self._tell("edge", name, energy_mj=edges, at=at)

    def _counter(self, uuid: str) -> int | None:
        try:
            return self._source.energy_mj(uuid)
        except GpuFault as fault:
            self._tell_fault(uuid, fault)
            return None

    def _write_header(self) -> None:
        known = {gpu.uuid: gpu for gpu in self._source.gpus()}
        gpus = [_described(known.get(uuid) or GpuInfo(uuid, "", 0)) for uuid in self._uuids]
        period_ms = round(self._period_s * 1000)
        self._recorder.header(
            {"boot_id": boot_id(), "began_boottime": round(self._began, 4), "period_ms": period_ms, "gpus": gpus}
        )

    def _beginning(self, since: float | None) -> float:
        """When time began: as told, or with the first sample. A sampler that takes over counts on from there."""
        header = next((line for line in telemetry.read_full(self._folder) if "began_boottime" in line), None)
        if header and header.get("boot_id") == boot_id():
            return float(header["began_boottime"])
        return boottime() if since is None else since

    def _is_over(self) -> bool:
        now = boottime()
        if now - self._began > MAX_AGE_S or not self._folder.is_dir():
            return True
        if self._over_since is None and (self._folder / "exit.json").exists():
            self._over_since = now
        return self._over_since is not None and now - self._over_since >= AFTER_EXIT_S


def _described(gpu: GpuInfo) -> dict[str, Any]:
    power = gpu.nvml.get("power") or "none"
    counter = "counter+" if gpu.nvml.get("energy_counter") else ""
    return {
        "uuid": gpu.uuid,
        "name": gpu.name,
        "method": f"{counter}power_{power}",
        "scope": "parent_gpu" if gpu.mig else gpu.nvml.get("scope", "gpu"),
        "power_limit_w": gpu.power_limit_w,
    }


def open_for(uuids: Sequence[str], folder: Path, *, simulate: bool) -> GpuSource:
    if simulate:
        from gpuagent.gpu.fake import FakeSource

        return FakeSource(uuids, folder=folder)
    from gpuagent.gpu.nvml import NvmlSource

    return NvmlSource()


def _stopped_within(seconds: float) -> bool:
    # The signals are blocked: none is lost, whenever it comes.
    return signal.sigtimedwait(_STOP, seconds) is not None


def _take_turn(folder: Path) -> bool:
    """Wait while another samples into this folder, to go on where it ends. False: there is nothing to go on with.

    An agent that was killed and is back cannot tell whether its sampler lives: it starts one, and this sorts it out.
    """
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _stopped_within(TURN_POLL_S) or (folder / "exit.json").exists():
                return False
            continue
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return True


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="gpuagent.gpu.sampler", description="Samples GPUs into a folder.")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the attempt")
    parser.add_argument("--gpus", required=True, help="their UUIDs, with commas between")
    parser.add_argument("--simulate", action="store_true", help="make the figures up; no driver is needed")
    parser.add_argument("--since", type=float, help="the CLOCK_BOOTTIME that times count from; now if left out")
    parser.add_argument("--period-ms", type=int, default=round(PERIOD_S * 1000))
    options = parser.parse_args(argv)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    if not _take_turn(options.out):
        return 0
    uuids = [uuid for uuid in options.gpus.split(",") if uuid]
    try:
        source = open_for(uuids, options.out, simulate=options.simulate)
        period_s, since = options.period_ms / 1000, options.since
        Sampler(source, uuids, options.out, period_s=period_s, since=since).run(_stopped_within)
    except GpuFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
