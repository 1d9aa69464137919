"""/charts/history/: one configuration over the versions of its backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard import format as fmt
from leaderboard.charts.base import Chart
from leaderboard.charts.history import Measured, history
from leaderboard.models import Result
from leaderboard.presenting.charts.asking import chosen
from leaderboard.presenting.charts.choosing import METRIC, subject_of
from leaderboard.presenting.common import PRECISION_UNKNOWN, backend_words, gpu_words, model_words, result_url
from leaderboard.queries.charted import Figure, groups, in_groups

if TYPE_CHECKING:
    from django.http import QueryDict

SAME = ("gpu_count", "backend", "precision", "batch_size", "concurrency")
#: the newest results; a configuration with more is a programme of its own
MAX_RESULTS = 500
NEEDED = ("runs", "statistics", "backend_version", *SAME)


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    subject = subject_of(params, metric)
    rows = subject.rows.exclude(backend_version="")
    found = groups(rows, SAME, "backend_version")
    if not found:
        return history(metric, subject.title, (), subject.notes)
    key = found[0].key
    its = in_groups(rows, SAME, [key]).select_related("model", "hardware", "backend").order_by("-created_at", "pk")
    results = list(its.only(*_RELATED, *NEEDED, subject.figure.column)[:MAX_RESULTS])
    measured = [_measured(result, subject.figure) for result in results]
    return history(metric, _words(results[0]), measured, [*_notes(found[0].results, len(found)), *subject.notes])


_RELATED = (
    "model__title", "model__name", "model_name", "hardware__name", "hardware__slug", "hardware_name",
    "backend__name", "backend_name", "created_at",
)  # fmt: skip


def _notes(results: int, configurations: int) -> list[str]:
    notes = []
    if configurations > 1:
        others = fmt.count(configurations - 1, "other configuration")
        notes.append(f"The configuration with most versions; {others} of this model and GPU left out.")
    if results > MAX_RESULTS:
        notes.append(f"Its {MAX_RESULTS:,} newest results of {results:,}.")
    return notes


def _measured(result: Result, shown: Figure) -> Measured:
    runs, sd = shown.spread(result)
    low, high = shown.interval(result)
    return Measured(result.backend_version, shown.of(result), runs, sd, low, high, result_url(result))


def _words(result: Result) -> str:
    backend = backend_words(result).removesuffix(result.backend_version).strip()
    batch = f"batch {result.batch_size:,}" if result.batch_size is not None else ""
    concurrent = f"{result.concurrency:,} concurrent" if result.concurrency is not None else ""
    precision = result.precision or f"precision {PRECISION_UNKNOWN}"
    parts = [f"{model_words(result)} on {gpu_words(result)}", backend, precision, batch, concurrent]
    return ", ".join(part for part in parts if part)
