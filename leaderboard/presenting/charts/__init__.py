"""Every chart that has an address: what it asks of the query string, and how it is made."""

from __future__ import annotations

from leaderboard.presenting.charts import scatter
from leaderboard.presenting.charts.kinds import ChartKind, Choice

__all__ = ["BY_SLUG", "KINDS", "ChartKind", "Choice"]

KINDS: tuple[ChartKind, ...] = (
    ChartKind(
        "scatter",
        "Efficiency against speed",
        "Which configurations are both fast and frugal?",
        scatter.make,
        choices=(scatter.X, scatter.Y, scatter.COLOUR),
    ),
)
BY_SLUG = {kind.slug: kind for kind in KINDS}
