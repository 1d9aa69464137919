"""How static files are stored: hashed names, compressed copies, and one style sheet where there are many sources."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

SHEET = "css/site.css"
IMPORT = re.compile(r'^@import url\("([^"]+)"\);$', re.MULTILINE)


class BundledManifestStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # has no types
    """A browser asks for imports only once it has the sheet: twenty requests that the first paint waited for."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if SHEET in paths and not dry_run:
            text = _with_imports(SHEET, paths)
            self.delete(SHEET)
            self._save(SHEET, ContentFile(text.encode()))
            paths[SHEET] = (self, SHEET)
        yield from super().post_process(paths, dry_run=dry_run, **options)


def _with_imports(name: str, paths: dict[str, Any]) -> str:
    """The sheet with what it imports in place; addresses in those would point elsewhere, so there may be none."""
    storage, path = paths[name]
    with storage.open(path) as file:
        text: str = file.read().decode()

    def imported(found: re.Match[str]) -> str:
        part = posixpath.join(posixpath.dirname(name), found[1])
        inner = _with_imports(part, paths)
        if "url(" in inner:
            raise ValueError(f"{part} names a file by url(), which {SHEET} would look for elsewhere")
        return inner

    return IMPORT.sub(imported, text)
