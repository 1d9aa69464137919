"""/charts/power/?result=…&result=…: what was recorded over time, of up to two results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from leaderboard.charts.base import Chart
from leaderboard.charts.power import MOST_RESULTS, Recording, power
from leaderboard.models import Result
from leaderboard.presenting.charts.named import CHOOSE, detail_of, named_results, title_of
from leaderboard.presenting.common import result_url
from leaderboard.services.recorded import traces_of

if TYPE_CHECKING:
    from django.http import QueryDict

NONE = (
    "Nothing was recorded over time for it: neither a job of this site measured it alone, nor did AIPerf's "
    "gpu_telemetry_export.jsonl come with it."
)


def make(params: QueryDict) -> Chart:
    results = named_results(params, MOST_RESULTS)
    chart = power_of(results)
    if chart.is_empty:
        return replace(chart, summary=NONE if results else CHOOSE)
    return chart


def power_of(results: Sequence[Result]) -> Chart:
    recordings = [Recording(title_of(one), detail_of(one), result_url(one), traces_of(one)) for one in results]
    lacking = [one.title for one in recordings if not one.traces]
    notes = ["The whole attempt is shown, loading of the model included, where a job of this site measured it."]
    notes += [f"Nothing was recorded over time for {title}." for title in lacking]
    return power(recordings, notes)
