"""Sessions: the one living process of a host, what it told of itself, and what it is to do with what it still has."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.models import ACTIVE, Agent, AgentSession, Attempt, AttemptState, Gpu
from jobs.services import clock, leases
from jobs.services.agents import tell_operator
from jobs.services.callers import Caller
from jobs.services.directives import directive_for
from jobs.services.errors import AgentRefused
from jobs.services.looking_into import note_unknown
from jobs.times import times
from leaderboard.services.catalogue import find_all_targets

#: a call is noted this often at most, and at least so many times within a lease
TOUCH_S, TOUCHES_PER_LEASE = 5.0, 4
#: below this, a container can leave its walls (CVE-2025-23266)
MIN_TOOLKIT = (1, 17, 8)


@dataclass(frozen=True, slots=True)
class HostTold:
    """What an agent says of its host when it opens a session."""

    instance_id: str
    boot_id: str
    protocol: int
    #: agent_version, os, driver, cuda, docker, toolkit, python, cpus, memory_mib, images, …
    host: Mapping[str, Any]
    #: {"uuid", "name", "memory_mib", "cc", "mig", "power_limit_w", "nvml"}
    gpus: Sequence[Mapping[str, Any]]
    executors: Sequence[str]
    labels: Sequence[str] = ()
    is_simulated: bool = False
    agent_time: datetime | None = None
    #: {"id", "phase", "exit", …}
    attempts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ToDo:
    """What a host is to do with an attempt that it still has, and from where it sends on."""

    id: uuid.UUID
    #: resume, upload, cancel, abandon or forget
    do: str
    log_offset: int = 0
    #: the numbers that are expected next
    event_seq: int = 1
    telemetry_seq: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    session: AgentSession
    attempts: list[ToDo] = field(default_factory=list)
    #: sentences for the operator, in the agent's log
    warnings: list[str] = field(default_factory=list)


@transaction.atomic
def _open(*, agent: Agent, told: HostTold) -> tuple[AgentSession, list[str]]:
    agent = Agent.objects.select_for_update().get(pk=agent.pk)
    now = timezone.now()
    living = AgentSession.objects.filter(agent=agent, ended_at=None).first()
    if living is not None and living.instance_id != told.instance_id and _is_alive(living, now):
        raise _Elsewhere(living)
    _refuse_changed_kind(agent, told)
    before = living or AgentSession.objects.filter(agent=agent).first()
    AgentSession.objects.filter(agent=agent, ended_at=None).update(ended_at=now)
    executors, warnings = _safe_executors(told)
    session = AgentSession.objects.create(
        agent=agent,
        instance_id=told.instance_id,
        boot_id=told.boot_id,
        protocol=told.protocol,
        executors=executors,
        last_seen_at=now,
    )
    _note_host(agent, told, executors, now)
    _note_gpus(agent, told.gpus, rebooted=before is not None and before.boot_id != told.boot_id)
    return session, warnings


class _Elsewhere(Exception):
    """Another machine has a living session with the same token."""


def open_session(*, agent: Agent, told: HostTold) -> Opened:
    """Begin the session of a host, which ends the one that it had before. Not inside a transaction.

    Refused while another machine is alive with the same token; then the operator is told, as the token may be stolen.
    """
    try:
        session, warnings = _open(agent=agent, told=told)
    except _Elsewhere:
        tell_operator(
            agent,
            of="elsewhere",
            title=f"{agent}: a second machine came with its token",
            text="It was refused. If you copied the agent's folder, enrol the second machine; else revoke the token.",
        )
        detail = "Another machine is at work with this token. Enrol this one; a copied folder is not a second host."
        raise AgentRefused(409, "session_elsewhere", detail) from None
    now = clock.db_now()
    return Opened(session, [_to_do(agent, one, now) for one in told.attempts], warnings)


def living_session(*, caller: Caller) -> AgentSession:
    """The session that a call names, noted as seen; refused once another one has taken its place."""
    session = caller.session
    if session is None:
        detail = (
            "This session is over: another process of this host began one. Say X-Agent-Session, or begin a new one."
        )
        raise AgentRefused(409, "session_replaced", detail)
    now = timezone.now()
    if now - session.last_seen_at > timedelta(seconds=min(TOUCH_S, times().lease_s / TOUCHES_PER_LEASE)):
        AgentSession.objects.filter(pk=session.pk).update(last_seen_at=now)
        Agent.objects.filter(pk=caller.agent.pk).update(last_seen_at=now)
    return session


def end_session(*, session: AgentSession) -> None:
    """The agent goes; what runs on its host goes on until its lease is over."""
    AgentSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now())


def _is_alive(session: AgentSession, now: datetime) -> bool:
    return now - session.last_seen_at < timedelta(seconds=times().lease_s)


def _refuse_changed_kind(agent: Agent, told: HostTold) -> None:
    """A host does not turn from simulated to real, or back, under what it runs."""
    open_ones = Attempt.objects.filter(agent=agent, state__in=(*ACTIVE, AttemptState.LOST), verdict="")
    if agent.is_simulated != told.is_simulated and open_ones.exclude(job__is_simulated=told.is_simulated).exists():
        detail = "What this host still runs is of the other kind (simulated or real): let it end first."
        raise AgentRefused(409, "kind_changed", detail)


def _safe_executors(told: HostTold) -> tuple[list[str], list[str]]:
    executors = sorted(set(told.executors))
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", str(told.host.get("toolkit") or ""), re.ASCII)
    if "container" not in executors or (version and tuple(map(int, version.groups())) >= MIN_TOOLKIT):
        return executors, []
    least = ".".join(map(str, MIN_TOOLKIT))
    executors.remove("container")
    return executors, [f"No job runs in a container here: nvidia-container-toolkit {least} or newer is needed."]


def _note_host(agent: Agent, told: HostTold, executors: list[str], now: datetime) -> None:
    agent.host = {**told.host, "executors": executors}
    agent.labels = sorted(set(told.labels))
    agent.is_simulated = told.is_simulated
    agent.last_seen_at = now
    agent.clock_offset_s = (told.agent_time - now).total_seconds() if told.agent_time else None
    agent.save(update_fields=["host", "labels", "is_simulated", "last_seen_at", "clock_offset_s"])


def _note_gpus(agent: Agent, gpus: Sequence[Mapping[str, Any]], *, rebooted: bool) -> None:
    agent.gpus.exclude(uuid__in=[gpu["uuid"] for gpu in gpus]).update(is_present=False)
    if rebooted:
        # What the driver lost, it may have found again.
        agent.gpus.exclude(quarantined_at=None).update(quarantined_at=None, quarantine_reason="")
    known = find_all_targets([(None, gpu["name"], None) for gpu in gpus])
    for gpu, targets in zip(gpus, known, strict=True):
        Gpu.objects.update_or_create(
            agent=agent,
            uuid=gpu["uuid"],
            defaults={
                "name": gpu["name"],
                "hardware": targets.hardware,
                "memory_mib": gpu["memory_mib"],
                "compute_capability": gpu.get("cc") or "",
                "power_limit_w": gpu.get("power_limit_w"),
                "is_mig": bool(gpu.get("mig")),
                "nvml": gpu.get("nvml") or {},
                "is_present": True,
            },
        )


def _tell_of_unknown(agent: Agent, attempt_id: uuid.UUID) -> None:
    """Perhaps the site was restored from a backup: the host's calls are answered with no_attempt, and it keeps all."""
    note_unknown(agent=agent, told_id=attempt_id)
    tell_operator(
        agent,
        of="unknown-attempt",
        title=f"{agent} has an attempt that this site does not know",
        text=f"Attempt {attempt_id}. The host keeps its log and files in the folder orphaned of its agent.",
        moderators_too=True,
    )


def _to_do(agent: Agent, told: Mapping[str, Any], now: datetime) -> ToDo:
    attempt = Attempt.objects.select_related("job", "agent").filter(agent=agent, pk=told["id"]).first()
    if attempt is None:
        _tell_of_unknown(agent, told["id"])
        return ToDo(told["id"], "upload")
    has_ended = told.get("phase") == "uploading" or told.get("exit") is not None
    # Whoever speaks is not lost, however late.
    leases.renew(attempts=[attempt], now=now)
    if attempt.state == AttemptState.LOST and not has_ended:
        attempt = leases.readopt(attempt=attempt, now=now)
    directive = directive_for(attempt, now)
    going_on = "upload" if has_ended else "resume"
    do = {"continue": going_on, "kill": "cancel"}.get(directive, directive)
    if do == "cancel" and has_ended:
        do = "upload"
    return ToDo(attempt.pk, do, attempt.log_bytes, attempt.next_event, attempt.next_telemetry)
