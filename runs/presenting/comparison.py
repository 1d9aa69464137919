"""/compare/: models of live runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.format import count, interval_percent
from runs.comparison import MAX_RUNS, GpuSummary, LaneMean
from runs.pages import GpuMean, RunComparePage
from runs.presenting.common import figure_words, tokens_words
from runs.scores import MeanScore

NO_RUNS = "No run has ended yet, so there is nothing to compare."
NO_MATCH = "No run that has ended had these models."


def compare_page(
    means: Sequence[LaneMean], chosen: Sequence[str], rows: Sequence[GpuSummary], scores: Sequence[MeanScore],
    *, simulated: bool, left_out: int,
) -> RunComparePage:  # fmt: skip
    models = sorted({mean.model for mean in means} | set(chosen))
    fastest = max((row.summary.mean for row in rows), default=0.0)
    runs = len({mean.run for mean in means if not chosen or mean.model in chosen})
    return RunComparePage(
        models=[(model, model in chosen) for model in models],
        rows=[gpu_mean(row, fastest) for row in rows],
        composites=[(row.model, figure_words(row.composite), f"{row.scores:,}") for row in scores],
        includes_simulated=simulated,
        basis=basis_words(runs, simulated=simulated, left_out=left_out),
        empty="" if rows else NO_MATCH if means else NO_RUNS,
    )


def gpu_mean(row: GpuSummary, fastest: float) -> GpuMean:
    summary = row.summary
    return GpuMean(
        type=row.gpu_type,
        mean=tokens_words(summary.mean),
        interval=interval_percent(summary.mean, summary.ci95_low, summary.ci95_high),
        runs=f"{summary.n:,}",
        bar_percent=round(100 * summary.mean / fastest) if fastest else 0,
    )


def basis_words(runs: int, *, simulated: bool, left_out: int) -> str:
    words = f"Over {count(runs, 'run')} that ended"
    if runs >= MAX_RUNS:
        words += f", the newest {MAX_RUNS:,}"
    if simulated:
        return f"{words}, simulated ones included."
    return f"{words}; {count(left_out, 'simulated run')} left out." if left_out else f"{words}."
