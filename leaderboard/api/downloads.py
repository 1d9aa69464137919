"""Files that strangers gave, handed out so that no browser runs them."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from typing import IO

from django.http import FileResponse

from leaderboard.models import RawFile
from leaderboard.services.storing import open_raw_file

MAX_NAME = 120
COPIED_TOGETHER = 1 << 20
_ODD = re.compile(r"[^A-Za-z0-9._ -]+")
#: the year that zip files begin with: the same files make the same zip
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def attachment(stream: IO[bytes], name: str) -> FileResponse:
    """A file to save, whatever it holds; `name` may be anything that a stranger chose."""
    plain = _ODD.sub("_", name.rpartition("/")[2])[-MAX_NAME:] or "file"
    response = FileResponse(stream, as_attachment=True, filename=plain, content_type="application/octet-stream")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def zip_of(files: Iterable[RawFile]) -> IO[bytes]:
    """The files in one zip, on disk as soon as it is large."""
    stream = tempfile.SpooledTemporaryFile(max_size=8 << 20)  # noqa: SIM115  the response closes it
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for raw in files:
            entry = zipfile.ZipInfo(raw.name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open_raw_file(raw) as stored, archive.open(entry, "w") as member:
                shutil.copyfileobj(stored, member, COPIED_TOGETHER)
    stream.seek(0)
    return stream
