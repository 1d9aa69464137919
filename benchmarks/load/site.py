"""A lemsite on a port and a database of its own, started for a measurement and removed with all it made."""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.fresh import begins_as_copy

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SERVER = "postgresql://postgres@127.0.0.1:5432/"
ENGINES = ("sqlite", "postgresql")
#: a start on a machine that does much else
START_S = 300.0
Ask = Callable[[str], list[tuple[Any, ...]]]
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Site:
    """A site that may be started, killed and started again on the same port and data."""

    home: Path
    database_url: str
    options: dict[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    port: int = field(default_factory=lambda: free_port())
    #: from the next start on
    has_worker: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return (
            os.environ
            | {
                "LEMSITE_ENV": "development",
                "LEMSITE_ENV_FILE": os.devnull,
                "LEMSITE_HOME": str(self.home),
                "LEMSITE_SIMULATE": "0",
                "LEMSITE_STREAMS_PER_ADDRESS": "0",
                "DATABASE_URL": self.database_url,
                "REDIS_URL": "",
                "WEB_PROCESSES": "1",
                "INGEST_TOKEN": self.token,
                "PORT": str(self.port),
                # Without DEBUG, static files must have been collected.
                "DEBUG": "0" if (ROOT / "staticfiles" / "staticfiles.json").exists() else "1",
                "LOG_LEVEL": "WARNING",
            }
            | self.options
        )

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1"]
        command += [] if self.has_worker else ["--without-worker"]
        # Ctrl-C in a terminal is for the measurement, which then stops the site.
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, process_group=0)

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with suppress(OSError):
                self.get("/api/runs")
                return
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"The site did not start on port {self.port}.")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, message: dict[str, Any]) -> None:
        headers = {"X-Ingest-Token": self.token, "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.port}/api/ingest"
        request = urllib.request.Request(url, json.dumps(message).encode(), headers)
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the server and to its web processes: none gets the chance to finish anything."""
        if self.process is None:
            return
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def pids(self) -> list[int]:
        """The server's process and all that come from it."""
        return process_tree(self.process.pid) if self.process else []

    def cpu_s(self) -> float:
        """Processor seconds used so far, of all processes."""
        return cpu_s_of(self.pids())

    def memory_kb(self) -> int:
        """Memory of all processes; a page that several share counts once."""
        total = 0
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, past the site."""
        with self.asking() as ask:
            return ask(query)

    @contextmanager
    def asking(self) -> Iterator[Ask]:
        """One connection for many questions, each of which sees what is there at its moment."""
        if self.database_url.startswith("sqlite"):
            connection = sqlite3.connect(self.home / "live.sqlite3")
            try:
                yield lambda query: connection.execute(query).fetchall()
            finally:
                connection.close()
        else:
            with psycopg.connect(self.database_url, autocommit=True) as server:
                yield lambda query: server.execute(query.encode()).fetchall()


@contextmanager
def new_site(engine: str, **options: str) -> Iterator[Site]:
    """A site that runs, with an empty database; both are gone afterwards."""
    # By default SIGTERM, unlike Ctrl-C, would leave server and database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = Path(tempfile.mkdtemp(prefix="lemsite-benchmark-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        url = "sqlite:///live.sqlite3" if engine == "sqlite" else stack.enter_context(postgresql_database())
        site = Site(home, url, options)
        if engine != "sqlite" or not begins_as_copy(home / "live.sqlite3"):
            site.manage("migrate", "--no-input", "--verbosity", "0")
        stack.callback(site.stop)
        site.start()
        site.wait_until_up()
        yield site


@contextmanager
def postgresql_database() -> Iterator[str]:
    """On the server of DATABASE_URL where that names one, else on this machine's."""
    given = os.environ.get("DATABASE_URL", "")
    server = urlsplit(given if given.startswith("postgres") else DEFAULT_SERVER)
    name = f"lemsite_benchmark_{os.getpid()}_{secrets.token_hex(2)}"
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def collect_static_files() -> None:
    """As `make run` does, where they are older than their sources; without them each comes through a debug view."""
    manifest = ROOT / "staticfiles" / "staticfiles.json"
    newest = max(path.stat().st_mtime for path in (ROOT / "static").rglob("*"))
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"DEBUG": "0"}, check=True)


def process_tree(root: int) -> list[int]:
    """A process and all that come from it."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_s_of(pids: list[int]) -> float:
    """Processor seconds used so far; a process that has just ended counts as none."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS_PER_S


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def allow_many_sockets() -> None:
    """As many open files as this user may have; the server inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
