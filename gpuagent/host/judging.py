"""Whether this host runs what it is offered: its operator's policy, its own list of what a job may say, its state."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gpuagent.host import probing, recheck
from gpuagent.host.folders import Home
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Offer

#: a simulated job writes little
SIMULATED_FREE_MIB = 512


def least_free_mib(policy: Policy, *, simulate: bool) -> int:
    """With less room on the disk, no job is taken."""
    return min(policy.min_free_mib, SIMULATED_FREE_MIB) if simulate else policy.min_free_mib


def problem_with(
    offer: Offer, *, policy: Policy, home: Home, simulate: bool, gpus: int, free: Collection[str]
) -> tuple[str, str] | None:
    """Code and sentence of why this host, with so many GPUs, will not run it."""
    if problem := policy.problem_with(offer, simulate=simulate, gpu_count=gpus):
        return "policy", problem
    try:
        recheck.check(offer)
    except recheck.ConfigRefused as refused:
        return "policy", str(refused)
    if home.free_mib() < least_free_mib(policy, simulate=simulate):
        return "disk_low", "The host's disk is nearly full."
    if busy := set(offer.gpus) - set(free):
        return "gpu_busy", f"{len(busy)} of the GPUs are not free on this host."
    return None if simulate or not offer.gpus else _busy_gpu(offer, policy, home)


def _busy_gpu(offer: Offer, policy: Policy, home: Home) -> tuple[str, str] | None:
    """Somebody else's work on a GPU would be in the measurement."""
    try:
        found = probing.look_at_gpus(simulate=False, instance_id=home.instance_id, count=0)
    except probing.DriverHangs as error:
        return "gpu_busy", str(error)
    for gpu in found:
        if gpu["uuid"] in offer.gpus and (why := _why_not_idle(gpu["now"], offer, policy)):
            return "gpu_busy", why
    return None


def _why_not_idle(now: dict[str, Any], offer: Offer, policy: Policy) -> str:
    if "fault" in now:
        return str(now.get("text", "The GPU does not answer."))
    if offer.executor == "race":
        # The inference server that races is at home on it.
        return ""
    if now.get("processes"):
        return "Another process computes on the GPU."
    if (now.get("mem_mib") or 0) > policy.max_idle_mib:
        return f"{now['mem_mib']} MiB of the GPU's memory are in use."
    if (now.get("temp_c") or 0) > policy.max_idle_temp_c:
        return f"The GPU is still {now['temp_c']} °C warm."
    return ""
