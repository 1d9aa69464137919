"""What the site renders is what the installed llem takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs import rendering
from jobs.config import LlemOrder

LLEM = Path(sys.executable).with_name("llem")


@pytest.mark.skipif(not LLEM.is_file(), reason="llem is not installed here")
@pytest.mark.parametrize("batch_sizes", [(4,), (1, 4)], ids=["one cell", "a sweep"])
@pytest.mark.parametrize("engine", ["transformers", "vllm", "tensorrt"])
def test_llem_takes_what_the_site_renders(tmp_path, engine, batch_sizes):
    order = LlemOrder(model="Qwen/Qwen2.5-0.5B", engine=engine, precision="bf16", batch_sizes=batch_sizes)
    (tmp_path / "config.yaml").write_text(rendering.render(order, seed=1, wall_s=3600))

    run = subprocess.run([LLEM, "run", "config.yaml", "--dry-run"], cwd=tmp_path, capture_output=True, check=False)

    assert run.returncode == 0, run.stderr.decode()
