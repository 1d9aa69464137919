"""The benchmark runs from end to end, so that it does not rot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_leaderboard_benchmark_prints_its_table_and_removes_its_database(tmp_path):
    script = ROOT / "benchmarks" / "leaderboard.py"
    options = ["--rows", "300", "--database", "sqlite", "--repeat", "2"]

    done = subprocess.run(
        [sys.executable, str(script), *options],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "300 results" in done.stdout
    for line in ("best: one filter, any sort", "facets stored", "not modified (304)", "publish one result"):
        assert f"| {line}" in done.stdout
    assert list(tmp_path.iterdir()) == []
