"""The files that an attempt made and the site wants. The job could have put anything there: links, devices, names."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader

from gpuagent.host.folders import AttemptFolder

NAME = re.compile(r"[A-Za-z0-9_=+-][A-Za-z0-9._=+-]{0,119}", re.ASCII)
MAX_DEPTH = 12
MAX_SEEN = 20_000
TELEMETRY = "telemetry.ndjson.gz"


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    size: int
    sha256: str

    def as_told(self) -> dict[str, object]:
        return {"name": self.name, "size": self.size, "sha256": self.sha256}


class NotTheFile(Exception):
    """The file is not there any more, or is none that may leave."""


def collect(
    attempt: AttemptFolder, patterns: Sequence[str], *, max_files: int, max_bytes: int
) -> tuple[list[Found], list[str]]:
    """What matches, and a sentence for what had to stay behind. The agent's own record of the GPUs comes first."""
    wanted = [_as_regex(pattern) for pattern in patterns]
    found: list[Found] = []
    left: list[str] = []
    total = 0
    for name in [TELEMETRY, *(path for path in _walk(attempt) if any(each.fullmatch(path) for each in wanted))]:
        try:
            one = describe(attempt, name)
        except NotTheFile as why:
            if name != TELEMETRY:
                left.append(f"{name} stays on the host: {why}.")
            continue
        if len(found) >= max_files or total + one.size > max_bytes:
            left.append(f"{name} stays on the host: the files are more than {max_files} or {max_bytes} bytes.")
            continue
        total += one.size
        found.append(one)
    return found, left


def describe(attempt: AttemptFolder, name: str) -> Found:
    """Raises NotTheFile."""
    with open_inside(attempt, name) as file:
        size = os.fstat(file.fileno()).st_size
        return Found(name, size, hashlib.file_digest(file, "sha256").hexdigest())


def open_inside(attempt: AttemptFolder, name: str) -> BufferedReader:
    """A regular file below the attempt's folder, reached without following a link. Raises NotTheFile."""
    *folders, last = name.split("/")
    at = os.open(attempt.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        # Without blocking: a pipe with the right name would be waited for.
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except OSError as error:
        raise NotTheFile(error.strerror or "it cannot be opened") from None
    finally:
        os.close(at)
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
        os.close(descriptor)
        raise NotTheFile("it is no ordinary file of its own")
    return os.fdopen(descriptor, "rb")


def _walk(attempt: AttemptFolder) -> Iterator[str]:
    """Names of files below out/, links and odd names left aside."""
    seen = 0
    for top, folders, files, _ in os.fwalk(attempt["out"], follow_symlinks=False):
        inside = os.path.relpath(top, attempt.path)
        if inside.count("/") >= MAX_DEPTH:
            folders.clear()
        folders[:] = sorted(name for name in folders if NAME.fullmatch(name))
        for name in sorted(files):
            seen += 1
            if seen > MAX_SEEN:
                return
            if NAME.fullmatch(name):
                yield f"{inside}/{name}"


def _as_regex(pattern: str) -> re.Pattern[str]:
    """`**/` is any number of folders, `*` anything within one name."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    known = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part) or re.escape(part) for part in parts))
