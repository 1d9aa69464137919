"""Files in a folder of this machine. A name is there with all of its content, or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage

#: below the storage's own folder, so that a link from it stays on one file system
UNFINISHED = ".unfinished"


class WholeFileStorage(FileSystemStorage):
    """Writes beside, then links: Django's own opens the final name first, and a full disk or a crash leaves half of it.

    A file under its hash that is cut short would never be written again, because it is there.
    """

    def _save(self, name: str, content: File[Any]) -> str:
        whole = self._written(content)
        try:
            while True:
                goal = Path(self.path(name))
                goal.parent.mkdir(parents=True, exist_ok=True)
                try:
                    # A link is atomic and refuses to replace.
                    os.link(whole, goal)
                except FileExistsError:
                    name = self.get_available_name(name)
                except FileNotFoundError:  # the emptied folder has just been deleted
                    continue
                else:
                    break
        finally:
            whole.unlink()
        if self.file_permissions_mode is not None:
            goal.chmod(self.file_permissions_mode)
        _to_disk(goal.parent)
        return goal.relative_to(self.location).as_posix()

    def _written(self, content: File[Any]) -> Path:
        folder = Path(self.location) / UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        try:
            with path.open("xb") as stream:
                for chunk in content.chunks():
                    stream.write(chunk if isinstance(chunk, bytes) else chunk.encode())
                stream.flush()
                # What is acknowledged in a database that survives a power cut must survive it too.
                os.fsync(stream.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
