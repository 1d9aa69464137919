"""Uploaded archives, read entry by entry: no name is used as a path, and bytes are counted while they unpack."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

MAX_ENTRIES = 400
MAX_ENTRY_BYTES = 64 << 20
MAX_TOTAL_BYTES = 256 << 20
MAX_RATIO = 100
#: below this size a high ratio is only a very regular small file
RATIO_FREE_BYTES = 1 << 20
MAX_NAME = 255
MAX_DIRECTORY_BYTES = 512 << 10

_CHUNK = 64 << 10
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_START = b"\x1f\x8b"
_OTHER_ARCHIVES = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)
_DRIVE = re.compile(r"[A-Za-z]:")
_JUNK = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
#: everything that zipfile, tarfile and zlib raise on damaged input
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
)


class BadArchive(ValueError):
    """The upload cannot be unpacked; the message is one plain sentence that names the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an upload. `path` names it in messages and groups it by folder; it is never opened."""

    path: str
    content: bytes


def unpack(name: str, stream: BinaryIO, *, max_entries: int = MAX_ENTRIES) -> list[Entry]:
    """Return the files of one upload: those of a zip, tar or tar.gz, else the upload itself.

    What it is, is seen from its bytes, not from its name. Raises BadArchive for links, absolute names, '..',
    archives in archives, a name given twice, and anything over the limits above.
    """
    name = "".join(character if character.isprintable() else "?" for character in name)[-MAX_NAME:]
    start = _peek(stream, 512)
    try:
        return list(_entries(name, stream, start, max_entries))
    except BadArchive:
        raise
    except _DAMAGE:
        raise BadArchive(f"{name} is damaged or cut off: it could not be unpacked.") from None


def unpack_all(files: Iterable[tuple[str, BinaryIO]], *, max_entries: int = MAX_ENTRIES) -> list[Entry]:
    """Return the files of several uploads; where there are several, each archive's files lie in a folder of its own."""
    uploads = list(files)
    _refuse_same_names([name for name, _ in uploads])
    found: list[Entry] = []
    for name, stream in uploads:
        entries = unpack(name, stream, max_entries=max_entries)
        is_single = len(entries) == 1 and entries[0].path in (name, name.removesuffix(".gz"))
        if len(uploads) > 1 and not is_single:
            entries = [Entry(f"{name}/{entry.path}", entry.content) for entry in entries]
        found += entries
        if len(found) > max_entries or sum(len(entry.content) for entry in found) > MAX_TOTAL_BYTES:
            raise BadArchive(f"The files hold more than {max_entries} entries or {MAX_TOTAL_BYTES >> 20} MiB together.")
    return found


def _refuse_same_names(names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadArchive(f"{twice} is the name of two files: send a zip, which keeps their folders, or rename one.")


def _entries(name: str, stream: BinaryIO, start: bytes, max_entries: int) -> Iterator[Entry]:
    names = _Names(name, max_entries)
    if start.startswith(_ZIP_STARTS):
        return _zip_entries(names, stream)
    if start.startswith(_GZIP_START):
        return _gzip_entries(names, stream)
    if _is_tar(start):
        return _tar_entries(names, _Counted(name, stream, free_of_ratio=True, max_entries=max_entries))
    for magic, what in _OTHER_ARCHIVES:
        if start.startswith(magic):
            raise BadArchive(f"{name} is {what}; send a zip, tar or tar.gz instead.")
    return iter([Entry(name, _read_all(name, stream))])


def _peek(stream: BinaryIO, size: int) -> bytes:
    start = stream.read(size)
    stream.seek(0)
    return start


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def _read_all(name: str, stream: BinaryIO) -> bytes:
    content = stream.read(MAX_ENTRY_BYTES + 1)
    if len(content) > MAX_ENTRY_BYTES:
        raise BadArchive(f"{name} is larger than {MAX_ENTRY_BYTES >> 20} MiB.")
    return content


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Names:
    """The names of one archive: each one safe, none twice."""

    def __init__(self, archive: str, max_entries: int) -> None:
        self.archive = archive
        self.max_entries = max_entries
        self.count = 0
        self.seen: set[str] = set()

    def accept(self, raw: str, *, is_folder: bool) -> str | None:
        """Return the name with plain separators, None for an entry to skip, or raise BadArchive."""
        self.count += 1
        if self.count > self.max_entries:
            raise BadArchive(f"{self.archive} has more than {self.max_entries} entries.")
        name = self._plain(raw)
        parts = name.split("/")
        is_junk = "__MACOSX" in parts or parts[-1] in _JUNK or parts[-1].startswith("._")
        if is_folder or is_junk:
            return None
        if not name:
            raise BadArchive(f"{self.archive} has an entry without a name: {raw[:80]!r}.")
        # Two names that a person or a Windows disk reads as one.
        key = unicodedata.normalize("NFKC", name).casefold()
        if key in self.seen:
            raise BadArchive(f"{self.archive} holds the name {name!r} twice.")
        self.seen.add(key)
        return name

    def _plain(self, raw: str) -> str:
        name = raw.replace("\\", "/")
        shown = raw[:80]
        if len(name) > MAX_NAME or not name.isprintable():
            raise BadArchive(f"{self.archive} has an entry whose name is too long or not printable: {shown!r}.")
        if name.startswith("/") or _DRIVE.match(name):
            raise BadArchive(f"{self.archive} has an entry with an absolute path: {shown!r}.")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise BadArchive(f"{self.archive} has an entry that leaves its folder with '..': {shown!r}.")
        return "/".join(parts)

    def refuse_link(self, name: str) -> None:
        raise BadArchive(f"{self.archive} has an entry that is a link or a device, not a file: {name[:80]!r}.")


def _refuse_nested(archive: str, name: str, content: bytes) -> None:
    starts = (*_ZIP_STARTS, _GZIP_START, *(magic for magic, _ in _OTHER_ARCHIVES))
    if content.startswith(starts) or _is_tar(content[:512]):
        raise BadArchive(f"{archive} has an archive inside it: {name!r}; unpack it first.")


def _zip_entries(names: _Names, stream: BinaryIO) -> Iterator[Entry]:
    archive = names.archive
    _check_zip_directory(archive, stream, names.max_entries)
    total = 0
    with zipfile.ZipFile(stream) as opened:
        for info in opened.infolist():
            name = names.accept(info.orig_filename, is_folder=info.orig_filename.endswith("/"))
            if stat.S_ISLNK(info.external_attr >> 16):
                names.refuse_link(info.filename)
            if name is None:
                continue
            if info.flag_bits & 1:
                raise BadArchive(f"{archive} is protected with a password; send it without one.")
            with opened.open(info) as member:
                packed = max(info.compress_size, 1)
                content = _read_member(archive, name, member, packed=packed, left=MAX_TOTAL_BYTES - total)
            total += len(content)
            _refuse_nested(archive, name, content)
            yield Entry(name, content)


def _check_zip_directory(archive: str, stream: BinaryIO, max_entries: int) -> None:
    """Look at the end record before zipfile builds an object for each of what may be a million entries."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - (1 << 16) - 42))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise BadArchive(f"{archive} is damaged or cut off: it could not be unpacked.")
    count, directory_bytes = struct.unpack("<HI", tail[at + 10 : at + 16])
    has_zip64 = tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")
    if count > max_entries or directory_bytes > MAX_DIRECTORY_BYTES or has_zip64:
        raise BadArchive(f"{archive} has more than {max_entries} entries.")


def _read_member(archive: str, name: str, member: _Readable, *, packed: int, left: int) -> bytes:
    """Read in pieces and count: the sizes that an archive states about itself are not believed."""
    parts: list[bytes] = []
    size = 0
    while piece := member.read(_CHUNK):
        size += len(piece)
        if size > MAX_ENTRY_BYTES:
            raise BadArchive(f"{archive} has an entry larger than {MAX_ENTRY_BYTES >> 20} MiB: {name!r}.")
        if size > left:
            raise BadArchive(f"{archive} unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB.")
        if size > RATIO_FREE_BYTES and size > packed * MAX_RATIO:
            raise BadArchive(f"{archive} has an entry packed more than {MAX_RATIO} times: {name!r}.")
        parts.append(piece)
    return b"".join(parts)


class _Counted(io.RawIOBase):
    """A stream that stops a decompression bomb, in tar's own headers too."""

    def __init__(
        self,
        archive: str,
        stream: BinaryIO | gzip.GzipFile,
        *,
        packed: int = 0,
        free_of_ratio: bool = False,
        max_entries: int = MAX_ENTRIES,
    ):
        self.archive = archive
        self.stream = stream
        self.limit = MAX_TOTAL_BYTES + max_entries * 4096
        self.ratio_limit = self.limit if free_of_ratio else max(RATIO_FREE_BYTES, packed * MAX_RATIO)
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = _CHUNK if size is None or size < 0 else min(size, _CHUNK)
        piece = self.stream.read(wanted)
        self.size += len(piece)
        if self.size > self.limit:
            raise BadArchive(f"{self.archive} unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB.")
        if self.size > self.ratio_limit:
            raise BadArchive(f"{self.archive} is packed more than {MAX_RATIO} times.")
        return piece


def _gzip_entries(names: _Names, stream: BinaryIO) -> Iterator[Entry]:
    archive = names.archive
    packed = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    with gzip.GzipFile(fileobj=stream) as opened:
        start = opened.read(512)
        opened.rewind()
        counted = _Counted(archive, opened, packed=packed, max_entries=names.max_entries)
        if _is_tar(start):
            yield from _tar_entries(names, counted)
            return
        name = archive.removesuffix(".gz")
        content = _read_member(archive, name, counted, packed=packed, left=MAX_TOTAL_BYTES)
        _refuse_nested(archive, name, content)
        yield Entry(name, content)


def _tar_entries(names: _Names, stream: _Counted) -> Iterator[Entry]:
    archive = names.archive
    total = 0
    with tarfile.open(fileobj=stream, mode="r|") as opened:
        for member in opened:
            if not (member.isfile() or member.isdir()) or member.issparse():
                names.refuse_link(member.name)
            name = names.accept(member.name, is_folder=member.isdir())
            file = opened.extractfile(member)
            if name is None or file is None:
                continue
            content = _read_member(archive, name, file, packed=MAX_ENTRY_BYTES, left=MAX_TOTAL_BYTES - total)
            total += len(content)
            _refuse_nested(archive, name, content)
            yield Entry(name, content)
