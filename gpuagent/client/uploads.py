"""What is handed over for an upload, as parts of a form: files, bytes, dicts; a folder becomes one zip."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gpuagent.client.errors import LemError

Source = str | os.PathLike[str] | bytes | dict[str, Any] | list[dict[str, Any]]
#: the moment that zips begin with: the same files make the same bytes
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class NothingToSend(LemError):
    """A source that is not there, or holds no file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the form."""

    name: str
    content: bytes | Path | IO[bytes]

    def close(self) -> None:
        """A zip that was made for this goes."""
        if not isinstance(self.content, (bytes, Path)):
            self.content.close()


def parts_of(sources: Sequence[Source]) -> list[Part]:
    """Several files travel one by one, folders and files of the same name as one zip with their paths."""
    if not sources:
        raise NothingToSend("Nothing to upload: give files, folders, bytes or dicts.")
    paths = [Path(one) for one in sources if isinstance(one, (str, os.PathLike))]
    values = [one for one in sources if not isinstance(one, (str, os.PathLike))]
    parts = [_value_part(value, place) for place, value in enumerate(values, start=1)]
    for path in paths:
        if not path.exists():
            raise NothingToSend(f"There is no file or folder {path}.")
    if any(path.is_dir() for path in paths) or len({path.name for path in paths}) < len(paths):
        return [*parts, _zipped(paths)]
    return [*parts, *(Part(path.name, path) for path in paths)]


def _value_part(value: bytes | dict[str, Any] | list[dict[str, Any]], place: int) -> Part:
    if isinstance(value, bytes):
        ending = "zip" if value.startswith(b"PK") else "json" if value.lstrip()[:1] in {b"{", b"["} else "csv"
        return Part(f"upload-{place}.{ending}", value)
    return Part(f"result-{place}.json", json.dumps(value, allow_nan=False).encode())


def _zipped(paths: Sequence[Path]) -> Part:
    """Names are relative to the folder that all of them have in common."""
    absolute = [path.resolve() for path in paths]
    common = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in absolute]))
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - it is sent, and gone with the part
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted({file for path in absolute for file in _files(path)}):
            info = zipfile.ZipInfo(file.relative_to(common).as_posix(), _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            with file.open("rb") as source, archive.open(info, "w") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
        is_empty = not archive.namelist()
    if is_empty:
        stream.close()
        raise NothingToSend(f"{paths[0]} holds no file.")
    return Part(f"{common.name or 'upload'}.zip", stream)


def _files(path: Path) -> Iterable[Path]:
    """All but hidden ones, and none that a link leads to."""
    if path.is_file():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file() and not file.is_symlink():
                yield file
