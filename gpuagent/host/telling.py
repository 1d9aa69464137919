"""What the site is told of the attempts on this host, and of its GPUs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gpuagent.gpu import telemetry
from gpuagent.host import clock
from gpuagent.host.folders import AttemptFolder
from gpuagent.host.supervising import Supervisor

VITALS = ("uuid", "power_w", "util", "mem_mib", "temp_c")


def standing(folder: AttemptFolder, supervisor: Supervisor) -> dict[str, Any]:
    """An attempt at the beginning of a session."""
    return {
        "id": folder.id,
        "phase": phase(folder, supervisor),
        "log_size": _log_size(folder),
        "run_s": folder.run_s(),
        "exit": folder.read("exit.json"),
    }


def progress(folder: AttemptFolder, supervisor: Supervisor) -> dict[str, Any]:
    """An attempt in a heartbeat."""
    newest = supervisor.newest_step
    return {
        "id": folder.id,
        "phase": phase(folder, supervisor),
        "log_size": _log_size(folder),
        "step": _shown(str(newest.get("title") or newest.get("id") or "")),
        "step_i": _count(newest.get("i")),
        "step_n": _count(newest.get("n")),
    }


def phase(folder: AttemptFolder, supervisor: Supervisor) -> str:
    if folder.stage in {"ended", "finished", "done"}:
        return "uploading"
    if folder.has("stop.json"):
        return "stopping"
    if folder.has("fetching"):
        return "fetching"
    return "ready" if supervisor.is_ready and not has_gone(folder) else "running"


def has_gone(folder: AttemptFolder) -> bool:
    """Whether the lane's race has started."""
    try:
        return float(folder["go"].read_text()) <= clock.boot_s()
    except (FileNotFoundError, ValueError):
        return False


def vitals(folders: Iterable[AttemptFolder]) -> list[dict[str, Any]]:
    """The newest sample of each GPU that works for one of these attempts."""
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        if newest := telemetry.latest(folder.path):
            found |= {gpu["uuid"]: {name: gpu.get(name) for name in VITALS} for gpu in newest["gpu"]}
    return list(found.values())


def _log_size(folder: AttemptFolder) -> int:
    log = folder["out.log"]
    return log.stat().st_size if log.exists() else 0


def _shown(text: str) -> str:
    """A program's words, as the site takes them: one line without control characters."""
    return "".join(letter for letter in text[:200] if letter.isprintable())[:80]


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
