"""What tests of the agent share: an agent in this process, an agent as the process that it is, and what it left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from gpuagent.host.loop import Agent
from gpuagent.host.policy import Policy

from .waiting import wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK = Policy(min_free_mib=0, interrupt_s=1, terminate_s=0.5)


class AgentThread(Agent):
    """An agent that runs from the moment it is made."""

    def __init__(self, home, policy, settings) -> None:
        super().__init__(home, policy, settings)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()


def end(path):
    """No process of a test outlives it."""
    with contextlib.suppress(OSError, ValueError):
        os.killpg(json.loads(path.read_bytes())["pid"], signal.SIGKILL)


def process(home, *arguments, crash_at="", **env):
    """`lem-agent run` as a process."""
    argv = [sys.executable, "-m", "gpuagent", "--home", str(home.path), "run", "--simulate", *arguments]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "LEM_AGENT_CRASH_AT": crash_at, **env}
    return subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True)


def finished(attempt):
    wait_for(lambda: attempt.finish is not None)
    return attempt.finish


def starts(home):
    """The attempts whose process was started, in their order."""
    path = home.path / "started.log"
    return [json.loads(line)["attempt"] for line in path.read_text().splitlines()] if path.exists() else []


def folder_of(home, attempt):
    return home.path / "attempts" / attempt.id


def soon(condition, within_s):
    """Whether it comes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False
