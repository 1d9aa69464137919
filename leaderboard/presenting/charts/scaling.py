"""/charts/scaling/: throughput or tokens per joule over the number of GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.charts.base import Chart
from leaderboard.charts.scaling import MAX_LINES, scaling
from leaderboard.presenting.charts.asking import chosen, metric_choice
from leaderboard.presenting.charts.choosing import subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.charts.lines import lines_along

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = metric_choice(
    "metric", "Metric", ("throughput_tokens_per_s", "tokens_per_joule", "energy_per_output_token_j", "avg_power_w")
)
SAME = ("model", "hardware", "backend", "precision")
BATCH = Choice(
    "batch", "Batch size", [("same", "the same along a line"), ("best", "the best one at each number of GPUs")]
)
ANY_BATCH = "At each number of GPUs the best result at any batch size: part of the gain may be the batch's."


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    is_any_batch = chosen(params, BATCH) == "best"
    subject = subject_of(params, metric, is_one_pair=False, along="gpu_count")
    same = SAME if is_any_batch else (*SAME, "batch_size", "concurrency")
    found = lines_along(subject, same, "gpu_count", MAX_LINES)
    shared = [f"All lines: {found.shared}."] if found.shared else []
    return scaling(metric, found.lines, [*shared, *([ANY_BATCH] if is_any_batch else ()), *found.notes, *subject.notes])
