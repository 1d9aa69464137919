"""Time that no change of the host's clock moves, and processes by more than their number."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TIME = 19


def boot_s() -> float:
    """Seconds since the host was started, those asleep included; the same in every process."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Another one after each start of the host."""
    return BOOT_ID.read_text().strip()


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def start_time(pid: int) -> int | None:
    """When the process began, in ticks since the boot: with it, a number that was given again is not mistaken."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[_START_TIME])
