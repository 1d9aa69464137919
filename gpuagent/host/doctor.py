"""Looks for what would keep jobs from running here, and says what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gpuagent.executors import llem
from gpuagent.host import probing
from gpuagent.host.api import Api, Away, Refused
from gpuagent.host.folders import Home, NotEnrolled
from gpuagent.host.policy import BadPolicy, Policy, read_policy

Level = Literal["ok", "note", "problem"]
MARKS: dict[Level, str] = {"ok": "ok      ", "note": "note    ", "problem": "PROBLEM "}


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str


def examine(home: Home, *, simulate: bool) -> int:
    """Prints a line for each finding; 1 if one of them keeps jobs from running."""
    findings = list(_findings(home, simulate))
    for finding in findings:
        sys.stdout.write(f"{MARKS[finding.level]}{finding.text}\n")
    return int(any(finding.level == "problem" for finding in findings))


def _findings(home: Home, simulate: bool) -> Iterator[Finding]:
    yield from _site(home)
    try:
        policy = read_policy(home.path)
    except BadPolicy as error:
        yield Finding("problem", f"The policy cannot be used: {error}")
        return
    yield from _disk(home, policy)
    if simulate:
        yield Finding("note", "Simulated: this host takes simulated jobs only, and its results are never ranked.")
        return
    gpus, finding = _gpus()
    yield finding
    yield from _ways(policy, gpus)


def _site(home: Home) -> Iterator[Finding]:
    try:
        site = home.site()
    except NotEnrolled as error:
        yield Finding("problem", str(error))
        return
    if (home.path / "token").stat().st_mode & 0o077:
        yield Finding("problem", f"Others can read {home.path / 'token'}: chmod 600 it.")
    api = Api(str(site["url"]), None)
    try:
        spoken = api.meta().get("protocol") or {}
        speaks = isinstance(spoken, dict) and spoken.get("min", 1) <= 1 <= spoken.get("max", 1)
        yield Finding("ok", f"{site['url']} answers.")
        if not speaks:
            yield Finding("problem", "The site no longer speaks this agent's protocol: upgrade gpuagent.")
    except (Away, Refused) as error:
        yield Finding("problem", f"{site['url']} does not answer: {error}")
    finally:
        api.close()


def _disk(home: Home, policy: Policy) -> Iterator[Finding]:
    home.prepare()
    free = home.free_mib()
    if free < policy.min_free_mib:
        yield Finding("problem", f"{home.path} has {free} MiB free; below {policy.min_free_mib} MiB no job is taken.")
    else:
        yield Finding("ok", f"{home.path} has {free} MiB free.")
    if orphans := len(list((home.path / "orphaned").iterdir())):
        yield Finding("note", f"{orphans} attempts in {home.path / 'orphaned'} never reached the site.")


def _gpus() -> tuple[int, Finding]:
    try:
        gpus = probing.look_at_gpus(simulate=False, instance_id="", count=0)
    except probing.DriverHangs as error:
        return 0, Finding("problem", f"GPUs: {error}. The host has to be restarted.")
    if not gpus:
        return 0, Finding("problem", "No NVIDIA GPU answers: is the driver installed? Without one: --simulate.")
    return len(gpus), Finding("ok", "; ".join(f"{gpu['name']} with {gpu['memory_mib']} MiB" for gpu in gpus))


def _ways(policy: Policy, gpus: int) -> Iterator[Finding]:
    ways = list(_containers(policy)) + list(_processes(policy, gpus))
    if policy.race.base_url:
        ways.append(Finding("ok", f"Races against {policy.race.base_url}."))
    yield from ways
    if not any(finding.level == "ok" for finding in ways):
        yield Finding("problem", "policy.toml allows no way to run a job: see [images] and allow_process.")


def _containers(policy: Policy) -> Iterator[Finding]:
    if not policy.images:
        return
    if probing.has_container_tool(policy.container_tool):
        yield Finding("ok", f"Containers by {policy.container_tool}, for {', '.join(sorted(policy.images))}.")
    else:
        yield Finding("problem", f"{policy.container_tool} does not answer; may this user use it?")


def _processes(policy: Policy, gpus: int) -> Iterator[Finding]:
    if not policy.allow_process:
        return
    if gpus > 1:
        yield Finding("problem", "allow_process needs a host with one GPU: llem measures the first one only.")
    elif llem.find_command() is None:
        yield Finding("problem", "llem is not installed: pip install './gpuagent[llem]'")
    else:
        yield Finding("ok", "llem as a process of this host.")
