"""Jobs, attempts and GPU hosts as moderators see them; hosts change by the steps of the service alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.models import Agent, Attempt, AttemptState, HostEvent, Job, JobEvent, UnknownExecution, UnsettledAttempt
from jobs.queries.looked_at import unknown, unsettled
from jobs.services import agents, clock, looking_into
from lemsite.lib.moderating import ReadOnly, Step, TakesSteps


def _step(run: Any) -> Any:
    return lambda row, by, reason: run(agent=row, by=by, reason=reason)


DRAIN = Step("Drain", "Drained", _step(agents.drain), needs_reason=False)
RESUME = Step("Resume", "Resumed", _step(agents.resume), needs_reason=False)
QUARANTINE = Step("Set aside", "Set aside", _step(agents.quarantine))
CLEAR = Step("Clear", "Cleared", _step(agents.clear_quarantine), needs_reason=False)
RETIRE = Step("Retire for good", "Retired", _step(agents.retire))


def _attempt_step(run: Any) -> Any:
    return lambda row, by, reason: run(attempt=row, by=by, reason=reason)


def _set_host_aside(row: Any, by: Any, reason: str) -> None:
    looking_into.set_host_aside(agent=row.agent, by=by, reason=reason)


def _settle_unknown(row: Any, by: Any, reason: str) -> None:
    looking_into.settle_unknown(execution=row, by=by, reason=reason)


GIVE_UP = Step("Give up: the job goes to another host", "Given up", _attempt_step(looking_into.give_up))
CANCEL = Step("Cancel the job", "Cancelled", _attempt_step(looking_into.cancel))
LEAVE = Step("Nothing more to do", "Looked into", _attempt_step(looking_into.leave))
SET_ASIDE = Step("Set the host aside", "Set aside", _set_host_aside)
SETTLE = Step("Looked into", "Looked into", _settle_unknown)


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


@admin.register(UnsettledAttempt)
class UnsettledAttemptAdmin(TakesSteps[UnsettledAttempt]):
    """The inbox of executions whose host went away with them, or was given up and never reported."""

    fields = (
        "job", "number", "agent", "state", "phase", "step", "reason", "gpu_uuids", "executor", "accepted_at",
        "lease_until", "lost_at", "log_bytes",
    )  # fmt: skip
    list_display = ("__str__", "agent", "state", "last_seen", "lost_at")
    search_fields = ("=job__id", "agent__name")
    steps = {"give_up": GIVE_UP, "cancel": CANCEL, "leave": LEAVE, "set_aside": SET_ASIDE}

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnsettledAttempt]:
        return unsettled(clock.db_now()).select_related("job", "agent")

    def steps_for(self, row: UnsettledAttempt) -> Mapping[str, Step]:
        on_execution = {"leave": LEAVE} if row.state == AttemptState.LOST else {"give_up": GIVE_UP}
        on_job = {} if row.job.is_over else {"cancel": CANCEL}
        return {**on_execution, **on_job, **({} if row.agent.quarantined_at else {"set_aside": SET_ASIDE})}

    @admin.display(description="Host last heard of")
    def last_seen(self, row: UnsettledAttempt) -> Any:
        return row.agent.last_seen_at


@admin.register(UnknownExecution)
class UnknownExecutionAdmin(TakesSteps[UnknownExecution]):
    """The inbox of attempts that hosts told of and this site does not know."""

    fields = ("told_id", "agent", "first_told_at", "last_told_at")
    list_display = ("told_id", "agent", "first_told_at", "last_told_at")
    search_fields = ("agent__name",)
    steps = {"settle": SETTLE, "set_aside": SET_ASIDE}

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownExecution]:
        return unknown().select_related("agent")

    def steps_for(self, row: UnknownExecution) -> Mapping[str, Step]:
        return {"settle": SETTLE, **({} if row.agent.quarantined_at else {"set_aside": SET_ASIDE})}


@admin.register(HostEvent)
class HostEventAdmin(ReadOnly, admin.ModelAdmin[HostEvent]):
    """The audit log of hosts; nobody changes it."""

    fields = ("agent", "step", "actor", "reason", "created_at")
    list_display = ("created_at", "agent", "step", "actor", "reason")
    list_filter = ("step",)
    list_select_related = ("agent", "actor")
    search_fields = ("agent__name", "reason")


@admin.register(JobEvent)
class JobEventAdmin(ReadOnly, admin.ModelAdmin[JobEvent]):
    """The history of jobs; nobody changes it."""

    fields = ("job_id", "attempt_id", "event", "from_state", "to_state", "actor", "reason", "created_at")
    list_display = ("created_at", "job_id", "event", "from_state", "to_state", "actor", "reason")
    list_filter = ("event", "to_state")
    search_fields = ("=job__id", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobEvent]:
        return super().get_queryset(request).select_related("actor")
