"""Benchmarks run from end to end at tiny sizes, so that they do not rot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def run(tmp_path: Path, fresh_database: Path | None) -> Callable[..., str]:
    """Runs one benchmark and returns what it printed; nothing may be left of it."""

    environment = os.environ | {"TMPDIR": str(tmp_path)}
    if fresh_database:
        environment["FRESH_DATABASE"] = str(fresh_database)

    def run(name: str, *options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(tmp_path.iterdir()) == []
        return done.stdout

    return run
