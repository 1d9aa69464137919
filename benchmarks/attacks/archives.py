"""Archives that climb, grow, lie or repeat."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import Stage

#: a result that is read, so that an archive is refused for what it is
GOOD = json.dumps({"model": "org/model-8b", "hardware": "h100", "output_tokens": 640, "total_energy_j": 228.0}).encode()
NAMES = (
    "../../etc/cron.d/x", "/etc/passwd", "C:\\Windows\\x.json", "..\\..\\x.json", "a/../../b.json",
    "\\\\host\\share\\x",
    "a\x00.json", "a\nb.json", "\u202ejson.exe", "a" * 70_000, "e\u0301.json", "é.json", "./x.json", "a//b.json", " ",
    ".", "..", "", "CON", "a:b.json", "~/.ssh/authorized_keys", "-rf", "%2e%2e/x", "..%2fx", "x.json\\",
    "／etc／passwd",
)  # fmt: skip


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name[:65_000], method
            archive.writestr(info, content)
    return stream.getvalue()


def tarred(*members: tuple[str, bytes, bytes], mode: str = "w") -> bytes:
    """Members are (name, content, type of tarfile)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=tarfile.GNU_FORMAT) as archive:  # type: ignore[call-overload]  # the mode is no literal
        for name, content, kind in members:
            info = tarfile.TarInfo(name[:5_000])
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _linked() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("result.json")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return stream.getvalue()


def _patched(archive: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The archive with bytes changed at so far behind the first header of this kind."""
    place = archive.find(signature) + offset
    return archive[:place] + value + archive[place + len(value) :]


def _overlapping() -> bytes:
    """Many directory entries that all point to one file, as in zip bombs without recursion."""
    one = zipped(("a.json", b"0" * 5_000_000))
    start = one.find(b"PK\x01\x02")
    end = one.find(b"PK\x05\x06")
    entries = b"".join(one[start:end].replace(b"a.json", b"%06d" % number) for number in range(300))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 300, 300, len(entries), start, 0)
    return one[:start] + entries + tail


def _archives() -> dict[str, Callable[[], bytes]]:
    good = zipped(("result.json", GOOD))
    zeros = b"\x00" * (80 << 20)
    file, link, device = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE
    found: dict[str, Callable[[], bytes]] = {
        "ratio": lambda: zipped(("a.json", b"\x00" * (30 << 20))),
        "entry too large": lambda: zipped(("a.json", zeros)),
        "nested": lambda: zipped(("inner.zip", good)),
        "nested in tar": lambda: tarred(("inner.zip", good, file)),
        "many": lambda: zipped(*((f"{number}.json", b"{}") for number in range(3_000))),
        "same name": lambda: zipped(("a.json", GOOD), ("a.json", GOOD)),
        "same name in another case": lambda: zipped(("a.json", GOOD), ("A.JSON", GOOD)),
        "same name in another form": lambda: zipped(("é.json", GOOD), ("e\u0301.json", GOOD)),
        "overlapping": _overlapping,
        "link": _linked,
        "encrypted": lambda: _patched(_patched(good, b"PK\x03\x04", 6, b"\x01"), b"PK\x01\x02", 8, b"\x01"),
        "size says less": lambda: _patched(good, b"PK\x01\x02", 24, b"\x01\x00\x00\x00"),
        "size says more": lambda: _patched(good, b"PK\x01\x02", 24, b"\xff\xff\xff\x7f"),
        "wrong checksum": lambda: _patched(good, b"PK\x01\x02", 16, b"\x00\x00\x00\x00"),
        "odd method": lambda: _patched(_patched(good, b"PK\x03\x04", 8, b"\x63"), b"PK\x01\x02", 10, b"\x63"),
        "count says more": lambda: _patched(good, b"PK\x05\x06", 8, b"\xff\xff\xff\xff"),
        "directory elsewhere": lambda: _patched(good, b"PK\x05\x06", 16, b"\xff\xff\xff\x00"),
        "bzip2 inside": lambda: zipped(("a.json", GOOD), method=zipfile.ZIP_BZIP2),
        "lzma inside": lambda: zipped(("a.json", GOOD), method=zipfile.ZIP_LZMA),
        "lzma bomb inside": lambda: zipped(("a.json", zeros), method=zipfile.ZIP_LZMA),
        "cut": lambda: good[: len(good) // 2],
        "only an end": lambda: b"PK\x05\x06" + b"\x00" * 18,
        "comment": lambda: good + b"x" * 70_000,
        "before it": lambda: b"x" * 1_000 + good,
        "gzip bomb": lambda: gzip.compress(zeros),
        "gzip in gzip": lambda: gzip.compress(gzip.compress(GOOD)),
        "gzip cut": lambda: gzip.compress(GOOD)[:-9],
        "gzip with rubbish behind": lambda: gzip.compress(GOOD) + b"rubbish",
        "two gzips": lambda: gzip.compress(GOOD) * 2,
        "tar link": lambda: tarred(("a.json", b"", link)),
        "tar device": lambda: tarred(("a.json", b"", device)),
        "tar pipe": lambda: tarred(("a.json", b"", tarfile.FIFOTYPE)),
        "tar bomb": lambda: tarred(("a.json", zeros, file), mode="w:gz"),
        "tar same name": lambda: tarred(("a.json", GOOD, file), ("a.json", GOOD, file)),
        "tar cut": lambda: tarred(("a.json", GOOD, file))[:700],
        "tar size": lambda: _patched(tarred(("a.json", GOOD, file)), b"a.json", 124, b"77777777777"),
        "tar negative size": lambda: _patched(tarred(("a.json", GOOD, file)), b"a.json", 124, b"-0000000001"),
        "tar of base 256": lambda: _patched(tarred(("a.json", GOOD, file)), b"a.json", 124, b"\x80" + b"\xff" * 10),
        "sparse tar": lambda: tarred(("a.json", b"", tarfile.GNUTYPE_SPARSE)),
        "7z": lambda: b"7z\xbc\xaf\x27\x1c" + b"\x00" * 100,
        "rar": lambda: b"Rar!\x1a\x07" + b"\x00" * 100,
        "xz": lambda: lzma.compress(GOOD),
        "bz2": lambda: bz2.compress(GOOD),
        "Parquet": lambda: b"PAR1" + b"\xff" * 500 + b"PAR1",
        "SQLite": lambda: b"SQLite format 3\x00" + b"\xff" * 5_000,
    }
    for place, name in enumerate(NAMES):
        found[f"zip name {place}"] = partial(zipped, (name, GOOD))
        found[f"tar name {place}"] = partial(tarred, (name.replace("\x00", "_"), GOOD, file))
    return found


ARCHIVES = _archives()
#: small and quick to make, for where there is little time
SMALL = tuple(
    name for name in ARCHIVES if "bomb" not in name and name not in ("ratio", "entry too large", "overlapping")
)


def archives(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Each archive as a body, as a form's file, and with bytes changed at random."""
    made: dict[str, bytes] = {}
    names = list(ARCHIVES) if count >= len(ARCHIVES) else dice.sample(SMALL, min(count, len(SMALL)))
    for number in range(count):
        name = names[number % len(names)]
        body = made[name] if name in made else made.setdefault(name, ARCHIVES[name]())
        if number >= len(names) and len(body) < 1 << 20:
            body = garbled(dice, body)
        kind = (
            "application/gzip"
            if body.startswith(b"\x1f\x8b")
            else dice.choice(("application/zip", "application/x-tar"))
        )
        yield Attack("POST", "/api/benchmarks", "person", body, {"Content-Type": kind})


def garbled(dice: random.Random, body: bytes) -> bytes:
    """A few bytes changed, or the end cut off."""
    if dice.random() < 0.2:
        return body[: dice.randrange(len(body) + 1)]
    changed = bytearray(body)
    for _ in range(dice.randint(1, 8)):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)
