"""What this host is: its GPUs, driver, container tool, disk. `python -m gpuagent.host.probing` prints it as JSON.

Real drivers are asked in a process of its own, which can be left hanging.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from gpuagent.executors.process import PASSED_ON, own_modules
from gpuagent.gpu.source import GpuFault, GpuSource, open_source

DRIVER_ANSWERS_S = 30.0
TOOL_ANSWERS_S = 10.0


class DriverHangs(Exception):
    """The driver has not answered; whoever asked in this process would wait for good."""


def look_at_gpus(*, simulate: bool, instance_id: str, count: int) -> list[dict[str, Any]]:
    """Each GPU as a session tells it, with what it does now under "now". Empty without a driver. Raises DriverHangs."""
    if simulate:
        return _asked(open_source(True, instance_id=instance_id, count=count))
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | own_modules()
    try:
        said = subprocess.run(
            [sys.executable, "-m", "gpuagent.host.probing"], env=env, capture_output=True, timeout=DRIVER_ANSWERS_S,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DriverHangs(f"the driver has not answered within {DRIVER_ANSWERS_S:.0f} s") from None
    try:
        found = json.loads(said.stdout or b"[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _asked(source: GpuSource) -> list[dict[str, Any]]:
    try:
        return [asdict(gpu) | {"now": _now(source, gpu.uuid)} for gpu in source.gpus()]
    finally:
        source.close()


def _now(source: GpuSource, uuid: str) -> dict[str, Any]:
    """Nulls where the GPU does not say; "fault" where it no longer answers."""
    try:
        now: dict[str, Any] = source.sample(uuid)._asdict()
        now["processes"] = len(source.pids(uuid) or [])
        return now
    except GpuFault as fault:
        return {"fault": fault.code, "text": str(fault)}


def describe_host(*, simulate: bool) -> dict[str, Any]:
    """For the host's page. Names of machines and users are not among it."""
    return _describe_machine() | ({} if simulate else _describe_tools())


def _describe_tools() -> dict[str, Any]:
    return {
        "driver": _first_match(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], r"[\d.]+"),
        "docker": _first_match(["docker", "version", "--format", "{{.Server.Version}}"], r"\d[\w.+-]*"),
        "toolkit": _first_match(["nvidia-container-cli", "--version"], r"\d+\.\d+\.\d+"),
    }


def _describe_machine() -> dict[str, Any]:
    return {
        "os": _os_name(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
    }


def _os_name() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")[:200]
    except OSError:
        return platform.system()


def _first_match(argv: list[str], pattern: str) -> str | None:
    """What the tool says of its version; None where it is not installed or does not answer."""
    if shutil.which(argv[0]) is None:
        return None
    try:
        said = subprocess.run(argv, capture_output=True, timeout=TOOL_ANSWERS_S, check=True, text=True)  # noqa: S603 - a list, nothing of the site's in it
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    match = re.search(pattern, said.stdout)
    return match[0][:60] if match else None


def has_container_tool(tool: str) -> bool:
    return _first_match([tool, "version", "--format", "{{.Server.Version}}"], r"\d") is not None


def main() -> int:
    try:
        print(json.dumps(_asked(open_source(False))))  # noqa: T201 - read by look_at_gpus
    except GpuFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
