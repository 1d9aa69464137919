"""What the page of a model or a GPU tells beside its table, each in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Count, F, Max, Q

from leaderboard.analysis.sensitivity import Step
from leaderboard.board import BoardQuery
from leaderboard.metrics import PRIMARY
from leaderboard.models import BestResult, Hardware, LanguageModel, Result
from leaderboard.queries.board import filtered_results, trust_filter

#: rows of one configuration at one batch size; the most measured first
MAX_STEPS = 2_000
MAX_RELATED = 8
#: what a page tells of the best configuration
CONFIGURATION = (
    "model__title", "model_name", "hardware__name", "hardware_name", "gpu_count", "backend__name", "backend_name",
    "backend_version", "precision", "batch_size", "concurrency", "energy_scope", "trust", PRIMARY, "tpot_ms_mean",
    "itl_ms_mean", "throughput_tokens_per_s", "cost_per_million_tokens_usd",
)  # fmt: skip

Entry = TypeVar("Entry", LanguageModel, Hardware)


@dataclass(frozen=True, slots=True)
class Same:
    """All that stays equal along a curve over batch sizes."""

    model: str
    hardware: str
    gpu_count: int
    backend: str
    backend_version: str
    precision: str
    tensor_parallel: int | None
    dataset: str


@dataclass(frozen=True, slots=True)
class Related(Generic[Entry]):
    """A neighbour in the catalogue and the most tokens per joule measured with it."""

    entry: Entry
    tokens_per_joule: float


def most_common_scope(query: BoardQuery) -> str:
    """The energy scope of most results that fit: figures of different scopes are not compared. "" for none at all."""
    scopes = filtered_results(query).filter(**{f"{PRIMARY}__isnull": False}).order_by()
    found = scopes.values_list("energy_scope").annotate(n=Count("pk")).order_by("-n", "energy_scope").first()
    return found[0] if found else ""


def most_efficient_within(query: BoardQuery, ms_per_token: float | None) -> Result | None:
    """The most tokens per joule of all that give each reader a token within so many milliseconds on average.

    The time per output token of a result is its mean TPOT, or its mean ITL where it has that alone. None: any time.
    """
    results = filtered_results(query).filter(**{f"{PRIMARY}__isnull": False})
    if ms_per_token is not None:
        within = Q(tpot_ms_mean__lte=ms_per_token) | Q(tpot_ms_mean=None, itl_ms_mean__lte=ms_per_token)
        results = results.filter(within)
    narrow = results.select_related("model", "hardware", "backend").only(*CONFIGURATION)
    return narrow.order_by(f"-{PRIMARY}", "-pk").first()


def batch_steps(query: BoardQuery) -> list[Step[Same]]:
    """The most tokens per joule of each configuration at each batch size."""
    results = filtered_results(query).filter(
        batch_size__isnull=False, gpu_count__isnull=False, backend__isnull=False, **{f"{PRIMARY}__isnull": False}
    )
    same = (
        "model__title", "hardware__name", "gpu_count", "backend__name", "backend_version", "precision",
        "tensor_parallel", "dataset",
    )  # fmt: skip
    rows = results.order_by().values_list(*same, "batch_size").annotate(best=Max(PRIMARY), n=Count("pk"))
    return [Step(Same(*row[:8]), row[8], row[9]) for row in rows.order_by("-n")[:MAX_STEPS]]


def related_models(model: LanguageModel, query: BoardQuery, scope: str) -> Sequence[Related[LanguageModel]]:
    """Others of its family that have results, those nearest in size first."""
    best = _best_by("model", Q(model__family=model.family) & ~Q(model=model.pk), query, scope)
    models = LanguageModel.objects.filter(pk__in=best)
    size = model.parameters_total_b or 0.0
    nearest = sorted(models, key=lambda other: (abs((other.parameters_total_b or 0.0) - size), other.name))
    return [Related(other, best[other.pk]) for other in nearest[:MAX_RELATED]]


def related_hardware(gpu: Hardware, query: BoardQuery, scope: str) -> Sequence[Related[Hardware]]:
    """Other GPUs that have results, those nearest in memory first."""
    best = _best_by("hardware", ~Q(hardware=gpu.pk), query, scope)
    memory = gpu.memory_gb or 0.0
    nearest = sorted(
        Hardware.objects.filter(pk__in=best), key=lambda other: (abs((other.memory_gb or 0.0) - memory), other.name)
    )
    return [Related(other, best[other.pk]) for other in nearest[:MAX_RELATED]]


def _best_by(column: str, condition: Q, query: BoardQuery, scope: str) -> dict[int, float]:
    """id of the model or GPU -> its best score, from the table of best results."""
    cells = BestResult.objects.filter(condition, trust_filter(query), metric=PRIMARY, energy_scope=scope)
    return dict(cells.order_by().values_list(F(column)).annotate(best=Max("score")))
