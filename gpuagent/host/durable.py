"""Files that survive a crash of the program and of the machine, and the points at which tests crash the program."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CRASH_VARIABLE = "LEM_AGENT_CRASH_AT"
KILLED = 137


def crash_at(point: str) -> None:
    """Dies here as by SIGKILL when a test has asked for it."""
    if os.environ.get(CRASH_VARIABLE) == point:
        sys.stderr.flush()
        os._exit(KILLED)


def sync_folder(folder: Path) -> None:
    """Without this, a crash of the machine could forget the names of files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """The whole new content or the whole old one, whatever happens in between; on the disk on return."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    write(path, json.dumps(value, allow_nan=False).encode())


def append(path: Path, content: bytes) -> None:
    """Added at the end in one piece, and on the disk on return."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in the file; None where there is no file or none that this program wrote."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.parent)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """The whole lines from `offset` on, each with the place behind it. What a crash has cut is not given out."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset
