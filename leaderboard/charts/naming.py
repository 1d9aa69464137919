"""What a point is called: in hover text, in tables, and as one series among others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from leaderboard import format as fmt
from leaderboard.analysis.points import Point
from leaderboard.charts import look
from leaderboard.charts.base import Column, Value
from leaderboard.metrics import BY_NAME

UNKNOWN = "not stated"
OTHERS = "others"
#: more series than marks cannot be told apart
MOST_SERIES = 8
SCOPES = {"gpu": "GPU energy", "node": "node energy", "wall": "wall energy", "": "energy of unknown scope"}

#: what tells points apart by colour: name in the address -> words
GROUPS = {
    "backend": "Backend",
    "hardware": "Hardware",
    "precision": "Precision",
    "family": "Model family",
    "gpu_count": "GPU count",
    "energy_scope": "Energy scope",
}
#: the columns of every table of points
COLUMNS = (
    Column("model", "Model"),
    Column("hardware", "Hardware"),
    Column("gpu_count", "GPUs"),
    Column("backend", "Backend"),
    Column("precision", "Precision"),
    Column("batch_size", "Batch"),
    Column("concurrency", "Concurrency"),
    Column("energy_scope", "Energy scope"),
)


def metric_column(name: str) -> Column:
    metric = BY_NAME[name]
    return Column(name, metric.label, metric.unit)


def cells(point: Point) -> list[Value]:
    """The values of COLUMNS."""
    return [
        point.model_title,
        point.hardware_name,
        point.gpu_count,
        f"{point.backend_name} {point.backend_version}".strip(),
        point.precision,
        point.batch_size,
        point.concurrency,
        point.energy_scope,
    ]


def hardware(point: Point) -> str:
    return f"{point.gpu_count} x {point.hardware_name}" if point.gpu_count else point.hardware_name


def configuration(point: Point) -> str:
    """ "vLLM 0.6.3, fp8, batch 16": what was set, as far as it is known."""
    batch = f"batch {point.batch_size:,}" if point.batch_size is not None else ""
    concurrent = f"{point.concurrency:,} concurrent" if point.concurrency is not None and not batch else ""
    backend = f"{point.backend_name} {point.backend_version}".strip()
    return ", ".join(part for part in (backend, point.precision, batch or concurrent) if part)


def figure(point: Point, name: str) -> str:
    metric = BY_NAME[name]
    return f"{metric.label}: {fmt.number(point.values[name])} {metric.unit}".rstrip()


def hover(point: Point, metrics: Sequence[str], *more: str) -> str:
    figures = [figure(point, name) for name in metrics]
    scope = SCOPES.get(point.energy_scope, point.energy_scope)
    return look.lines(point.model_title, hardware(point), configuration(point), *figures, scope, *more)


def group_of(point: Point, by: str) -> str:
    """The series that a point belongs to."""
    if by == "energy_scope":
        return SCOPES.get(point.energy_scope, point.energy_scope)
    if by == "gpu_count":
        return fmt.count(point.gpu_count, "GPU") if point.gpu_count else UNKNOWN
    texts = {
        "backend": point.backend_name,
        "hardware": point.hardware_name,
        "precision": point.precision,
        "family": point.family,
    }
    return texts[by] or UNKNOWN


def series_of(points: Sequence[Point], by: str) -> list[tuple[str, list[int]]]:
    """The series, the largest first, each with the places of its points; the smallest together are "others"."""
    names = [group_of(point, by) for point in points]
    ranked = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    own = {name for name, _ in (ranked if len(ranked) <= MOST_SERIES else ranked[: MOST_SERIES - 1])}
    found: dict[str, list[int]] = {name: [] for name, _ in ranked if name in own}
    for place, name in enumerate(names):
        found.setdefault(name if name in own else OTHERS, []).append(place)
    return list(found.items())
