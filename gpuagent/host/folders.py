"""What the agent knows, all of it on disk: its home, and a folder for each attempt whose files say where it stands.

instance.lock instance_id token old-tokens site.json    of the host
claim.json                                              an id, on disk before it is sent
started.log                                             every process start, one line each, only added to
attempts/<id>/ offer.json      the site's offer; nothing runs yet
               accepted.json   the site has confirmed; its process may start, once
               run.lock/       the start: making this folder succeeds only once
               pid.json        the process that runs
               raw.log         what it prints; out.log is the same, masked and limited
               progress.jsonl  what it tells; events.ndjson is the same, numbered
               stop.json       why it is being stopped
               exit.json       it has ended
               finish.json     the report, which no longer changes once finish-sent is there
               verdict.json    the site has it
orphaned/                                               attempts that the site does not know
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gpuagent.host import clock, durable

if TYPE_CHECKING:
    from gpuagent.host.schema import Offer

HOME_VARIABLE = "LEM_AGENT_HOME"
BALLAST_BYTES = 64 << 20

Stage = Literal["offered", "accepted", "running", "ended", "finished", "done"]


class HomeIsTaken(Exception):
    """Another agent runs from the same folder."""


class NotEnrolled(Exception):
    """The folder holds no token of a site."""


def default_home() -> Path:
    """$LEM_AGENT_HOME, the state folder that systemd gives, or where programs keep what should outlive them."""
    for name in (HOME_VARIABLE, "STATE_DIRECTORY"):
        if given := os.environ.get(name):
            return Path(given)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "gpuagent" / "host"


class AttemptFolder:
    """One attempt on this disk. Its stage is read from its files each time, never remembered."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        return self.path.name

    def __getitem__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str) -> dict[str, Any] | None:
        return durable.read_json(self.path / name)

    def write(self, name: str, value: Any) -> None:
        with _room_made(self.path.parent.parent):
            durable.write_json(self.path / name, value)

    @property
    def offer(self) -> Offer:
        # The shim imports this module and reads no offer: without the types it starts in a quarter of the time.
        from gpuagent.host.schema import Offer

        return Offer.model_validate_json(self["offer.json"].read_bytes())

    @property
    def stage(self) -> Stage:
        steps: tuple[tuple[str, Stage], ...] = (
            ("verdict.json", "done"),
            ("finish.json", "finished"),
            ("exit.json", "ended"),
            ("run.lock", "running"),
            ("accepted.json", "accepted"),
        )
        return next((stage for name, stage in steps if self.has(name)), "offered")

    @property
    def started_boot_s(self) -> float:
        """When it was accepted, on the clock of `clock.boot_s`; sampler and events count from it."""
        return float((self.read("accepted.json") or {}).get("boot_s", 0.0))

    def run_s(self) -> float:
        return round(max(0.0, clock.boot_s() - self.started_boot_s), 3) if self.has("accepted.json") else 0.0

    def ask_to_stop(self, why: str, detail: str = "") -> bool:
        """The first reason is the one that counts; an attempt that has ended is not stopped. True if it is new."""
        if self.has("exit.json"):
            return False
        known = self.read("stop.json")
        if known and not _is_stronger(why, str(known.get("why"))):
            return False
        self.write("stop.json", {"why": why, "detail": detail, "boot_s": clock.boot_s(), "boot_id": clock.boot_id()})
        durable.crash_at("stop_written")
        return True

    def note(self, text: str) -> None:
        """A line of the agent's own in the log."""
        with contextlib.suppress(OSError):
            durable.append(self["raw.log"], f"[agent] {text}\n".encode())

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        durable.sync_folder(self.path.parent)


def _is_stronger(why: str, known: str) -> bool:
    """To be killed at once outdoes a polite stop."""
    return why == "kill" and known != "kill"


class Home:
    """The agent's own folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def prepare(self) -> None:
        for folder in (self.path, self.path / "attempts", self.path / "orphaned"):
            durable.make_folder(folder)

    def take(self) -> None:
        """Raises HomeIsTaken while another process has it. The lock goes with the process, however that ends."""
        self.prepare()
        self._lock = os.open(self.path / "instance.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            raise HomeIsTaken(f"another agent runs from {self.path}") from None

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def instance_id(self) -> str:
        """Made once: only a copy of this folder has the same."""
        path = self.path / "instance_id"
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        durable.write(path, os.urandom(16).hex().encode())
        return path.read_text()

    def site(self) -> dict[str, Any]:
        """Raises NotEnrolled."""
        found = durable.read_json(self.path / "site.json")
        if found is None or not (self.path / "token").exists():
            raise NotEnrolled(f"{self.path} is not connected to a site: lem-agent enroll URL CODE")
        return found

    @property
    def token(self) -> str:
        """Read anew each time: an operator may have put another one there. Raises NotEnrolled."""
        try:
            return (self.path / "token").read_text().strip()
        except FileNotFoundError:
            raise NotEnrolled(f"{self.path} holds no token") from None

    def enrol(self, url: str, agent: str, token: str) -> None:
        self.prepare()
        durable.write_json(self.path / "site.json", {"url": url, "agent": agent})
        self.replace_token(token)

    def replace_token(self, token: str) -> None:
        """The old one is kept for the mask: it may stand in a log."""
        with contextlib.suppress(NotEnrolled):
            durable.append(self.path / "old-tokens", self.token.encode() + b"\n")
        durable.write(self.path / "token", token.encode())

    def secrets(self) -> list[str]:
        """What must never leave in a log."""
        found: list[str] = []
        for name in ("token", "old-tokens", "hf_token"):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found += (self.path / name).read_text().split()
        return found

    def attempts(self) -> list[AttemptFolder]:
        """Those with an offer; a folder without one is of a crash before anything was promised."""
        folders = (AttemptFolder(path) for path in sorted((self.path / "attempts").iterdir()) if path.is_dir())
        return [folder for folder in folders if folder.has("offer.json")]

    def attempt(self, offer: Offer) -> AttemptFolder:
        return AttemptFolder(self.path / "attempts" / offer.id)

    def add_attempt(self, offer: Offer, claim_id: str) -> AttemptFolder:
        folder = self.attempt(offer)
        durable.make_folder(folder.path)
        folder.write("claim.json", {"claim_id": claim_id})
        durable.write(folder["config.yaml"], offer.config.encode())
        durable.make_folder(folder["out"])
        durable.write(folder["offer.json"], offer.model_dump_json().encode())
        return folder

    def orphan(self, folder: AttemptFolder) -> None:
        """Kept for the operator: the site does not know the attempt."""
        goal = self.path / "orphaned" / folder.id
        with contextlib.suppress(FileNotFoundError):
            folder.path.rename(goal)
        durable.sync_folder(goal.parent)
        durable.sync_folder(self.path / "attempts")

    def claim_id(self) -> str:
        """The id of the next claim: on disk before it is sent, and the same until an offer has come of it."""
        path = self.path / "claim.json"
        known = durable.read_json(path)
        if known and isinstance(known.get("claim_id"), str):
            return str(known["claim_id"])
        claim_id = os.urandom(16).hex()
        with _room_made(self.path):
            durable.write_json(path, {"claim_id": claim_id, "at": clock.utc_now()})
        return claim_id

    def drop_answered_claim(self) -> None:
        """An id that has an offer is spent; a crash may have come before it was dropped."""
        known = durable.read_json(self.path / "claim.json")
        answered = [(folder.read("claim.json") or {}).get("claim_id") for folder in self.attempts()]
        if known and known["claim_id"] in answered:
            self.drop_claim()

    def drop_claim(self) -> None:
        durable.remove(self.path / "claim.json")

    def note_start(self, attempt_id: str, pid: int) -> None:
        line = {"attempt": attempt_id, "pid": pid, "boot_id": clock.boot_id(), "at": clock.utc_now()}
        durable.append(self.path / "started.log", json.dumps(line).encode() + b"\n")

    def free_mib(self) -> int:
        return shutil.disk_usage(self.path).free >> 20

    def fill_ballast(self) -> None:
        """Room that is given back when the disk is full, so that what happened can still be written."""
        path = self.path / "ballast"
        if path.exists() or self.free_mib() < 4 * (BALLAST_BYTES >> 20):
            return
        with contextlib.suppress(OSError), path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)

    def forget_old(self, keep_s: float) -> None:
        """Attempts whose verdict is older, and what a crash has left of offers that never came to be."""
        for path in (self.path / "attempts").iterdir():
            if not (path / "offer.json").exists() and time.time() - path.stat().st_mtime > keep_s:
                AttemptFolder(path).remove()
        for folder in self.attempts():
            with contextlib.suppress(OSError):
                if time.time() - folder["verdict.json"].stat().st_mtime > keep_s:
                    folder.remove()


@contextlib.contextmanager
def _room_made(home: Path) -> Iterator[None]:
    """On a full disk the ballast goes; the caller's next try has room. Raises the OSError all the same."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            (home / "ballast").unlink(missing_ok=True)
        raise
