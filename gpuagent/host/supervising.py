"""Sees one attempt through on this host: starts it, watches it, stops it, and writes the report. No HTTP here.

A step looks at the disk, does what is due, and can be repeated after a crash at any point.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpuagent.executors import CannotStart, Executor, Exit, Rung
from gpuagent.executors.process import PASSED_ON, own_modules, read_exit
from gpuagent.gpu import energy, telemetry
from gpuagent.gpu.source import LOST
from gpuagent.host import clock, collecting, durable, outcomes, shim
from gpuagent.host.config import Settings
from gpuagent.host.folders import AttemptFolder, Home
from gpuagent.host.masking import Mask
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Limits, Offer
from gpuagent.host.spooling import EventSpool, LogSpool, size_and_sha256, sync_file

logger = logging.getLogger("gpuagent.host")

DISK_LOOK_S = 10.0
#: less than this, and the host itself is in trouble
LEAST_FREE_MIB = 256
SAMPLER_ENDS_S = 8.0
#: its exit code where the driver gives no figures, which another start would not change
SAMPLER_CANNOT = 3
#: samples that stay away for so long: the driver hangs
SAMPLER_SILENCE_S = 120.0


@dataclass
class Supervisor:
    """One attempt. `may_start` says whether the site has confirmed it lately; old knowledge starts nothing."""

    folder: AttemptFolder
    home: Home
    settings: Settings
    policy: Policy
    limits: Limits
    executor: Executor
    may_start: Callable[[], bool]
    #: called when the site should hear at once: a lane is ready, or it has ended and its GPUs are free
    news: Callable[[], None] = lambda: None
    _offer: Offer | None = field(default=None, init=False)
    _log: LogSpool | None = field(default=None, init=False)
    _events: EventSpool | None = field(default=None, init=False)
    _printed: int = field(default=-1, init=False)
    _heard_s: float = field(default=0.0, init=False)
    _disk_s: float = field(default=0.0, init=False)
    _faults_read: int = field(default=0, init=False)
    _sampler: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _told_end: bool = field(default=False, init=False)

    @property
    def offer(self) -> Offer:
        if self._offer is None:
            self._offer = self.folder.offer
        return self._offer

    @property
    def newest_step(self) -> dict[str, Any]:
        """What the program said last of where it is."""
        return self._events.newest_step if self._events else {}

    @property
    def is_ready(self) -> bool:
        """A lane of a race waits for the start."""
        return self._events is not None and self._events.is_ready

    def step(self) -> bool:
        """True once there is nothing left to do but to send."""
        stage = self.folder.stage
        if stage == "accepted":
            self._begin()
        elif stage == "running":
            self._pump()
            self._look()
        elif stage == "ended":
            self._tell_end()
            self._conclude()
        return stage in {"finished", "done"}

    # start

    def _begin(self) -> None:
        if self.folder.has("stop.json"):
            self._never_starts(Exit(lost="not_started", detail="It was stopped before it began."))
        elif self.may_start():
            if self.offer.executor != "container":
                self._sample()
            try:
                self.executor.start(self.folder, self.offer)
            except CannotStart as problem:
                self._never_starts(Exit(lost=problem.code, detail=str(problem)))

    def _never_starts(self, ended: Exit) -> None:
        """Taking the lock makes sure of it."""
        with contextlib.suppress(FileExistsError):
            self.folder["run.lock"].mkdir()
        if not shim.is_alive(self.folder):
            self._write_exit(ended)

    def _write_exit(self, ended: Exit) -> None:
        now = clock.utc_now()
        told = {name: getattr(ended, name) for name in Exit.__slots__}
        told["started_at"] = ended.started_at or (self.folder.read("accepted.json") or {}).get("at", now)
        told["ended_at"] = ended.ended_at or now
        self.folder.write("exit.json", told)

    def _sample(self) -> None:
        """The sampler is a process of its own: a driver call that hangs stops nothing else."""
        if not self.offer.gpus or (self._sampler and self._sampler.poll() in {None, SAMPLER_CANNOT}):
            return
        # Only a driver's bindings are beside the standard library.
        plain = ["-S"] if self.settings.simulate else []
        argv = [sys.executable, *plain, "-m", "gpuagent.gpu.sampler", "--out", str(self.folder.path)]
        argv += ["--since", str(self.folder.started_boot_s)]
        argv += ["--gpus", ",".join(self.offer.gpus), *(["--simulate"] if self.settings.simulate else [])]
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | own_modules()
        with self.folder["sampler.log"].open("ab") as said:
            self._sampler = subprocess.Popen(  # noqa: S603 - this program
                argv, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd="/"
            )

    # watch

    def _pump(self) -> None:
        if self._log is None or self._events is None:
            self._log = LogSpool(self.folder, self.home.secrets, self.limits.log_total)
            self._events = EventSpool(self.folder, self.home.secrets)
        self._log.pump()
        was_ready = self._events.is_ready
        self._events.pump()
        if self._events.is_ready and not was_ready:
            self.news()
        heard = self._log.read_bytes + self._events.read_bytes
        if heard != self._printed:
            self._printed, self._heard_s = heard, clock.boot_s()

    def _look(self) -> None:
        ended = self.executor.poll(self.folder)
        if ended is not None:
            if not self.folder.has("exit.json"):
                self._write_exit(ended)
            return
        if self.folder.has("fetching"):
            self._check_fetching()
        else:
            self._sample()
            self._check_limits()
        self._climb()

    def _check_limits(self) -> None:
        limits = self.offer.limits
        if self._worked_s() > limits.wall_s:
            self._stop("wall", f"It took longer than {limits.wall_s:.0f} s.")
        elif clock.boot_s() - self._heard_s > limits.silence_s:
            self._stop("silence", f"It said nothing for {limits.silence_s:.0f} s.")
        elif clock.boot_s() - self._disk_s > DISK_LOOK_S:
            self._disk_s = clock.boot_s()
            self._check_disk()
            self._check_gpus()

    def _check_fetching(self) -> None:
        """The model comes; the time for that is another than the time to run."""
        self._heard_s = clock.boot_s()
        if self.folder.run_s() > self.offer.limits.fetch_s:
            self._stop("fetch", f"Fetching the model took longer than {self.offer.limits.fetch_s:.0f} s.")

    def _worked_s(self) -> float:
        began = self.folder.read("began.json")
        return clock.boot_s() - float(began["boot_s"]) if began else self.folder.run_s()

    def _check_disk(self) -> None:
        if folder_mib(self.folder.path) > self.offer.limits.disk_mib:
            self._stop("disk", f"It wrote more than {self.offer.limits.disk_mib} MiB.")
        elif self.home.free_mib() < LEAST_FREE_MIB:
            (self.home.path / "ballast").unlink(missing_ok=True)
            self._stop("disk_full", "The host's disk is full.")

    def _check_gpus(self) -> None:
        """What the sampler has found since the last look. A sampler that is silent hangs in a call of the driver."""
        for line, end in durable.lines(self.folder[telemetry.LIVE], self._faults_read):
            self._faults_read = end
            fault = json.loads(line).get("fault", {}) if b'"fault"' in line else {}
            if fault.get("code") in LOST:
                self._stop("gpu_lost", str(fault.get("text", "")))
        if (telemetry.silence_s(self.folder.path) or 0.0) > SAMPLER_SILENCE_S:
            self._stop("nvml_hung", "The driver of the GPU does not answer any more.")

    def _stop(self, why: str, detail: str) -> None:
        if self.folder.ask_to_stop(why, detail):
            self.folder.note(detail)

    def _climb(self) -> None:
        """The ladder: ask, insist, kill. Each rung once, also across a restart."""
        stop = self.folder.read("stop.json")
        if stop is None:
            return
        rung = due_rung(stop, self.policy)
        done = self.folder["rung"].read_text() if self.folder.has("rung") else ""
        if rung != done or rung == "kill":
            self.executor.signal(self.folder, rung)
            self.folder["rung"].write_text(rung)

    # end

    def _tell_end(self) -> None:
        if not self._told_end:
            self._told_end = True
            self.news()

    def _conclude(self) -> None:
        """Everything that the report names is on the disk, and then the report."""
        durable.crash_at("exit_seen")
        self._end_sampler()
        ended = read_exit(self.folder) or Exit()
        result = outcomes.judge(self.folder, self.offer, ended)
        detail = Mask(self.home.secrets()).feed(result.detail.encode(), last=True).decode()
        found, left = collecting.collect(
            self.folder, self.offer.collect, max_files=self.limits.artifacts, max_bytes=self.limits.artifact_total
        )
        for sentence in [*left, *([detail] if detail else [])]:
            self.folder.note(sentence)
        self._pump()
        assert self._log is not None  # noqa: S101 - _pump has made both
        assert self._events is not None  # noqa: S101 - the same
        self._log.pump(last=True)
        sync_file(self.folder["events.ndjson"])
        size, sha256 = size_and_sha256(self.folder["out.log"])
        report = {
            "finish_id": secrets.token_hex(16),
            "outcome": result.outcome,
            "exit_code": ended.exit_code,
            "signal": ended.signal,
            "code": result.code,
            "detail": detail,
            "run_s": ended.run_s,
            "started_at": ended.started_at or clock.utc_now(),
            "ended_at": ended.ended_at or clock.utc_now(),
            "log": {"size": size, "sha256": sha256},
            "telemetry": {"last_seq": telemetry.last_seq(self.folder.path)},
            "events": {"last_seq": self._events.seq},
            "artifacts": [one.as_told() for one in found],
            "energy": energy.report(self.folder.path),
        }
        durable.crash_at("report_made")
        self.folder.write("finish.json", report)
        durable.crash_at("finish_written")

    def _end_sampler(self) -> None:
        """Its last words are part of the report. One that hangs is killed."""
        if self._sampler and self._sampler.poll() is None:
            self._sampler.terminate()
        if not _released(self.folder["sampler.lock"], SAMPLER_ENDS_S) and self._sampler:
            self._sampler.kill()
        if self._sampler:
            self._sampler.wait()


def due_rung(stop: dict[str, Any], policy: Policy) -> Rung:
    """How firmly a process is asked to end by now."""
    passed_s = clock.boot_s() - float(stop["boot_s"])
    if stop["why"] == "kill" or passed_s > policy.interrupt_s + policy.terminate_s:
        return "kill"
    return "term" if passed_s > policy.interrupt_s else "int"


def folder_mib(folder: Path) -> int:
    """What the files below take on the disk; links are not followed."""
    total = 0
    for _, _, files, at in os.fwalk(folder, follow_symlinks=False):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.stat(name, dir_fd=at, follow_symlinks=False).st_blocks * 512
    return total >> 20


def _released(path: Path, patience_s: float) -> bool:
    """Whether nobody holds the lock on this file any more."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return True
        except FileNotFoundError:
            return True
        except BlockingIOError:
            time.sleep(0.02)
    return False
