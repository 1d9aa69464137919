"""The benchmark runs from end to end, so that it does not rot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_queue_benchmark_prints_its_table_and_removes_its_database(tmp_path):
    options = ["--rows", "60", "--database", "sqlite", "--repeat", "2"]

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.admin_queue", *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "60 pending submissions" in done.stdout
    assert "| the queue |" in done.stdout
    assert list(tmp_path.iterdir()) == []
