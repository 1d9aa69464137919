"""The benchmark of sealing runs from end to end, so that it does not rot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_sealing_benchmark_prints_its_tables_and_removes_its_files(tmp_path):
    options = ["--events", "300", "--database", "sqlite", "--repeat", "2"]

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sealed_run", *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "300 events on sqlite" in done.stdout
    for line in ("/ before sealing", "/series.json sealed", "/card.png sealed"):
        assert f"| {line}" in done.stdout
    assert "Parquet file" in done.stdout
    assert list(tmp_path.iterdir()) == []
