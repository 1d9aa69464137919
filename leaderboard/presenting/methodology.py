"""What /methodology/ lists: every figure, every check with its limits, every shape that is read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from leaderboard.checks import CHECKS
from leaderboard.metrics import Metric
from leaderboard.presenting.preview import SHAPE_LABELS


def metric_groups(metrics: Sequence[Metric]) -> list[tuple[str, list[Metric]]]:
    return [(label, list(group)) for label, group in groupby(metrics, key=lambda metric: metric.group)]


def check_rows() -> list[tuple[str, str, str]]:
    """(code, title, what is compared): the first line of each check's own description."""
    return [(check.code, check.title, (check.run.__doc__ or "").splitlines()[0].partition(": ")[2]) for check in CHECKS]


def shape_rows() -> list[str]:
    return [label for shape, label in SHAPE_LABELS.items() if shape != "mixed"]
