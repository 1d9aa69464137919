"""What an attempt says, as it will leave the host: its log masked and limited, its events numbered.

Both are made from what the process wrote, and made again from its beginning after a restart, with the same outcome.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gpuagent.host import durable
from gpuagent.host.folders import AttemptFolder
from gpuagent.host.masking import Mask

PIECE = 1 << 20
#: of the whole log: so much from its beginning, and nearly all of the rest from its end
HEAD_SHARE = 0.75
MARKER_ROOM = 200
MAX_EVENT_BYTES = 64 * 1024
MAX_TYPE = 20

Secrets = Callable[[], list[str]]


class LogSpool:
    """raw.log to out.log. Not more than `total` bytes leave: beyond that the middle is left out, and a line says so."""

    def __init__(self, folder: AttemptFolder, secrets: Secrets, total: int) -> None:
        self._raw, self._out = folder["raw.log"], folder["out.log"]
        self._secrets = secrets
        self._mask = Mask(secrets())
        self._head = int(total * HEAD_SHARE)
        self._tail_room = max(0, total - self._head - MARKER_ROOM)
        self._tail = bytearray()
        self._left_out = 0
        self._read = self._made = 0
        #: what an earlier process has written already
        self._there = self._out.stat().st_size if self._out.exists() else 0

    @property
    def read_bytes(self) -> int:
        """How much the process has printed, as far as this has seen it."""
        return self._read

    def pump(self, *, last: bool = False) -> None:
        self._mask.learn(self._secrets())
        for piece in self._pieces():
            self._take(self._mask.feed(piece))
        if last:
            self._take(self._mask.feed(b"", last=True))
            self._append_tail()
            sync_file(self._out)

    def _pieces(self) -> Iterator[bytes]:
        try:
            file = self._raw.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._read)
            while piece := file.read(PIECE):
                self._read += len(piece)
                yield piece

    def _take(self, masked: bytes) -> None:
        room = max(0, self._head - self._made)
        self._emit(masked[:room])
        if rest := masked[room:]:
            self._tail += rest
            if (over := len(self._tail) - self._tail_room) > 0:
                del self._tail[:over]
                self._left_out += over

    def _append_tail(self) -> None:
        if self._left_out:
            self._emit(f"\n[agent] {self._left_out} bytes of the log were left out here\n".encode())
        self._emit(bytes(self._tail))
        self._tail.clear()

    def _emit(self, content: bytes) -> None:
        known = max(0, min(len(content), self._there - self._made))
        self._made += len(content)
        if new := content[known:]:
            with self._out.open("ab") as file:
                file.write(new)


class EventSpool:
    """progress.jsonl, and what the agent itself has to tell, to events.ndjson: one number each, without gaps."""

    def __init__(self, folder: AttemptFolder, secrets: Secrets) -> None:
        self._folder, self._secrets = folder, secrets
        self._progress, self._out = folder["progress.jsonl"], folder["events.ndjson"]
        self._read = self.seq = 0
        self.newest_step: dict[str, Any] = {}
        self.is_ready = False
        whole = 0
        for line, end in durable.lines(self._out):
            event = json.loads(line)
            self._read, self.seq, whole = event["read"], event["seq"], end
            self._notice(event)
        if self._out.exists():
            # Half an event of a crash.
            os.truncate(self._out, whole)

    @property
    def read_bytes(self) -> int:
        return self._read

    def pump(self) -> None:
        mask = Mask(self._secrets())
        for line, end in durable.lines(self._progress, self._read):
            self._read = end
            if (told := _event(mask.feed(line, last=True))) is not None:
                self._add(*told)

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """An event of the agent's own."""
        self._add(kind, data)

    def _add(self, kind: str, data: dict[str, Any]) -> None:
        event = {"seq": self.seq + 1, "t": self._folder.run_s(), "type": kind, "data": data, "read": self._read}
        with self._out.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")
        self.seq += 1
        self._notice(event)

    def _notice(self, event: dict[str, Any]) -> None:
        if event["type"] == "step":
            self.newest_step = event["data"]
        elif event["type"] == "ready":
            self.is_ready = True


def _event(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """What a program told, if it is {"type", "data"} and of a size; a program that writes something else is ignored."""
    if len(line) > MAX_EVENT_BYTES:
        return None
    try:
        told = json.loads(line, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(kind := told.get("type"), str) or not kind:
        return None
    data = told.get("data", {})
    return (kind[:MAX_TYPE], data) if isinstance(data, dict) else None


def _not_a_number(name: str) -> float:
    raise ValueError(name)


def events_from(folder: AttemptFolder, seq: int, limit: int) -> list[dict[str, Any]]:
    """At most so many events from this number on, as the site takes them."""
    found: list[dict[str, Any]] = []
    for line, _ in durable.lines(folder["events.ndjson"]):
        event = json.loads(line)
        if event["seq"] >= seq:
            found.append({name: event[name] for name in ("seq", "t", "type", "data")})
        if len(found) == limit:
            break
    return found


def sync_file(path: Path) -> None:
    """What is sent must not be forgotten by a crash of the machine."""
    if path.exists():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def size_and_sha256(path: Path) -> tuple[int, str]:
    """Of a file that may not be there, which is an empty one."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return 0, hashlib.sha256().hexdigest()
