"""Means of eval scores, made by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count

from runs.models import EvalScore, Run


@dataclass(frozen=True, slots=True)
class MeanScore:
    """Mean composite, 0 to 1, over the test cases of a model, in one use case or in all ("")."""

    model: str
    use_case: str
    composite: float
    scores: int


def scores_of(run: Run) -> list[MeanScore]:
    """Per model and use case."""
    rows = EvalScore.objects.filter(run=run).order_by("model", "use_case").values_list("model", "use_case")
    return [MeanScore(*row) for row in rows.annotate(mean=Avg("composite"), scores=Count("pk"))]


def scores_of_models(runs: Sequence[int], models: Sequence[str]) -> list[MeanScore]:
    """Per model over all test cases of `runs` (row ids), best first."""
    rows = EvalScore.objects.filter(run__in=runs, model__in=models).order_by().values_list("model")
    found = rows.annotate(mean=Avg("composite"), scores=Count("pk")).order_by("-mean", "model")
    return [MeanScore(model, "", mean, scores) for model, mean, scores in found]
