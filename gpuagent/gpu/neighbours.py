"""Who else computes on a GPU: a process that is not the job's makes its figures worth less."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_MAX_DEPTH = 64


def own_pid(folder: Path) -> int | None:
    """Return the process that the agent started for this attempt, None where it did not say (a container)."""
    try:
        told = json.loads((folder / "pid.json").read_bytes())
        return int(told["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def foreign(pids: Iterable[int], own: int) -> list[int]:
    """Return those that live and belong to neither the process `own`, its descendants nor its session."""
    return [pid for pid in pids if _belongs(pid, own) is False]


def _belongs(pid: int, own: int) -> bool | None:
    """None where the process is not to be seen: it has ended, or it is named as another namespace knows it."""
    at = pid
    for _ in range(_MAX_DEPTH):
        if at == own:
            return True
        if (seen := _parent_and_session(at)) is None:
            return None if at == pid else False
        at, session = seen
        if session == own:
            return True
        if at <= 1:
            return False
    return False


def _parent_and_session(pid: int) -> tuple[int, int] | None:
    try:
        # The name in brackets may hold spaces and brackets itself.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return int(fields[1]), int(fields[3])
    except (OSError, ValueError, IndexError):
        return None
