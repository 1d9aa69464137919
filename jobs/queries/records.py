"""What an attempt left behind beside its log: telemetry as columns, steps, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache

from jobs.models import Attempt, AttemptEvent

MAX_POINTS = 2_000
MAX_STEPS = 300
#: what is drawn: column of the telemetry -> what it is divided by for the unit of its chart
QUANTITIES = {"power_w": 1, "util": 1, "mem_mib": 1024, "temp_c": 1}
KEPT_S = 600

Line = list[float | None]


@dataclass(slots=True)
class Samples:
    """Seconds since the start, and for each GPU by its UUID a line for each quantity."""

    t: list[float] = field(default_factory=list)
    gpus: dict[str, dict[str, Line]] = field(default_factory=dict)
    #: the sequence number that is expected next
    next_seq: int = 1

    def add(self, columns: dict[str, Any]) -> None:
        times = [float(moment) for moment in columns.get("t", [])]
        told = {gpu.get("uuid", ""): gpu for gpu in columns.get("gpu", [])}
        for uuid in told:
            # A GPU that appears later has a gap before.
            self.gpus.setdefault(uuid, {name: [None] * len(self.t) for name in QUANTITIES})
        self.t += times
        for uuid, lines in self.gpus.items():
            for name, line in lines.items():
                values = list(told.get(uuid, {}).get(name) or [])[: len(times)]
                line += values + [None] * (len(times) - len(values))


@dataclass(frozen=True, slots=True)
class Summary:
    """One quantity of one GPU over all its samples; None where the driver never said it."""

    uuid: str
    name: str
    mean: float | None
    low: float | None
    high: float | None
    last: float | None
    count: int


def samples_of(attempt: Attempt, after: int = 1) -> Samples:
    """Samples with a sequence number of at least `after`, as far as they lie without a gap."""
    samples = Samples(next_seq=after)
    batches = attempt.telemetry.filter(first_seq__gte=after).order_by("first_seq")
    for first, count, columns in batches.values_list("first_seq", "count", "columns").iterator(chunk_size=500):
        if first != samples.next_seq:
            break
        samples.add(columns)
        samples.next_seq = first + count
    return samples


def thinned(samples: Samples, limit: int = MAX_POINTS) -> tuple[Samples, int]:
    """Means of equal stretches where there are more points than a chart shows; how many samples make a point."""
    every = -(-len(samples.t) // limit) or 1
    if every == 1:
        return samples, 1
    gpus = {
        uuid: {name: [_mean(part) for part in _parts(line, every)] for name, line in lines.items()}
        for uuid, lines in samples.gpus.items()
    }
    return Samples([part[0] for part in _parts(samples.t, every)], gpus, samples.next_seq), every


def summaries(attempt: Attempt) -> Sequence[Summary]:
    """The tables behind the charts. Kept for a while: nothing changes for a number of samples that was summed up."""
    key = f"jobs.telemetry.{attempt.pk}.{attempt.next_telemetry}"
    known: Sequence[Summary] | None = cache.get(key)
    if known is None:
        samples = samples_of(attempt)
        known = [_summary(uuid, name, line) for uuid, lines in samples.gpus.items() for name, line in lines.items()]
        cache.set(key, known, KEPT_S)
    return known


def step_events(attempt: Attempt) -> Sequence[AttemptEvent]:
    """The newest steps, and the runs of a sweep that they belong to, in the order in which they were told."""
    newest = attempt.events.filter(type__in=("step", "run")).order_by("-seq")[:MAX_STEPS]
    return sorted(newest, key=lambda event: event.seq)


def _summary(uuid: str, name: str, line: Line) -> Summary:
    known = [value for value in line if value is not None]
    if not known:
        return Summary(uuid, name, None, None, None, None, 0)
    return Summary(uuid, name, sum(known) / len(known), min(known), max(known), known[-1], len(known))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _parts(line: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(line), size):
        yield line[start : start + size]
