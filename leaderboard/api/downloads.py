"""Files that strangers gave, handed out so that no browser runs them."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable
from typing import IO

from django.http import FileResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from leaderboard.models import RawFile
from leaderboard.services.storing import read_raw_file

MAX_NAME = 120
_ODD = re.compile(r"[^A-Za-z0-9._ -]+")
#: the year that zip files begin with: the same files make the same zip
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class AnyAccept(DefaultContentNegotiation):
    """These endpoints have one form; what a client says it accepts does not matter."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or ""


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
            archive.writestr(zipfile.ZipInfo(raw.name, _ZIP_DATE), read_raw_file(raw), zipfile.ZIP_DEFLATED)
    stream.seek(0)
    return stream
