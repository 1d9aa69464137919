"""/charts/roofline/: results of one model and GPU, or of those that the reader chose, below their roofs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Least

from leaderboard import format as fmt
from leaderboard.charts.base import Chart
from leaderboard.charts.roofline import MAX_GROUPS, Run, roofline
from leaderboard.models import Hardware, Result
from leaderboard.presenting.charts.choosing import pair_choices, subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.common import url_of_result
from leaderboard.queries.charted import best_rows, figure, groups, in_groups
from leaderboard.services.scoring import hardware_facts

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = "throughput_tokens_per_s"
MAX_RUNS = 200
GROUP = ("hardware", "precision")
#: of equal configurations the fastest result
CELL = ("model", "hardware", "gpu_count", "backend", "precision", "load")
#: what a run is made of
RUN = (
    "pk", "model__title", "model__parameters_active_b", "model__parameters_total_b", "hardware__name", "gpu_count",
    "backend__name", "backend_version", "precision", "load", METRIC,
)  # fmt: skip


def asks(params: QueryDict) -> list[Choice]:
    return pair_choices(params, METRIC)


def make(params: QueryDict) -> Chart:
    subject = subject_of(params, METRIC, is_one_pair=False)
    rows = _placed(subject.rows)
    found = groups(rows, GROUP, "load")
    drawn = sorted(found, key=lambda group: -group.results)[:MAX_GROUPS]
    rows = in_groups(rows, GROUP, [group.key for group in drawn])
    # Whole results would be read five times as long, and there are hundreds.
    best = best_rows(rows, CELL, figure(METRIC, subject.query.prices)).order_by(F("among").desc(), "pk")
    runs = [_run(row) for row in best.values(*RUN)[:MAX_RUNS]]
    boards = Hardware.objects.filter(name__in={run.board for run in runs}).order_by("name")
    facts = [known for gpu in boards if (known := hardware_facts(gpu))]
    notes = ["Of results of the same configuration, the fastest.", *_left_out(len(found) - len(drawn), len(runs))]
    return roofline(runs, facts, [*notes, *subject.notes])


def _left_out(groups_left: int, drawn: int) -> list[str]:
    notes = []
    if groups_left > 0:
        notes.append(f"{fmt.count(groups_left, 'pair')} of GPU and precision with fewer results left out.")
    if drawn == MAX_RUNS:
        notes.append(f"At most {MAX_RUNS} configurations are drawn, those with most results.")
    return notes


def _placed(rows: QuerySet[Result]) -> QuerySet[Result]:
    """Those that have a place: a load, a number of GPUs, and figures of model and GPU in the catalogue."""
    known = rows.filter(
        Q(model__parameters_active_b__gt=0) | Q(model__parameters_total_b__gt=0),
        Q(batch_size__gt=0) | Q(concurrency__gt=0),
        throughput_tokens_per_s__gt=0,
        gpu_count__gt=0,
        hardware__isnull=False,
        backend__isnull=False,
    )
    return known.annotate(load=Least(Coalesce("batch_size", "concurrency"), Coalesce("concurrency", "batch_size")))


def _run(row: Mapping[str, Any]) -> Run:
    """Of the columns RUN."""
    backend = f"{row['backend__name']} {row['backend_version']}".strip()
    return Run(
        name=f"{row['model__title']} on {row['gpu_count']} x {row['hardware__name']}, {backend}",
        board=row["hardware__name"],
        precision=row["precision"],
        active_b=row["model__parameters_active_b"] or row["model__parameters_total_b"],
        gpu_count=row["gpu_count"],
        load=row["load"],
        throughput_tokens_per_s=row[METRIC],
        url=url_of_result(row["pk"]),
    )
