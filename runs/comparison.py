"""Mean tok/s per GPU type over many runs, from the closing state of their lanes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from leaderboard.statistics import Summary, summarise
from runs.models import Run
from runs.snapshot import restore

#: the newest ones; what is older has no say
MAX_RUNS = 1_000


@dataclass(frozen=True, slots=True)
class LaneMean:
    """Mean tok/s of one model on one lane of one run."""

    run: int
    gpu_type: str
    model: str
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class GpuSummary:
    gpu_type: str
    #: over runs: lanes and models of one run are averaged before, they are no independent repeats
    summary: Summary


def ended_runs(*, simulated: bool) -> list[Run]:
    """The newest runs that have their closing state."""
    runs = Run.objects.filter(ended_at__isnull=False, sealed_seq__gt=0).prefetch_related("lanes__hardware")
    if not simulated:
        runs = runs.real()
    return list(runs.order_by("-started_at", "-pk")[:MAX_RUNS])


def left_out_simulated() -> int:
    return Run.objects.filter(ended_at__isnull=False, sealed_seq__gt=0, is_simulated=True).count()


def lane_means(runs: Iterable[Run]) -> list[LaneMean]:
    found = []
    for run in runs:
        types = {lane.name: lane.hardware.name if lane.hardware else lane.type or lane.name for lane in run.lanes.all()}
        for state in restore(run.snapshot):
            gpu_type = types.get(state.name, state.name)
            for model, figure in state.by_model.items():
                if figure.mean is not None:
                    found.append(LaneMean(run.pk, gpu_type, model, figure.mean))
    return found


def by_gpu_type(means: Iterable[LaneMean], models: Sequence[str]) -> list[GpuSummary]:
    """One row per GPU type, fastest first; every model where `models` is empty."""
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for mean in means:
        if not models or mean.model in models:
            values[mean.gpu_type][mean.run].append(mean.tokens_per_s)
    rows = [
        GpuSummary(gpu_type, summarise([fmean(lanes) for lanes in per_run.values()]))
        for gpu_type, per_run in values.items()
    ]
    return sorted(rows, key=lambda row: (-row.summary.mean, row.gpu_type))
