"""How this process was started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gpuagent.host.folders import default_home


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path = field(default_factory=default_home)
    #: pretends to have GPUs; everything it reports is marked so
    simulate: bool = False
    #: how many of them
    simulated_gpus: int = 1
    labels: tuple[str, ...] = ()
    #: seconds between two looks at the process
    tick_s: float = 0.25
    #: without an answer for so long, uploads are given up and kept aside
    give_up_s: float = 7 * 24 * 3600.0
    #: a finished attempt stays on the disk for so long
    keep_s: float = 24 * 3600.0
