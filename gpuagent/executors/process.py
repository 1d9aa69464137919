"""Runs an attempt as a process of the host, under a shim that outlives the agent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gpuagent
from gpuagent.executors import CannotStart, Exit, Rung
from gpuagent.host import clock, durable, shim
from gpuagent.host.folders import AttemptFolder
from gpuagent.host.schema import Offer

#: in the environment of everything that an attempt starts
MARK = "LEM_ATTEMPT"
#: what of the agent's environment a process gets
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "HF_HOME", "VIRTUAL_ENV")
SHIM_STARTS_S = 60.0
FILE_BYTES = 8 << 30

Command = Callable[[AttemptFolder, Offer], tuple[list[str], dict[str, str]]]


class ProcessExecutor:
    """`command` gives what is run and what its environment has beside the allow-list."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def start(self, attempt: AttemptFolder, offer: Offer) -> None:
        if attempt.has("run.lock") or shim.is_alive(attempt):
            return
        argv, env = self._command(attempt, offer)
        launch = {"argv": argv, "env": environment(attempt, offer, env), "cwd": str(_work(attempt)), "rlimits": RLIMITS}
        attempt.write("launch.json", launch)
        durable.crash_at("launch_written")
        start_shim(attempt)
        durable.crash_at("shim_started")

    def poll(self, attempt: AttemptFolder) -> Exit | None:
        if (ended := read_exit(attempt)) is not None:
            return ended
        if not attempt.has("run.lock") or shim.is_alive(attempt):
            return None
        # It may have written its last words between the two looks.
        if (ended := read_exit(attempt)) is not None:
            return ended
        return self._lost(attempt)

    def _lost(self, attempt: AttemptFolder) -> Exit:
        for pid in marked(attempt.id):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        known = attempt.read("pid.json") or {}
        if known.get("boot_id", clock.boot_id()) != clock.boot_id():
            return Exit(lost="host_rebooted", detail="The host was restarted while the job ran.")
        return Exit(lost="process_lost", detail="The job was killed together with the process that watches it.")

    def signal(self, attempt: AttemptFolder, rung: Rung) -> None:
        """To the whole group of the process; the last rung is for all that bears its mark."""
        known = attempt.read("pid.json")
        if known and known["boot_id"] == clock.boot_id() and clock.start_time(known["pid"]) == known["starttime"]:
            number = {"int": signal.SIGINT, "term": signal.SIGTERM, "kill": signal.SIGKILL}[rung]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(known["pid"], number)
        if rung == "kill":
            for pid in marked(attempt.id):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def cleanup(self, attempt: AttemptFolder) -> None:
        pass


#: no address space limit: CUDA reserves twice the device's memory of it
RLIMITS = {"CORE": (0, 0), "NOFILE": (65536, 65536), "FSIZE": (FILE_BYTES, FILE_BYTES)}


def environment(attempt: AttemptFolder, offer: Offer, extra: dict[str, str]) -> dict[str, str]:
    """From an allow-list: nothing of the agent's own secrets is among it."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= {
        MARK: attempt.id,
        "LEM_PROGRESS": str(attempt["progress.jsonl"]),
        "LEM_GO": str(attempt["go"]),
        "CUDA_VISIBLE_DEVICES": ",".join(offer.gpus),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LLEM_TRUST_REMOTE_CODE": "0",
        "DO_NOT_TRACK": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    return env | extra


def own_modules() -> dict[str, str]:
    """The environment in which `python -m gpuagent.…` is found, installed or not."""
    return {"PYTHONPATH": str(Path(gpuagent.__file__).parent.parent)}


def start_shim(attempt: AttemptFolder) -> None:
    """Returns once it is on its own. Raises CannotStart."""
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | own_modules()
    if (point := os.environ.get(durable.CRASH_VARIABLE, "")).startswith("shim_"):
        env[durable.CRASH_VARIABLE] = point
    # It needs nothing beside the standard library: without looking for more it starts in two thirds of the time.
    argv = [sys.executable, "-S", "-m", "gpuagent.host.shim", str(attempt.path)]
    try:
        with attempt["shim.log"].open("ab") as said:
            subprocess.run(  # noqa: S603 - this program
                argv, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=True, timeout=SHIM_STARTS_S,
                start_new_session=True, cwd="/",
            )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart("cannot_start", f"The host could not start a process: {error}") from error


def read_exit(attempt: AttemptFolder) -> Exit | None:
    found = attempt.read("exit.json")
    if found is None:
        return None
    return Exit(**{name: found[name] for name in Exit.__slots__ if name in found})


def marked(attempt_id: str) -> Iterator[int]:
    """Processes of this user that were started for the attempt, wherever they have moved."""
    mark = f"{MARK}={attempt_id}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def _work(attempt: AttemptFolder) -> Path:
    """An empty folder to run in: whatever a program reads from where it stands is not there."""
    folder = attempt["work"]
    folder.mkdir(exist_ok=True)
    return folder
