"""One ranked result as charts and answers use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Point:
    """What names, groups and places a result. Unknown is None or ""; figures are under their metric's name."""

    id: UUID
    #: "org/name" and how pages write it
    model: str
    model_title: str
    family: str
    parameters_total_b: float | None
    parameters_active_b: float | None
    #: slug and name
    hardware: str
    hardware_name: str
    gpu_count: int | None
    #: slug, name and version
    backend: str
    backend_name: str
    backend_version: str
    precision: str
    batch_size: int | None
    concurrency: int | None
    energy_scope: str
    trust: int
    runs: int | None
    values: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Points:
    """Those shown, out of how many there are; a sample where there are more than fit, which the page says."""

    points: Sequence[Point]
    total: int
    #: `total` follows from the share that was sampled, and is right to some percent
    is_estimated: bool = False

    @property
    def is_sampled(self) -> bool:
        return len(self.points) < self.total

    @property
    def total_words(self) -> str:
        """ "48,182", or "about 48,000" where it is estimated."""
        if not self.is_estimated:
            return f"{self.total:,}"
        return f"about {round(self.total, 2 - len(str(self.total))):,}"
