"""/charts/roofline/: results of one model and GPU, or of those that the reader chose, below their roofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Least

from leaderboard import format as fmt
from leaderboard.charts.base import Chart
from leaderboard.charts.roofline import MAX_GROUPS, Run, roofline
from leaderboard.models import Hardware, Result
from leaderboard.presenting.charts.choosing import pair_choices, subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.common import backend_words, gpu_words, model_link, result_url
from leaderboard.queries.charted import best_of_each, figure, groups, in_groups
from leaderboard.services.scoring import hardware_facts

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = "throughput_tokens_per_s"
MAX_RUNS = 200
GROUP = ("hardware", "precision")
#: of equal configurations the fastest result
CELL = ("model", "hardware", "gpu_count", "backend", "precision", "load")


def asks(params: QueryDict) -> list[Choice]:
    return pair_choices(params, METRIC)


def make(params: QueryDict) -> Chart:
    subject = subject_of(params, METRIC, is_one_pair=False)
    rows = _placed(subject.rows)
    found = groups(rows, GROUP, "load")
    drawn = sorted(found, key=lambda group: -group.results)[:MAX_GROUPS]
    rows = in_groups(rows, GROUP, [group.key for group in drawn])
    best = best_of_each(rows, CELL, figure(METRIC, subject.query.prices), most=MAX_RUNS)
    boards = Hardware.objects.filter(pk__in={result.hardware_id for result in best}).order_by("name")
    facts = [known for gpu in boards if (known := hardware_facts(gpu))]
    notes = ["Of results of the same configuration, the fastest.", *_left_out(len(found) - len(drawn), len(best))]
    return roofline([_run(result) for result in best], facts, [*notes, *subject.notes])


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


def _run(result: Result) -> Run:
    model, gpu = result.model, result.hardware
    if model is None or gpu is None:
        raise ValueError("Only results of a known model on a known GPU have a place.")
    return Run(
        name=f"{model_link(result).label} on {gpu_words(result)}, {backend_words(result)}",
        board=gpu.name,
        precision=result.precision,
        active_b=model.parameters_active_b or model.parameters_total_b or 0.0,
        gpu_count=result.gpu_count or 1,
        load=result.load,  # type: ignore[attr-defined]  # annotated above
        throughput_tokens_per_s=result.throughput_tokens_per_s or 0.0,
        url=result_url(result),
    )
