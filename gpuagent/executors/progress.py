"""How a program of a job tells its steps: lines of JSON in the file that $LEM_PROGRESS names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Progress:
    """Appends {"type", "data"} lines; without $LEM_PROGRESS it is silent."""

    def __init__(self) -> None:
        told = os.environ.get("LEM_PROGRESS")
        self._path = Path(told) if told else None
        self._run: dict[str, int] = {}

    @property
    def folder(self) -> Path | None:
        """The folder of the attempt."""
        return self._path.parent if self._path else None

    def run(self, index: int, count: int) -> None:
        """Say which of the runs of a study begins."""
        self._run = {"run": index, "runs": count}
        self.tell("run", self._run)

    def step(self, name: str, title: str, index: int, count: int, *, state: str) -> None:
        self.tell("step", {"id": name, "state": state, "title": title, "i": index, "n": count, **self._run})

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        if self._path is None:
            return
        # One write of one line: a reader sees all of it or nothing.
        line = json.dumps({"type": kind, "data": data}, separators=(",", ":")) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
