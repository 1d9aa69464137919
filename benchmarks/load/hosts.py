"""Hosts for a measurement: each a real agent, a process with a disk of its own that can be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Host:
    """One agent with a disk of its own and a simulated GPU."""

    home: Path
    #: seconds of the simulated benchmark
    job_s: float
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"LEM_AGENT_HOME": str(self.home), "LEM_SIMULATED_WINDOW_S": str(self.job_s)}

    def enrol(self, url: str, code: str) -> None:
        self.home.mkdir()
        command = [sys.executable, "-m", "gpuagent", "enroll", url, code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        command = [sys.executable, "-m", "gpuagent", "run", "--simulate"]
        with (self.home / "agent.log").open("ab") as log:
            # Ctrl-C in a terminal is for the measurement: a host would begin to drain.
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, process_group=0
            )

    def kill(self) -> None:
        """The agent alone; what it has started lives on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def crash(self) -> None:
        """Everything on the host at once, as when its power goes: what is stopped notices no other's end."""
        self.kill()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def pids(self) -> list[int]:
        """Every process of this host, by its folder in the environment, the command or the working directory."""
        marker, found = str(self.home).encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                here = str((folder / "cwd").readlink()).encode()
                said = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if marker in said or here.startswith(marker):
                    found.append(int(folder.name))
        return [pid for pid in found if pid != os.getpid()]
