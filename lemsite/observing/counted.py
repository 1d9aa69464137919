"""What the web processes of this server counted: one in its memory, several in files that they share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess, values
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import REGISTRY

from lemsite.observing.shared_counters import FOLDER

#: the library counts its own process, too; several processes are counted in lemsite.observing.processes
PREFIX = "lemsite_"


def shared_folder() -> Path | None:
    """None where this process counts for itself."""
    is_shared = values.ValueClass.__name__ == "MmapedValue"
    return Path(os.environ[FOLDER]) if is_shared and FOLDER in os.environ else None


def counted(folder: Path | None) -> Iterable[Metric]:
    if folder is None:
        return [metric for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)]
    _forget_the_dead(folder)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # it has no types
    return list(registry.collect())


def living(folder: Path | None) -> list[int]:
    """Process ids of web processes that have counted something and still run."""
    if folder is None:
        return [os.getpid()]
    pids = {_pid(path) for path in folder.glob("*.db")}
    return sorted(pid for pid in pids if Path(f"/proc/{pid}").exists())


def _forget_the_dead(folder: Path) -> None:
    """What a killed process held open is closed; what it counted stays counted."""
    alive = set(living(folder))
    for path in folder.glob("gauge_live*_*.db"):
        if _pid(path) not in alive:
            path.unlink(missing_ok=True)


def _pid(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])
