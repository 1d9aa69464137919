"""Lines over one parameter, a line for each configuration, the best result at each of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard import format as fmt
from leaderboard.charts.curves import Line, Reading
from leaderboard.models import Result
from leaderboard.presenting.charts.choosing import Subject
from leaderboard.presenting.common import PRECISION_UNKNOWN, result_url
from leaderboard.queries.charted import Figure, best_of_each, groups, in_groups


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines under the parts of their names that differ, what all of them share, and what is left out."""

    lines: Sequence[Line]
    shared: str
    notes: Sequence[str]


def lines_along(subject: Subject, same: Sequence[str], along: str, most: int) -> Lines:
    """A line for each group of equal columns `same`, those with most values of `along` first.

    Where some have several values, those with one are left out.
    """
    rows = subject.rows.filter(**{f"{along}__gt": 0})
    found = groups(rows, same, along)
    swept = [group for group in found if group.places > 1] or found
    keys = [group.key for group in swept[:most]]
    best = best_of_each(in_groups(rows, same, keys), [*same, along], subject.figure)
    names = [f"{name}_id" if name in ("model", "hardware", "backend") else name for name in same]
    by_key: dict[tuple[object, ...], list[Result]] = {key: [] for key in keys}
    for result in best:
        by_key[tuple(getattr(result, name) for name in names)].append(result)
    drawn = [sorted(results, key=lambda result: getattr(result, along)) for results in by_key.values() if results]
    notes = _notes(drawn, others=len(swept) - len(drawn), singles=len(found) - len(swept))
    return _named(
        [
            (
                name_parts(results[0], same),
                [reading_of(result, getattr(result, along), subject.figure) for result in results],
            )
            for results in drawn
        ],
        notes,
    )


def _notes(drawn: Sequence[Sequence[Result]], *, others: int, singles: int) -> list[str]:
    notes = []
    if any(result.among > 1 for results in drawn for result in results):  # type: ignore[attr-defined]  # annotated by best_of_each
        notes.append("Where several results differ in other settings, the best one is drawn, with its own interval.")
    if others > 0:
        notes.append(f"{fmt.count(others, 'more configuration')} left out; filters bring them in.")
    if singles > 0:
        notes.append(f"{fmt.count(singles, 'configuration')} with one value left out.")
    return notes


def reading_of(result: Result, at: float, shown: Figure) -> Reading:
    """The best result of its place on a line."""
    low, high = shown.interval(result)
    return Reading(at, shown.of(result), low, high, result.among, result.runs, result_url(result))  # type: ignore[attr-defined]  # annotated by best_of_each


def _named(groups: Sequence[tuple[Sequence[str], Sequence[Reading]]], notes: Sequence[str]) -> Lines:
    """`groups` are (parts of the name, readings), each with the same number of parts."""
    names = [parts for parts, _ in groups]
    differing = [place for place in range(len(names[0]) if names else 0) if len({parts[place] for parts in names}) > 1]
    shared = [part for place, part in enumerate(names[0]) if place not in differing] if names else []
    lines = [
        Line(_joined([parts[place] for place in differing]) or _joined(parts), readings) for parts, readings in groups
    ]
    return Lines(lines, _joined(shared) if differing else "", notes)


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(part for part in parts if part)


def name_parts(result: Result, same: Sequence[str]) -> list[str]:
    """What a line is named by: model, GPUs, backend, precision, and the load where the line has one."""
    model = result.model.title if result.model else result.model_name
    gpu = result.hardware.name if result.hardware else result.hardware_name
    count = f"{result.gpu_count} x " if "gpu_count" in same and result.gpu_count else ""
    backend = result.backend.name if result.backend else result.backend_name
    precision = result.precision or f"precision {PRECISION_UNKNOWN}"
    parts = [model, f"{count}{gpu}", backend, precision]
    if "batch_size" in same:
        parts.append(f"batch {result.batch_size:,}" if result.batch_size is not None else "")
    if "concurrency" in same:
        parts.append(f"{result.concurrency:,} concurrent" if result.concurrency is not None else "")
    return parts
