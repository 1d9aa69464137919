"""What a person does in a browser, and sees there."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client


def text(response: Any) -> str:
    """The page as a reader sees it: no tags, single spaces."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def upload(browser: Client, *files: tuple[str, bytes], **fields: str) -> Any:
    given = [SimpleUploadedFile(name, content) for name, content in files]
    return browser.post("/submit/", {"files": given, **fields})


def archive(*members: tuple[str, bytes]) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members:
            zipped.writestr(name, content)
    return buffer.getvalue()
