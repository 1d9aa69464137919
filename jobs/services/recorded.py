"""What a host recorded while its job measured a result, for the charts of the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.models import Attempt
from jobs.queries.records import samples_of
from leaderboard.analysis.traces import GpuTrace, trace_of
from leaderboard.models import Result


def traces_of_job(result: Result) -> Sequence[GpuTrace]:
    """A trace a GPU over the whole attempt, loading of the model included; () where no job measured it alone."""
    if result.submission.results.count() > 1:
        return ()
    attempt = Attempt.objects.filter(job__submission=result.submission_id).order_by("-number").first()
    if attempt is None:
        return ()
    samples = samples_of(attempt)
    if not samples.t:
        return ()
    seconds = [moment - samples.t[0] for moment in samples.t]
    return [
        trace_of(f"GPU {number}", seconds, lines["power_w"], lines["temp_c"])
        for number, lines in enumerate(samples.gpus.values())
    ]
