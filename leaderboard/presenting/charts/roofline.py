"""/charts/roofline/: results of one model and GPU, or of those that the reader chose, below their roofs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from leaderboard.queries.charted import best_of_each, figure
from leaderboard.services.scoring import hardware_facts

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = "throughput_tokens_per_s"
MAX_RUNS = 400
#: of equal configurations the fastest result
CELL = ("model", "hardware", "gpu_count", "backend", "precision", "load")


def asks(params: QueryDict) -> list[Choice]:
    return pair_choices(params, METRIC)


def make(params: QueryDict) -> Chart:
    subject = subject_of(params, METRIC, is_one_pair=False)
    rows = _placed(subject.rows)
    best = best_of_each(rows, CELL, figure(METRIC, subject.query.prices))
    best.sort(key=lambda result: (-result.among, str(result.pk)))  # type: ignore[attr-defined]  # annotated by best_of_each
    kept = _in_few_groups(best)
    boards = Hardware.objects.filter(pk__in={result.hardware_id for result in kept}).order_by("name")
    notes = [*_left_out(len(best), len(kept)), *subject.notes]
    facts = [known for gpu in boards if (known := hardware_facts(gpu))]
    return roofline([_run(result) for result in kept], facts, notes)


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


def _in_few_groups(best: Sequence[Result]) -> list[Result]:
    """The most measured configurations, of no more GPUs and precisions than a figure has marks for."""
    sizes = Counter((result.hardware_id, result.precision) for result in best)
    groups = {group for group, _ in sizes.most_common(MAX_GROUPS)}
    return [result for result in best if (result.hardware_id, result.precision) in groups][:MAX_RUNS]


def _left_out(found: int, kept: int) -> list[str]:
    notes = []
    if found > kept:
        notes.append(
            f"{fmt.count(found - kept, 'configuration')} left out: at most {MAX_RUNS} of {MAX_GROUPS} pairs of GPU and "
            "precision are drawn, those with most results."
        )
    return [*notes, "Of results of the same configuration, the fastest."]


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
