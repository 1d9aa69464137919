"""Measure what sampling costs the host that it samples: 8 GPUs at 10 Hz, in the process that the agent starts for it.

    python -m benchmarks.agent_overhead [--gpus 8] [--seconds 20] [--driver simulated|fake|both]

"simulated" are the GPUs of `lem-agent run --simulate`; "fake" goes through NVML's bindings into a driver written in C
(needs gcc), which answers at once. A real driver takes its own time for each answer: 10 to 100 us of it in the kernel.
Fails above 2 % of a core or 80 MB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gpuagent.gpu import telemetry

ROOT = Path(__file__).resolve().parent.parent
DRIVER_SOURCE = ROOT / "tests" / "gpuagent" / "nvml" / "fake.c"
MAX_CPU_PERCENT = 2.0
MAX_RSS_MB = 80.0
SETTLE_S = 1.0
DRIVERS = ("simulated", "fake")


@dataclass(frozen=True)
class Cost:
    driver: str
    start_cpu_s: float
    cpu_percent: float
    rss_mb: float
    samples: int

    @property
    def is_within(self) -> bool:
        return self.cpu_percent < MAX_CPU_PERCENT and self.rss_mb < MAX_RSS_MB


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what sampling GPUs costs.")
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--driver", choices=(*DRIVERS, "both"), default="both")
    arguments = parser.parse_args()
    drivers = [name for name in DRIVERS if arguments.driver in (name, "both")]
    if shutil.which("gcc") is None and "fake" in drivers:
        print("No gcc here: the driver in C is left out.")
        drivers.remove("fake")
    costs = [measure(driver, arguments.gpus, arguments.seconds) for driver in drivers]
    print(f"\n{arguments.gpus} GPUs at 10 Hz for {arguments.seconds:g} s; aim: under 2 % of a core and 80 MB\n")
    print("| driver | to start, CPU s | CPU, % of a core | memory (RSS), MB | samples |\n|---|---|---|---|---|")
    for cost in costs:
        figures = f"{cost.start_cpu_s:.2f} | {cost.cpu_percent:.2f} | {cost.rss_mb:.1f} | {cost.samples}"
        print(f"| {cost.driver} | {figures} |")
    return 0 if all(cost.is_within for cost in costs) else 1


def measure(driver: str, gpus: int, seconds: float) -> Cost:
    home = Path(tempfile.mkdtemp(prefix="gpuagent-overhead-"))
    try:
        sampler = start(driver, gpus, home)
        try:
            time.sleep(SETTLE_S)
            started_cpu_s, began = cpu_s(sampler.pid), time.monotonic()
            time.sleep(seconds)
            used_s, lasted_s = cpu_s(sampler.pid) - started_cpu_s, time.monotonic() - began
            memory = rss_mb(sampler.pid)
        finally:
            sampler.send_signal(signal.SIGTERM)
            sampler.wait()
        return Cost(driver, started_cpu_s, 100 * used_s / lasted_s, memory, samples_in(home))
    finally:
        shutil.rmtree(home)


def start(driver: str, gpus: int, home: Path) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if driver == "fake":
        library = home / "libnvidia-ml.so.1"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(DRIVER_SOURCE)], check=True)
        environment |= {"LD_LIBRARY_PATH": str(home), "FAKE_NVML_COUNT": str(gpus)}
        uuids = [f"GPU-00000000-0000-0000-0000-{place:012d}" for place in range(1, gpus + 1)]
        options: list[str] = []
    else:
        uuids = [f"GPU-simulated-0badcafe-{place}" for place in range(gpus)]
        options = ["--simulate"]
    command = [sys.executable, "-m", "gpuagent.gpu.sampler", "--out", str(home), "--gpus", ",".join(uuids), *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def samples_in(home: Path) -> int:
    return sum(len(line["gpu"]) for line in telemetry.read_full(home) if "gpu" in line)


if __name__ == "__main__":
    sys.exit(main())
