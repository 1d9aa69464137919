"""What the pictures of models and GPUs say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leaderboard.board import DEFAULT_MIN_TRUST
from leaderboard.models import BestResult, Hardware, LanguageModel, Result, Submission


@dataclass(frozen=True, slots=True)
class Standing:
    """How many results there are, on how many of the other kind, and the best by metric."""

    results: int
    others: int
    best: dict[str, Result]


def public_result(pk: UUID) -> Result | None:
    """For everyone alike: a picture is kept by whoever fetched it, so that no private one may be drawn."""
    rows = Result.objects.filter(submission__in=Submission.objects.public())
    return rows.select_related("model", "hardware", "backend", "submission").filter(pk=pk).first()


def standing_of_model(model: LanguageModel, metrics: tuple[str, ...]) -> Standing:
    return _standing({"model": model}, "hardware", metrics)


def standing_of_hardware(hardware: Hardware, metrics: tuple[str, ...]) -> Standing:
    return _standing({"hardware": hardware}, "model", metrics)


def standing_of_all() -> tuple[int, int, int]:
    """(results, models, GPUs)"""
    ranked = Result.objects.ranked().order_by()
    counts = [ranked.values(name).distinct().count() for name in ("model", "hardware")]
    return ranked.count(), counts[0], counts[1]


def _standing(where: dict[str, Any], other: str, metrics: tuple[str, ...]) -> Standing:
    ranked = Result.objects.ranked().filter(**where).order_by()
    best = {}
    for metric in metrics:
        cells = BestResult.objects.filter(metric=metric, trust__gte=DEFAULT_MIN_TRUST, **where)
        # Energies of other scopes are not comparable; a card has no room to say which one it shows.
        cells = cells.filter(energy_scope="gpu") if metric == "tokens_per_joule" else cells
        cells = cells.select_related("result__model", "result__hardware", "result__submission")
        cell = cells.order_by("-score").first()
        if cell is not None:
            best[metric] = cell.result
    return Standing(ranked.count(), ranked.values(other).distinct().count(), best)
