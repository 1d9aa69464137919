"""The two files of an attempt's telemetry: one sample a second to show, ten a second to keep.

`telemetry-live.ndjson`: a line a second, numbered from 1, {"seq", "t", "gpu": [{"uuid", "power_w", …}]}.
`telemetry.ndjson.gz`: a header, then a line each 100 ms, {"t", "unix", "gpu": [[…], …]}, one list per GPU in the order
of the header, with its columns. `t` is in seconds since the sampling began and survives clock steps; `unix` is the
host's clock. Lines with "edge", "fault" or "note" stand between. A null is what the driver did not tell.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from gpuagent.gpu.source import Sample

LIVE = "telemetry-live.ndjson"
FULL = "telemetry.ndjson.gz"
FORMAT = "gpuagent-telemetry"
VERSION = 1
COLUMNS = Sample._fields
LIVE_PERIOD_MS = 1000

_GZIP = 31
_CHUNK = 1 << 16
#: a flush is a gzip member of its own, so a kill tears at most the newest
_LINES_PER_MEMBER = 50
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Recorder:
    """Appends to both files. After a kill it goes on where the last whole line of each ends."""

    def __init__(self, folder: Path) -> None:
        self._live = open(folder / LIVE, "ab", buffering=0)  # noqa: PTH123, SIM115 - closed by close()
        _cut(folder / LIVE, _whole_lines(folder / LIVE))
        self._full = open(folder / FULL, "ab", buffering=0)  # noqa: PTH123, SIM115 - closed by close()
        _cut(folder / FULL, _whole_members(folder / FULL))
        self._waiting: list[str] = []
        self.seq = last_seq(folder)

    def header(self, header: dict[str, Any]) -> None:
        """Say what the lines mean. A file that goes on gets another one, for the GPUs may have changed their order."""
        self._waiting.append(_encode({"format": FORMAT, "version": VERSION, "columns": COLUMNS, **header}))
        self.flush()

    def keep(self, t: float, unix: float, samples: Sequence[Sequence[Any]]) -> None:
        self._waiting.append(_encode({"t": round(t, 4), "unix": round(unix, 4), "gpu": samples}))
        if len(self._waiting) >= _LINES_PER_MEMBER:
            self.flush()

    def show(self, t: float, gpus: Sequence[dict[str, Any]]) -> None:
        self.seq += 1
        self._live.write(f"{_encode({'seq': self.seq, 't': round(t, 3), 'gpu': gpus})}\n".encode())

    def tell(self, line: dict[str, Any]) -> None:
        """Write something that is no sample to both files, at once."""
        self._live.write(f"{_encode(line)}\n".encode())
        self._waiting.append(_encode(line))
        self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        text = "\n".join(self._waiting) + "\n"
        self._full.write(packer.compress(text.encode()) + packer.flush())
        self._waiting.clear()

    def close(self) -> None:
        self.flush()
        for file in (self._live, self._full):
            os.fsync(file.fileno())
            file.close()


def _cut(path: Path, size: int) -> None:
    if path.stat().st_size != size:
        os.truncate(path, size)


def _whole_lines(path: Path) -> int:
    """Return where the last line that has its end ends."""
    with path.open("rb") as file:
        end = at = file.seek(0, os.SEEK_END)
        while at > 0:
            at = max(0, at - _CHUNK)
            file.seek(at)
            place = file.read(end - at).rfind(b"\n")
            if place >= 0:
                return at + place + 1
            end = at
    return 0


def _whole_members(path: Path) -> int:
    """Return where the last gzip member that is complete ends."""
    whole = 0
    with path.open("rb") as file:
        for _, whole in _members(file):  # noqa: B007 - the last one counts
            pass
    return whole


def _members(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the content and the end of each complete member; what is torn or no gzip ends it."""
    left, at = b"", 0
    while True:
        unpacker, parts = zlib.decompressobj(_GZIP), []
        try:
            while not unpacker.eof:
                piece = left or file.read(_CHUNK)
                if not piece:
                    return
                left = b""
                at += len(piece)
                parts.append(unpacker.decompress(piece))
        except zlib.error:
            return
        left = unpacker.unused_data
        at -= len(left)
        yield b"".join(parts), at


def read_full(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of the ten-a-second file, as far as they are whole. Nothing where there is no file."""
    try:
        with (folder / FULL).open("rb") as file:
            for content, _ in _members(file):
                for line in content.splitlines():
                    yield json.loads(line)
    except FileNotFoundError:
        return


def last_seq(folder: Path) -> int:
    """Return the number of the newest live sample, 0 before the first."""
    newest = latest(folder)
    return newest["seq"] if newest else 0


def latest(folder: Path) -> dict[str, Any] | None:
    """Return the newest live sample: {"seq", "t", "gpu": [{…}]}."""
    found = None
    for line in _tail(folder / LIVE):
        if "seq" in line:
            found = line
    return found


def _tail(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of the end of a live file: some seconds, and what faults came with them."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _CHUNK))
            lines = file.read().splitlines()[1 if size > _CHUNK else 0 :]
    except FileNotFoundError:
        return
    for line in lines:
        if (decoded := _decode(line)) is not None:
            yield decoded


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        decoded = json.loads(line)
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None


def silence_s(folder: Path, *, now: float | None = None) -> float | None:
    """Return for how long the sampler has written nothing: a driver call that hangs shows so. None: not begun."""
    try:
        written = (folder / LIVE).stat().st_mtime
    except FileNotFoundError:
        return None
    return max(0.0, (time.time() if now is None else now) - written)


def faults(folder: Path) -> list[dict[str, Any]]:
    """Return what the sampler found wrong: [{"code", "uuid", "text"}]."""
    return [line["fault"] for line in read_full(folder) if "fault" in line]


class LiveReader:
    """Reads the live samples in batches as the agent protocol has them; it remembers where the last one ended."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LIVE
        self._offset, self._next, self._before = 0, 1, 0

    def batch(self, first_seq: int, limit: int = 600) -> dict[str, Any] | None:
        """Return the samples from this number on in columns, at most `limit`; None where there are none yet.

        A number that is missing in the file gets nulls: the site waits for every number.
        """
        if first_seq < self._next:
            self._offset, self._next = 0, 1
        rows: list[dict[str, Any]] = []
        for line in self._lines():
            seq = line.get("seq", 0)
            if seq < first_seq + len(rows):
                continue
            while len(rows) < limit and first_seq + len(rows) < seq:
                rows.append({"t": line["t"], "gpu": []})
            if len(rows) >= limit:
                # Not taken: the next batch begins with it.
                self._step_back()
                break
            rows.append(line)
            if len(rows) == limit:
                break
        self._next = first_seq + len(rows)
        return _columns(first_seq, rows) if rows else None

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._before, self._offset = self._offset, self._offset + len(line)
                if (decoded := _decode(line)) is not None:
                    yield decoded

    def _step_back(self) -> None:
        self._offset = self._before


def _columns(first_seq: int, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    uuids = list(dict.fromkeys(gpu["uuid"] for row in rows for gpu in row["gpu"]))
    by_uuid = [{gpu["uuid"]: gpu for gpu in row["gpu"]} for row in rows]
    return {
        "first_seq": first_seq,
        "period_ms": LIVE_PERIOD_MS,
        "t": [row["t"] for row in rows],
        "gpu": [
            {"uuid": uuid, **{name: [gpus.get(uuid, {}).get(name) for gpus in by_uuid] for name in COLUMNS}}
            for uuid in uuids
        ],
    }
