"""/charts/heatmap/: two settings, x= and y=, of one model on one GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet

from leaderboard import format as fmt
from leaderboard.board import BoardQueryError
from leaderboard.charts.base import Chart
from leaderboard.charts.curves import in_words
from leaderboard.charts.heatmap import MAX_COLUMNS, MAX_ROWS, Axis, Cell, Place, heatmap
from leaderboard.models import Result
from leaderboard.presenting.charts.asking import chosen
from leaderboard.presenting.charts.choosing import METRIC, Subject, request_url, subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.common import PRECISION_UNKNOWN, result_url
from leaderboard.queries.charted import Figure, best_of_each

if TYPE_CHECKING:
    from django.http import QueryDict

AUTO = "auto"
SETTINGS = {
    "batch_size": "Batch size",
    "precision": "Precision",
    "gpu_count": "GPU count",
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
    rows, gpus = _on_as_many_gpus(rows, subject, names)
    best = best_of_each(rows, names, subject.figure)
    x, y = _side(best, names[0], MAX_COLUMNS), _side(best, names[1], MAX_ROWS)
    return heatmap(
        metric,
        (x.axis, y.axis),
        _cells(best, (x, y), subject.figure, is_mean=kind == "mean"),
        subject=subject.title,
        kind=kind,
        request_urls=_requests(subject, (x, y), gpus.count),
        notes=[*filter(None, [gpus.note]), *_left_out(x, y), *subject.notes],
    )


def _settings(subject: Subject, asked: tuple[str, str]) -> tuple[str, str]:
    """The two settings; for what the reader left open those with most values, the longer one upwards."""
    if AUTO not in asked:
        return asked
    counts = subject.rows.aggregate(**{f"n_{name}": Count(name, distinct=True) for name in SETTINGS})
    free = sorted((name for name in SETTINGS if name not in asked), key=lambda name: -counts[f"n_{name}"])
    if asked == (AUTO, AUTO):
        return free[1], free[0]
    return (asked[0], free[0]) if asked[1] == AUTO else (free[0], asked[1])


@dataclass(frozen=True, slots=True)
class _Gpus:
    """The number of GPUs that all cells share, None where it is an axis, a filter or not stated."""

    count: int | None = None
    note: str = ""


def _on_as_many_gpus(
    rows: QuerySet[Result], subject: Subject, names: tuple[str, str]
) -> tuple[QuerySet[Result], _Gpus]:
    """Those on the number of GPUs of most results, since throughput and power are of all GPUs together."""
    if "gpu_count" in (*names, *subject.query.facets):
        return rows, _Gpus()
    counts = list(rows.values_list("gpu_count").annotate(n=Count("*")).order_by("-n", "gpu_count"))
    if not counts:
        return rows, _Gpus()
    gpus, others = counts[0][0], sum(n for _, n in counts[1:])
    left_out = f"; {fmt.count(others, 'result')} on other numbers left out" if others else ""
    if gpus is None:
        return rows.filter(gpu_count=None), _Gpus(None, f"The number of GPUs is not stated{left_out}.")
    return rows.filter(gpu_count=gpus), _Gpus(gpus, f"On {fmt.count(gpus, 'GPU')}, as most results{left_out}.")


@dataclass(frozen=True, slots=True)
class _Side:
    """One axis, and the values behind its words."""

    axis: Axis
    values: Sequence[Any]
    left_out: str


def _side(best: Sequence[Result], name: str, most: int) -> _Side:
    """The values with most results, in their order."""
    totals: Counter[Any] = Counter()
    for result in best:
        totals[_value(result, name)] += result.among  # type: ignore[attr-defined]  # annotated by best_of_each
    kept = sorted(sorted(totals, key=lambda value: -totals[value])[:most])
    words = {_value(result, name): _words(result, name) for result in best}
    label = SETTINGS[name]
    rest = len(totals) - len(kept)
    left_out = f"{fmt.count(rest, 'value')} of {in_words(label)} with fewer results left out" if rest else ""
    return _Side(Axis(name, label, [words[value] for value in kept]), kept, left_out)


def _left_out(x: _Side, y: _Side) -> list[str]:
    across = f"{x.left_out}; upwards {MAX_ROWS} have room." if x.left_out else ""
    return [note for note in (across, y.left_out and f"{y.left_out}.") if note]


def _value(result: Result, name: str) -> Any:
    return (result.backend.slug if result.backend else "") if name == "backend" else getattr(result, name)


def _words(result: Result, name: str) -> str:
    value = _value(result, name)
    if name == "backend":
        return result.backend.name if result.backend else result.backend_name
    if isinstance(value, str):
        return value or PRECISION_UNKNOWN
    return fmt.exact(value)


def _cells(best: Sequence[Result], sides: tuple[_Side, _Side], shown: Figure, *, is_mean: bool) -> dict[Place, Cell]:
    """What is in reach of both axes."""
    x, y = ({value: place for place, value in enumerate(side.values)} for side in sides)
    found = {}
    for result in best:
        i, j = x.get(_value(result, sides[0].axis.name)), y.get(_value(result, sides[1].axis.name))
        if i is not None and j is not None:
            value = result.mean * shown.factor if is_mean else shown.of(result)  # type: ignore[attr-defined]  # annotated by best_of_each
            found[i, j] = Cell(value, result.among, result_url(result))  # type: ignore[attr-defined]  # as above
    return found


def _requests(subject: Subject, sides: tuple[_Side, _Side], gpu_count: int | None) -> dict[Place, str]:
    """For each cell the address where its run can be ordered."""
    shared = {"model": subject.model, "hardware": subject.hardware, "gpu_count": gpu_count}
    names = [side.axis.name for side in sides]
    return {
        (i, j): request_url(
            **shared | {name: value for name, value in zip(names, (across, up), strict=True) if name in ORDERED}
        )
        for i, across in enumerate(sides[0].values)
        for j, up in enumerate(sides[1].values)
    }
