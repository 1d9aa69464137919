"""Which executor runs what, and by which command."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from gpuagent.executors import Executor, llem
from gpuagent.executors.container import ContainerExecutor
from gpuagent.executors.process import ProcessExecutor, own_modules
from gpuagent.host.folders import AttemptFolder, Home
from gpuagent.host.policy import Policy
from gpuagent.host.schema import Offer

#: settings of the pretended benchmark, for tests and demonstrations
SIMULATED = "LEM_SIMULATED_"


def executors(home: Home, policy: Policy) -> Mapping[str, Executor]:
    return {
        "simulate": ProcessExecutor(_simulated),
        "race": ProcessExecutor(lambda attempt, offer: _race(attempt, offer, policy)),
        "process": ProcessExecutor(_llem),
        "container": ContainerExecutor(home, policy),
    }


def _simulated(attempt: AttemptFolder, offer: Offer) -> tuple[list[str], dict[str, str]]:
    passed = {name: value for name, value in os.environ.items() if name.startswith(SIMULATED)}
    return _module("gpuagent.executors.simulated", attempt), own_modules() | passed


def _llem(attempt: AttemptFolder, offer: Offer) -> tuple[list[str], dict[str, str]]:
    return llem.command(attempt["config.yaml"], attempt["out"]), own_modules()


def _race(attempt: AttemptFolder, offer: Offer, policy: Policy) -> tuple[list[str], dict[str, str]]:
    env = own_modules() | {"LEM_RACE_BASE_URL": policy.race.base_url, "LEM_RACE_KEY_FILE": policy.race.key_file}
    return _module("gpuagent.race", attempt), env


def _module(name: str, attempt: AttemptFolder) -> list[str]:
    return [sys.executable, "-m", name, str(attempt["config.yaml"]), str(attempt["out"])]
