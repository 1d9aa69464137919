"""Runs one process, survives the agent, and writes down how the process ended: `python -m gpuagent.host.shim FOLDER`.

It reads FOLDER/launch.json. Its lock on shim.lock tells that it lives; making run.lock, which succeeds once, is the
start. What the process leaves behind is swept: this one is the parent of all orphans below it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from gpuagent.host import clock, durable
from gpuagent.host.folders import AttemptFolder, Home

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
LOCK_PATIENCE_S = 5.0
SWEEP_ROUNDS = 200

_libc = ctypes.CDLL(None, use_errno=True)


def is_alive(folder: AttemptFolder) -> bool:
    """Whether a shim holds the lock of this attempt."""
    try:
        descriptor = os.open(folder["shim.lock"], os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def main(argv: list[str]) -> int:
    folder = AttemptFolder(Path(argv[1]).resolve())
    begun, begin = os.pipe()
    if os.fork():
        # Until it has begun, or will not.
        os.close(begin)
        os.read(begun, 1)
        return 0
    # Nobody waits for what follows: the agent that started it may be long gone when it ends.
    os.close(begun)
    os.setsid()
    os._exit(_keep(folder, begin))


def _keep(folder: AttemptFolder, begin: int) -> int:
    if not _take(folder["shim.lock"]):
        return 0
    durable.crash_at("shim_locked")
    try:
        folder["run.lock"].mkdir()
    except FileExistsError:
        return 0
    durable.sync_folder(folder.path)
    durable.crash_at("shim_begun")
    os.close(begin)
    ctypes.set_errno(0)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    launch = folder.read("launch.json") or {}
    began_at, began = clock.utc_now(), clock.boot_s()
    code, sig = _run(folder, launch)
    _sweep()
    durable.crash_at("shim_ended")
    ended = {"exit_code": code, "signal": sig, "run_s": round(clock.boot_s() - began, 3), "boot_id": clock.boot_id()}
    _write_exit(folder, {**ended, "started_at": began_at, "ended_at": clock.utc_now()})
    return 0


def _take(path: Path) -> bool:
    """Another shim of the same attempt has it for good; an agent that looks has it for a moment."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + LOCK_PATIENCE_S
    while time.monotonic() < until:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.02)
    return False


def _run(folder: AttemptFolder, launch: dict[str, Any]) -> tuple[int | None, int | None]:
    """The process from its start to its end: its exit code, or the signal that ended it."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        _become(folder, launch, ready)
    os.close(ready)
    mark = {"pid": pid, "starttime": clock.start_time(pid), "boot_id": clock.boot_id(), "shim": os.getpid()}
    durable.write_json(folder["pid.json"], mark)
    durable.crash_at("shim_pid_written")
    Home(folder.path.parent.parent).note_start(folder.id, pid)
    durable.crash_at("shim_noted")
    os.write(go, b"!")
    os.close(go)
    status = _wait_for(pid)
    return (None, os.WTERMSIG(status)) if os.WIFSIGNALED(status) else (os.WEXITSTATUS(status), None)


def _become(folder: AttemptFolder, launch: dict[str, Any], ready: int) -> NoReturn:
    """The process itself, once it is known on disk that it starts."""
    try:
        os.setsid()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.read(ready, 1) != b"!":
            os._exit(1)
        _redirect(folder["raw.log"])
        for name, (soft, hard) in launch.get("rlimits", {}).items():
            _limit(getattr(resource, f"RLIMIT_{name}"), soft, hard)
        os.chdir(launch["cwd"])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.nice(5)
        os.execvpe(launch["argv"][0], launch["argv"], launch["env"])  # noqa: S606 - a list that the agent made
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on as a second shim
        with contextlib.suppress(OSError):
            os.write(2, f"[agent] cannot start {launch.get('argv', ['?'])[0]}: {error}\n".encode())
    os._exit(127)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.closerange(3, 256)


def _limit(kind: int, soft: int, hard: int) -> None:
    """As asked, or as far as the host allows."""
    highest = resource.getrlimit(kind)[1]
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


def _wait_for(pid: int) -> int:
    while True:
        # Orphans of the process that end meanwhile are this one's to bury.
        ended, status = os.wait()
        if ended == pid:
            return status


def _sweep() -> None:
    """End all that descends from the process, also what has left its session; orphans become our children."""
    for _ in range(SWEEP_ROUNDS):
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _write_exit(folder: AttemptFolder, ended: dict[str, Any]) -> None:
    """Also on a disk that is full: the agent makes room when it sees that."""
    for wait_s in (0.1, 0.5, 2.0, 5.0, 20.0, 60.0):
        try:
            folder.write("exit.json", ended)
            return
        except OSError:
            time.sleep(wait_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
