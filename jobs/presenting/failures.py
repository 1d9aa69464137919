"""What failed, for the coverage chart of an app that does not know of jobs."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse

from jobs.queries.failures import failed_jobs
from leaderboard.queries.failures import Failure, Failures


def job_failures(models: Collection[int], hardware: Collection[int]) -> Failures:
    found: dict[tuple[int, int], Failure] = {}
    for failed in failed_jobs(models, hardware):
        pair = failed.model, failed.hardware
        before = found.get(pair)
        # The newest comes first, and is the one that is linked.
        url = before.url if before else reverse("jobs:detail", args=[failed.job])
        found[pair] = Failure(before.count + 1 if before else 1, url)
    return found
