"""`manage.py serve` as a process of its own, with a database and files of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# Generous, for a machine that runs the rest of the suite at the same time.
PATIENCE_S = 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition, what: str):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {PATIENCE_S} s")


def processes_with(marker: str) -> list[int]:
    """The processes, of all there are, that have this text in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (folder / "environ").read_bytes() and (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


class Site:
    """One started site: its process, its port, its folder and its database, begun as a copy where there is one."""

    def __init__(self, home: Path, database: Path | None, **variables: str) -> None:
        self.home, self.port = home, free_port()
        self.environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        }
        self.environment |= {"LEMSITE_HOME": str(home), "PORT": str(self.port), "DEBUG": "1", "LOG_LEVEL": "INFO"}
        self.environment |= {"LEMSITE_SIMULATE": "0", "SITE_URL": self.url, **variables}
        if database:
            shutil.copyfile(database, home / "lemsite.sqlite3")
        else:
            self.manage("migrate", "--verbosity", "0")
        self.log = (home / "log").open("w+")
        self.serve()

    @property
    def url(self) -> str:
        """As its visitors know it; its own messages name it so."""
        return f"http://localhost:{self.port}"

    def serve(self) -> None:
        command = [sys.executable, "manage.py", "serve"]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=self.environment, stderr=self.log)

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=REPOSITORY, env=self.environment, check=True)

    def health(self) -> dict | None:
        return self.get("/health")

    def get(self, path: str) -> dict | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def logged(self, text: str) -> bool:
        return text in (self.home / "log").read_text()

    def wait_until_up(self) -> None:
        wait_for(lambda: self.health() and self.logged("ready for work"), "The start")

    def run_a_task(self, seconds: int) -> None:
        code = f"from django_q.tasks import async_task; async_task('time.sleep', {seconds})"
        self.manage("shell", "--no-imports", "--command", code)
        wait_for(lambda: self.logged("processing"), "The task's start")

    def worker(self) -> int:
        """The one process that leads a session of its own."""
        return next(pid for pid in processes_with(f"LEMSITE_HOME={self.home}") if os.getsid(pid) == pid)

    def has_no_process_left(self) -> bool:
        return not processes_with(f"LEMSITE_HOME={self.home}")

    def kill(self) -> None:
        for pid in processes_with(f"LEMSITE_HOME={self.home}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
