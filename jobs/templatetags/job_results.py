"""The jobs behind a result, for the page of an app that does not know of jobs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from jobs.queries.results import measured_by, verified_by

register = template.Library()


@register.inclusion_tag("jobs/_jobs_of_result.html")
def jobs_of_result(result: UUID) -> dict[str, Any]:
    """The job that measured it, and those that ran it again with what came of it."""
    return {"job": measured_by(result), "reruns": verified_by(result)}
