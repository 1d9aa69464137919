"""Jobs, attempts and GPU hosts as moderators see them; hosts change by the steps of the service alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.models import Agent, Attempt, Job, JobEvent
from jobs.services import agents
from lemsite.lib.moderating import ReadOnly, Step, TakesSteps


def _step(run: Any) -> Any:
    return lambda row, by, reason: run(agent=row, by=by, reason=reason)


DRAIN = Step("Drain", "Drained", _step(agents.drain), needs_reason=False)
RESUME = Step("Resume", "Resumed", _step(agents.resume), needs_reason=False)
QUARANTINE = Step("Set aside", "Set aside", _step(agents.quarantine))
CLEAR = Step("Clear", "Cleared", _step(agents.clear_quarantine), needs_reason=False)
RETIRE = Step("Retire for good", "Retired", _step(agents.retire))


@admin.register(Agent)
class AgentAdmin(TakesSteps[Agent]):
    """GPU hosts. Their tokens and codes are shown nowhere."""

    fields = (
        "name", "owner", "labels", "is_simulated", "is_draining", "quarantined_at", "quarantine_reason",
        "failures_in_a_row", "last_seen_at", "clock_offset_s", "host", "created_at", "retired_at",
    )  # fmt: skip
    list_display = ("name", "owner", "is_draining", "quarantined_at", "last_seen_at", "retired_at")
    list_filter = ("is_draining", "is_simulated")
    list_select_related = ("owner",)
    search_fields = ("name",)
    steps = {"drain": DRAIN, "resume": RESUME, "quarantine": QUARANTINE, "clear": CLEAR, "retire": RETIRE}

    def steps_for(self, row: Agent) -> Mapping[str, Step]:
        if row.retired_at is not None:
            return {}
        drain = {"resume": RESUME} if row.is_draining else {"drain": DRAIN}
        aside = {"quarantine": QUARANTINE} if row.quarantined_at is None else {"clear": CLEAR}
        return {**drain, **aside, "retire": RETIRE}


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin[Job]):
    """Held, released and ordered on the job's own page."""

    fields = (
        "title", "kind", "owner", "state", "reason_code", "reason", "is_simulated", "priority", "attempts_used",
        "config", "rendered", "created_at", "started_at", "ended_at", "import_problem",
    )  # fmt: skip
    list_display = ("id", "title", "kind", "owner", "state", "priority", "created_at", "ended_at")
    list_filter = ("state", "kind", "is_simulated")
    list_select_related = ("owner",)
    search_fields = ("=id", "title", "owner__username")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin[Attempt]):
    """Each execution of a job, with the host's report."""

    fields = (
        "job", "number", "agent", "state", "phase", "outcome", "verdict", "reason_code", "reason", "gpu_uuids",
        "executor", "offered_at", "accepted_at", "lease_until", "lost_at", "ended_at", "finished_at", "log_bytes",
        "finish",
    )  # fmt: skip
    list_display = ("id", "job", "number", "agent", "state", "outcome", "verdict", "offered_at")
    list_filter = ("state", "outcome", "verdict")
    list_select_related = ("job", "agent")
    search_fields = ("=job__id", "agent__name")


@admin.register(JobEvent)
class JobEventAdmin(ReadOnly, admin.ModelAdmin[JobEvent]):
    """The history of jobs; nobody changes it."""

    fields = ("job_id", "attempt_id", "event", "from_state", "to_state", "actor", "reason", "created_at")
    list_display = ("created_at", "job_id", "event", "from_state", "to_state", "actor", "reason")
    list_filter = ("event", "to_state")
    search_fields = ("=job__id", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobEvent]:
        return super().get_queryset(request).select_related("actor")
