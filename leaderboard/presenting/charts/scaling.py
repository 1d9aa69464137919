"""/charts/scaling/: throughput or tokens per joule over the number of GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.charts.base import Chart
from leaderboard.charts.scaling import MAX_LINES, scaling
from leaderboard.presenting.charts.asking import chosen, metric_choice
from leaderboard.presenting.charts.choosing import subject_of
from leaderboard.presenting.charts.lines import lines_along

if TYPE_CHECKING:
    from django.http import QueryDict

METRIC = metric_choice(
    "metric", "Metric", ("throughput_tokens_per_s", "tokens_per_joule", "energy_per_output_token_j", "avg_power_w")
)
SAME = ("model", "hardware", "backend", "precision")
BATCHES = "At each number of GPUs the best result at any batch size."


def make(params: QueryDict) -> Chart:
    metric = chosen(params, METRIC)
    subject = subject_of(params, metric, is_one_pair=False)
    found = lines_along(subject, SAME, "gpu_count", MAX_LINES)
    shared = [f"All lines: {found.shared}."] if found.shared else []
    batches = [] if "batch_size" in subject.query.facets else [BATCHES]
    return scaling(metric, found.lines, [*shared, *batches, *found.notes, *subject.notes])
