"""/charts/heatmap/: two settings, x= and y=, of one model on one GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from leaderboard import format as fmt
from leaderboard.board import BoardQueryError
from leaderboard.charts.base import Chart
from leaderboard.charts.heatmap import MAX_COLUMNS, MAX_ROWS, Axis, Cell, Place, heatmap
from leaderboard.models import Backend, Result
from leaderboard.presenting.charts.asking import chosen
from leaderboard.presenting.charts.choosing import METRIC, Subject, request_url, subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.common import PRECISION_UNKNOWN, result_url
from leaderboard.queries.charted import best_of_each

if TYPE_CHECKING:
    from django.http import QueryDict

AUTO = "auto"
SETTINGS = {
    "batch_size": "Batch size",
    "precision": "Precision",
    "gpu_count": "GPUs",
    "backend": "Backend",
    "concurrency": "Concurrency",
    "tensor_parallel": "Tensor parallel",
    "power_limit_w": "Power limit, W",
    "max_input_tokens": "Input tokens, at most",
    "max_output_tokens": "Output tokens, at most",
}
_OPTIONS = [(AUTO, "with most values"), *SETTINGS.items()]
X, Y = Choice("x", "Across", _OPTIONS), Choice("y", "Up", _OPTIONS)
SHOW = Choice("show", "Each cell", [("best", "the best result"), ("mean", "the mean of its results")])
#: the settings that the form of a job takes from an address
ORDERED = frozenset({"batch_size", "precision", "gpu_count", "backend"})


def make(params: QueryDict) -> Chart:
    metric, kind = chosen(params, METRIC), chosen(params, SHOW)
    asked = chosen(params, X), chosen(params, Y)
    if asked[0] == asked[1] != AUTO:
        raise BoardQueryError({"y": f"{asked[1]} is across already"})
    subject = subject_of(params, metric)
    names = _settings(subject, asked)
    rows = subject.rows.filter(**{f"{name}__isnull": False for name in names})
    best = best_of_each(rows, names, subject.figure)
    axes, left_out = _axes(best, names)
    cells, empty = _cells(subject, best, axes, kind), _requests(subject, axes)
    notes = [f"{left_out[i]} left out." for i in (0, 1) if left_out[i]]
    return heatmap(
        metric,
        axes,
        cells,
        subject=subject.title,
        kind=kind,
        request_urls=empty,
        notes=[*notes, *subject.notes],
    )


def _settings(subject: Subject, asked: tuple[str, str]) -> tuple[str, str]:
    """The two settings; those with most values for what the reader left open, the longer one upwards."""
    if AUTO not in asked:
        return asked
    counts = subject.rows.aggregate(**{f"n_{name}": Count(name, distinct=True) for name in SETTINGS})
    free = sorted(SETTINGS, key=lambda name: -counts[f"n_{name}"])
    free = [name for name in free if name not in asked]
    if asked == (AUTO, AUTO):
        return free[1], free[0]
    return (asked[0], free[0]) if asked[1] == AUTO else (free[0], asked[1])


def _value(result: Result, name: str) -> Any:
    return result.backend.slug if name == "backend" and result.backend else getattr(result, name)


def _words(name: str, value: Any) -> str:
    if name == "backend":
        return Backend.objects.filter(slug=value).values_list("name", flat=True).first() or str(value)
    if value == "":
        return PRECISION_UNKNOWN
    return value if isinstance(value, str) else fmt.exact(value)


def _axes(best: Sequence[Result], names: tuple[str, str]) -> tuple[tuple[Axis, Axis], tuple[str, str]]:
    ...
