"""Makes the driver without a GPU."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake.c")


def build(folder, mode=""):
    """Compile it into this folder, which goes into LD_LIBRARY_PATH; the mode holds where FAKE_NVML does not reach."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc to build the fake driver with")
    library = folder / "libnvidia-ml.so.1"
    options = ["-shared", "-fPIC", "-Wall", "-Werror", f'-DMODE="{mode}"']
    subprocess.run([compiler, *options, "-o", library, SOURCE], check=True)
    return folder
