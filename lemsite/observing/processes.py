"""Memory, processor and open files of the web processes, added up. From /proc: nothing where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from lemsite import __version__

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """What the kernel tells of one process."""

    resident_bytes: int
    cpu_s: float
    open_files: int
    threads: int


def process_figures(pids: Sequence[int]) -> Iterator[Metric]:
    found = [process for pid in pids if (process := read_process(pid)) is not None]
    info = GaugeMetricFamily("lemsite_build_info", "The version that runs", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    yield GaugeMetricFamily("lemsite_web_processes", "Web processes of this server", len(found) or 1)
    if found:
        resident, cpu_s = sum(one.resident_bytes for one in found), sum(one.cpu_s for one in found)
        most_files = max(one.open_files for one in found)
        yield GaugeMetricFamily("lemsite_web_resident_memory_bytes", "Memory of all web processes", resident)
        yield CounterMetricFamily("lemsite_web_cpu_seconds", "Processor time of all web processes", cpu_s)
        yield GaugeMetricFamily("lemsite_web_open_files", "Open files of the web process that has most", most_files)
        yield GaugeMetricFamily("lemsite_web_threads", "Threads of all web processes", sum(o.threads for o in found))


def read_process(pid: int) -> Process | None:
    folder = Path("/proc") / str(pid)
    try:
        # The name in parentheses may hold spaces.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        open_files = sum(1 for _ in (folder / "fd").iterdir())
    except OSError:
        return None
    cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return Process(int(fields[21]) * PAGE_BYTES, cpu_s, open_files, int(fields[17]))
