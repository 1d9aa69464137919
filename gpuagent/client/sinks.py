"""Where a download goes: a file that is there whole or not at all, or an open one."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gpuagent.client.errors import Damaged

Destination = str | os.PathLike[str] | IO[bytes]


@dataclass(frozen=True, slots=True)
class Download:
    """A file that has arrived; `path` is None where it went to an open file."""

    path: Path | None
    size_bytes: int
    sha256: str


class Sink:
    """Counts and digests what goes through. With a path, the name appears only when all is there."""

    def __init__(self, to: Destination) -> None:
        self._path = Path(to) if isinstance(to, (str, os.PathLike)) else None
        self._beside = self._path and self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part")
        self._file: IO[bytes] | None = None if isinstance(to, (str, os.PathLike)) else to
        self._begin = 0 if self._path else _place(to)
        self._digest, self._size = hashlib.sha256(), 0

    def restart(self) -> None:
        """Begin anew, for a second try. Raises Damaged where what was written cannot be taken back."""
        if self._beside and not self._file:
            self._file = self._beside.open("xb")
        if self._size and self._file:
            if self._begin is None:
                raise Damaged("The download broke off, and what came went into a pipe: begin again.")
            self._file.seek(self._begin)
            self._file.truncate()
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        if self._file:
            self._file.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)

    def finish(self, sha256: str = "") -> Download:
        """Raises Damaged where it is not what it should be; then there is no file."""
        found = self._digest.hexdigest()
        if sha256 and sha256.lower() != found:
            raise Damaged(f"The download has SHA-256 {found} and should have {sha256.lower()}.")
        if self._path and self._beside and self._file:
            self._file.close()
            self._beside.replace(self._path)
        return Download(self._path, self._size, found)

    def abandon(self) -> None:
        """Leaves nothing behind beside a path; after `finish` there is nothing to do."""
        if self._beside and self._file:
            self._file.close()
            with suppress(OSError):
                self._beside.unlink()


def _place(to: object) -> int | None:
    try:
        return int(to.tell())  # type: ignore[attr-defined]  # some open files have no place
    except (OSError, AttributeError):
        return None
