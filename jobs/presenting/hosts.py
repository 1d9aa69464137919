"""/agents/: what a host has, what it does, and what its operator may do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from jobs.models import Agent, AgentToken, Attempt, Gpu
from jobs.presenting.attempts import attempt_row
from jobs.presenting.common import (
    NONE,
    agent_link,
    gib,
    gpu_names,
    job_number_link,
    owner_link,
    short_uuid,
)
from jobs.presenting.rows import AgentPage, AgentStep, GpuRow, HostRow, TokenRow
from jobs.presenting.states import span_of
from jobs.queries.hosts import is_connected
from jobs.queries.places import attempts_in_hand
from leaderboard.format import count, day, exact, minute
from leaderboard.pages import Link
from leaderboard.presenting.common import hardware_url

#: what a host says of itself that everybody may read, in this order
FACTS = {
    "agent_version": "Agent",
    "os": "System",
    "driver": "Driver",
    "cuda": "CUDA",
    "docker": "Docker",
    "toolkit": "Container toolkit",
    "python": "Python",
    "cpus": "CPUs",
    "memory_mib": "Memory",
}
MAX_TEXT = 80
#: states of a host that is there
CONNECTED = ("idle", "busy", "draining")
CLOCK_IS_OFF_S = 5


def host_row(agent: Agent, now: datetime) -> HostRow:
    code, words = _state(agent, now)
    present = [gpu for gpu in agent.gpus.all() if gpu.is_present]
    usable = [gpu for gpu in present if gpu.quarantined_at is None]
    free = sum(1 for gpu in usable if getattr(gpu, "hold", None) is None)
    is_there = code in CONNECTED
    return HostRow(
        link=agent_link(agent),
        code=code,
        words=words,
        gpus=gpu_names(present),
        gpus_free=f"{free} of {count(len(usable), 'GPU')} free" if usable and is_there else "",
        runs=[job_number_link(attempt.job) for attempt in attempts_in_hand(agent)],
        last_seen=last_seen(agent, now),
        versions=_versions(agent.host),
        owner=owner_link(agent.owner),
        is_simulated=agent.is_simulated,
    )


def last_seen(agent: Agent, now: datetime) -> str:
    if agent.last_seen_at is None:
        return "never"
    seconds = (now - agent.last_seen_at).total_seconds()
    return "just now" if seconds < 15 else f"{span_of(seconds)} ago"


def agent_page(
    agent: Agent, attempts: Sequence[Attempt], now: datetime, *, can_operate: bool, tokens: Sequence[AgentToken] = ()
) -> AgentPage:
    vitals = {gpu.get("uuid", ""): gpu for gpu in agent.vitals.get("gpus", []) if isinstance(gpu, dict)}
    jobs = {attempt.pk: job_number_link(attempt.job) for attempt in attempts_in_hand(agent)}
    return AgentPage(
        row=host_row(agent, now),
        name=agent.name,
        note=_note(agent, now),
        gpus=[_gpu_row(gpu, vitals.get(gpu.uuid, {}), jobs) for gpu in agent.gpus.all()],
        facts=_facts(agent),
        attempts=[attempt_row(attempt, now, with_job=True) for attempt in attempts],
        steps=_steps(agent) if can_operate else (),
        tokens=[_token_row(token) for token in tokens] if can_operate else (),
        can_operate=can_operate,
    )


def _state(agent: Agent, now: datetime) -> tuple[str, str]:
    busy = len(attempts_in_hand(agent))
    if agent.retired_at is not None:
        return "retired", f"Retired {day(agent.retired_at)}"
    if agent.quarantined_at is not None:
        return "quarantined", "Quarantined"
    if not is_connected(agent, now):
        return "away", "Not connected" if agent.last_seen_at is None else "Away"
    if agent.is_draining:
        return "draining", "Draining: finishes what runs" if busy else "Draining: takes no job"
    return ("busy", f"Runs {count(busy, 'job')}") if busy else ("idle", "Idle")


def _note(agent: Agent, now: datetime) -> str:
    if agent.retired_at is not None:
        return "Out of service for good; its history stays."
    if agent.quarantined_at is not None:
        why = agent.quarantine_reason or "it failed too often"
        return f"Set aside since {minute(agent.quarantined_at)}: {why}. It takes no job until its operator clears it."
    if agent.last_seen_at is None:
        return "It has been made here and has not called yet."
    if not is_connected(agent, now):
        return f"Not heard for {last_seen(agent, now).removesuffix(' ago')}. Jobs wait for it or go to other hosts."
    return ""


def _gpu_row(gpu: Gpu, vitals: Mapping[str, Any], jobs: Mapping[Any, Link]) -> GpuRow:
    hold = getattr(gpu, "hold", None)
    return GpuRow(
        name=gpu.name,
        uuid=short_uuid(gpu.uuid),
        memory=gib(gpu.memory_mib),
        hardware=Link(gpu.hardware.name, hardware_url(gpu.hardware)) if gpu.hardware else NONE,
        state=_gpu_state(gpu, is_held=hold is not None),
        runs=jobs.get(hold.attempt_id, NONE) if hold else NONE,
        power=_reading(vitals.get("power_w"), "W"),
        util=_reading(vitals.get("util"), "%"),
        memory_used=gib(vitals["mem_mib"]) if _is_number(vitals.get("mem_mib")) else "",
        temperature=_reading(vitals.get("temp_c"), "°C"),
        measures=_measures(gpu.nvml),
    )


def _gpu_state(gpu: Gpu, *, is_held: bool) -> str:
    if gpu.quarantined_at is not None:
        return f"Set aside: {gpu.quarantine_reason or 'it failed'}"
    if not gpu.is_present:
        return "Not there any more"
    return "Busy" if is_held else "Free"


def _measures(nvml: Mapping[str, Any]) -> str:
    """How its energy can be known."""
    if not nvml:
        return ""
    kinds = ["energy counter"] if nvml.get("energy_counter") else []
    kinds += [f"power ({str(nvml['power']).replace('_', ' ')})"] if nvml.get("power") else []
    return " and ".join(kinds) or "no energy, no power"


def _facts(agent: Agent) -> list[tuple[str, str]]:
    host = agent.host if isinstance(agent.host, dict) else {}
    facts = [(label, _fact(name, host[name])) for name, label in FACTS.items() if host.get(name) not in (None, "")]
    executors = host.get("executors")
    if isinstance(executors, list) and executors:
        facts.append(("Runs jobs as", ", ".join(str(name)[:MAX_TEXT] for name in executors[:8])))
    if agent.labels:
        facts.append(("Labels", ", ".join(str(label)[:MAX_TEXT] for label in agent.labels[:20])))
    if agent.clock_offset_s is not None and abs(agent.clock_offset_s) > CLOCK_IS_OFF_S:
        way = "ahead" if agent.clock_offset_s > 0 else "behind"
        facts.append(("Clock", f"{span_of(abs(agent.clock_offset_s))} {way}; nothing is decided by it"))
    disk_free = agent.vitals.get("disk_free_mib")
    if _is_number(disk_free):
        facts.append(("Disk free", gib(disk_free)))
    return facts


def _fact(name: str, value: Any) -> str:
    if name == "memory_mib" and _is_number(value):
        return gib(value)
    return str(value)[:MAX_TEXT]


def _versions(host: Any) -> str:
    """ "agent 1.4.0, driver 575.57.08, CUDA 12.9"."""
    told = host if isinstance(host, dict) else {}
    words = {"agent_version": "agent", "driver": "driver", "cuda": "CUDA"}
    return ", ".join(f"{word} {str(told[name])[:MAX_TEXT]}" for name, word in words.items() if told.get(name))


def _steps(agent: Agent) -> list[AgentStep]:
    if agent.retired_at is not None:
        return []
    if agent.is_draining:
        steps = [_step(agent, "resume", "Resume", "It takes new jobs again.")]
    else:
        steps = [_step(agent, "drain", "Drain", "It takes no new job; what runs is finished.")]
    if agent.quarantined_at is None:
        says = "Set it aside: it takes no job until someone clears it."
        steps.append(_step(agent, "quarantine", "Quarantine", says, needs_reason=True))
    else:
        steps.append(_step(agent, "clear", "Clear quarantine", "It takes jobs again, with all its GPUs."))
    says = "Its tokens stop at once; a new enrolment code is shown, once. For a token that was lost or seen by others."
    steps.append(_step(agent, "rotate", "Replace its token", says, is_danger=True))
    says = "Out of service for good: its tokens stop at once, and its name is not given again."
    steps.append(_step(agent, "retire", "Retire", says, needs_reason=True, is_danger=True))
    return steps


def _step(agent: Agent, name: str, verb: str, says: str, **more: bool) -> AgentStep:
    return AgentStep(name, verb, says, reverse(f"jobs:agent_{name}", args=[agent.pk]), **more)


def _token_row(token: AgentToken) -> TokenRow:
    state = f"replaced, works until {minute(token.replaced_at)}" if token.replaced_at else "in use"
    return TokenRow(
        shown=token.shown,
        made=day(token.created_at),
        expires=day(token.expires_at),
        last_used=minute(token.last_used_at) or "never",
        state=state,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reading(value: Any, unit: str) -> str:
    return f"{exact(round(float(value), 1))} {unit}" if _is_number(value) else ""
