"""Keeps messages on disk while the site is away: one append-only file per run, each message on a line."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

MAX_SPOOL_BYTES = 256 * 1024 * 1024
SUFFIX = ".jsonl"


def default_folder() -> Path:
    """$LEM_SPOOL, or where programs keep what should outlive them. Raises RuntimeError where there is no home."""
    if given := os.environ.get("LEM_SPOOL"):
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "gpuagent" / "spool"


class Spool:
    """Messages in the order of their arrival; read from the front, dropped once they are acknowledged.

    What was read but not dropped before a crash is read again: sending twice is harmless, losing is not. The lock on
    the file tells a later process whether the one that wrote it is still there.
    """

    def __init__(self, path: Path, url: str, max_bytes: int = MAX_SPOOL_BYTES) -> None:
        self.path = path
        self._header = json.dumps({"url": url}).encode() + b"\n"
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None
        self._offset = self._size = 0
        #: lines that a crash had cut
        self.damaged = 0

    @property
    def is_empty(self) -> bool:
        return self._offset >= self._size

    def append(self, lines: Iterable[bytes]) -> None:
        """Store the messages; they are on the disk on return. Raises OSError, also for a spool that is full."""
        data = b"".join(line + b"\n" for line in lines)
        if self._size + len(data) > self._max_bytes:
            raise OSError(f"the spool has reached {self._max_bytes} bytes")
        file = self._file or self._create()
        file.seek(self._size)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            # Half a line must not run into the next one.
            with suppress(OSError):
                file.truncate(self._size)
            raise
        self._size += len(data)

    def read(self, limit: int) -> tuple[list[bytes], int]:
        """Up to `limit` messages from the front, and the place to give to `drop` once they are acknowledged."""
        lines: list[bytes] = []
        place = self._offset
        if self._file:
            self._file.seek(place)
            while len(lines) < limit and (line := self._file.readline()):
                place += len(line)
                if _is_message(line):
                    lines.append(line.rstrip(b"\n"))
                else:
                    self.damaged += 1
        return lines, place

    def drop(self, place: int) -> None:
        self._offset = place
        if self._file and self.is_empty:
            self._file.truncate(len(self._header))
            self._offset = self._size = len(self._header)

    def close(self) -> None:
        """A file without messages goes; one with messages stays for the next start."""
        if self._file is None:
            return
        if self.is_empty:
            self.path.unlink(missing_ok=True)
        self._file.close()
        self._file = None

    def _create(self) -> IO[bytes]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file = os.fdopen(descriptor, "r+b")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(self._header)
        self._file = file
        self._offset = self._size = len(self._header)
        _sync_folder(self.path.parent)
        return file

    @classmethod
    def left_behind(cls, folder: Path, url: str) -> Iterator[Spool]:
        """Spools for this site whose process is gone, oldest first. Whoever gets one holds its lock."""
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            with suppress(OSError):
                spool = cls(path, url)
                if spool._take():
                    yield spool

    def _take(self) -> bool:
        file = self.path.open("r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have sent and removed it between the listing and the lock.
            is_ours = file.readline() == self._header and os.fstat(file.fileno()).st_nlink == 1
        except OSError:
            is_ours = False
        if not is_ours:
            file.close()
            return False
        self._file, self._offset = file, len(self._header)
        self._size = os.fstat(file.fileno()).st_size
        return True


def _is_message(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _sync_folder(folder: Path) -> None:
    """Without this, a crash of the machine could forget the file's name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
