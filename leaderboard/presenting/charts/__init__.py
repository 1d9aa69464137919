"""Every chart that has an address: what it asks of the query string, and how it is made."""

from __future__ import annotations

from leaderboard.presenting.charts import (
    bars,
    coverage,
    cycles,
    frontier,
    heatmap,
    history,
    parallel,
    power,
    roofline,
    scaling,
    scatter,
    sweep,
)
from leaderboard.presenting.charts.choosing import METRIC, pair_choices
from leaderboard.presenting.charts.kinds import ChartKind, Choice
from leaderboard.queries.failures import failures_mark

__all__ = ["BY_SLUG", "KINDS", "ChartKind", "Choice"]

KINDS: tuple[ChartKind, ...] = (
    ChartKind(
        "scatter",
        "Efficiency against speed",
        "Which configurations are both fast and frugal?",
        scatter.make,
        choices=(scatter.X, scatter.Y, scatter.COLOUR),
    ),
    ChartKind(
        "bars",
        "Comparison bars",
        "Do these results differ, or is it chance?",
        bars.make,
        choices=(bars.METRIC,),
        is_filtered=False,
    ),
    ChartKind(
        "heatmap",
        "Heatmap of two settings",
        "Which combination of two settings is best, and which has nobody tried?",
        heatmap.make,
        choices=(METRIC, heatmap.X, heatmap.Y, heatmap.SHOW),
        asks=pair_choices,
    ),
    ChartKind(
        "sweep",
        "Parameter sweep",
        "What happens when one setting changes?",
        sweep.make,
        choices=(METRIC, sweep.X),
        asks=pair_choices,
    ),
    ChartKind(
        "scaling",
        "Scaling over GPU count",
        "What do more GPUs bring?",
        scaling.make,
        choices=(scaling.METRIC, scaling.BATCH),
        asks=pair_choices,
    ),
    ChartKind(
        "history",
        "History over backend versions",
        "Which version of the backend made it better or worse?",
        history.make,
        choices=(METRIC,),
        asks=pair_choices,
    ),
    ChartKind(
        "roofline",
        "Roofline",
        "How near do results come to what their GPU can do?",
        roofline.make,
        asks=roofline.asks,
    ),
    ChartKind(
        "coverage",
        "Coverage of models and GPUs",
        "What is measured, what failed, and what is missing?",
        coverage.make,
        choices=(coverage.METRIC,),
        mark=failures_mark,
    ),
    frontier.KIND,
    ChartKind(
        "parallel",
        "Parallel coordinates",
        "Which configurations are within all of my ranges at once?",
        parallel.make,
        choices=(parallel.AXES,),
        ranges=parallel.asked_axes,
    ),
    ChartKind(
        "cycles",
        "Cycle by cycle",
        "How steady is a measurement from one repeat to the next?",
        cycles.make,
        choices=(cycles.METRIC,),
        is_filtered=False,
    ),
    ChartKind(
        "power",
        "Power and temperature over time",
        "What did the GPUs draw, and how warm did they get?",
        power.make,
        is_filtered=False,
    ),
)
BY_SLUG = {kind.slug: kind for kind in KINDS}
