"""/charts/sweep/: one parameter, x=, against one metric, metric=, a line for each configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.charts.base import Chart
from leaderboard.charts.sweep import MAX_LINES, sweep
from leaderboard.presenting.charts.asking import chosen
from leaderboard.presenting.charts.choosing import METRIC, subject_of
from leaderboard.presenting.charts.kinds import Choice
from leaderboard.presenting.charts.lines import lines_along

if TYPE_CHECKING:
    from django.http import QueryDict

#: column -> how it is called, and its unit
PARAMETERS = {
    "batch_size": ("Batch size", ""),
    "concurrency": ("Concurrency", ""),
    "request_rate_per_s": ("Request rate", "1/s"),
    "tensor_parallel": ("Tensor parallel", ""),
    "pipeline_parallel": ("Pipeline parallel", ""),
    "power_limit_w": ("Power limit", "W"),
    "max_input_tokens": ("Input tokens, at most", ""),
    "max_output_tokens": ("Output tokens, at most", ""),
}
X = Choice("x", "Parameter", [(name, label) for name, (label, _) in PARAMETERS.items()])
SAME = ("model", "hardware", "gpu_count", "backend", "precision")
#: those that can be counted for every pair at once
INDEXED = frozenset({"batch_size"})
#: on these the number of GPUs follows
OF_GPUS = frozenset({"tensor_parallel", "pipeline_parallel"})


def make(params: QueryDict) -> Chart:
    metric, along = chosen(params, METRIC), chosen(params, X)
    subject = subject_of(params, metric, is_one_pair=False, along=along if along in INDEXED else "")
    same = tuple(name for name in SAME if name != "gpu_count" or along not in OF_GPUS)
    found = lines_along(subject, same, along, MAX_LINES)
    shared = [f"All lines: {found.shared}."] if found.shared else []
    return sweep(metric, PARAMETERS[along], found.lines, [*shared, *found.notes, *subject.notes])
