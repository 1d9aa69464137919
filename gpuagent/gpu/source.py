"""What a GPU can tell, whatever tells it: a driver through NVML, or a simulation.

This module and what it imports stay small: the sampler runs in a process of its own for as long as a job does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

#: faults after which a GPU takes no work until an operator or a restart clears it
LOST = frozenset({"gpu_lost", "gpu_reset_required"})


class GpuFault(Exception):
    """The driver does not answer as it should. `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

    @property
    def is_lost(self) -> bool:
        return self.code in LOST


@dataclass(frozen=True, slots=True)
class GpuInfo:
    """One GPU of this host, as the agent's session tells it to the site."""

    uuid: str
    name: str
    memory_mib: int
    #: compute capability, such as "9.0"
    cc: str = ""
    mig: bool = False
    power_limit_w: float | None = None
    #: what can be measured: {"energy_counter": bool, "power": "average_1s|instant|legacy", "instant", "scope"}
    nvml: dict[str, Any] = field(default_factory=dict)


class Sample(NamedTuple):
    """What one GPU says now. None is "not supported" and never 0."""

    power_w: float | None = None
    #: since the driver was loaded; it may start again at 0
    energy_mj: int | None = None
    util: int | None = None
    mem_mib: int | None = None
    temp_c: int | None = None
    #: of the streaming multiprocessors
    clock_mhz: int | None = None
    #: NVML's bit mask of why clocks are held down
    reasons: int | None = None


class GpuSource(Protocol):
    """The GPUs of a host. Every method may raise GpuFault; what a GPU does not support is None."""

    def gpus(self) -> list[GpuInfo]: ...

    def sample(self, uuid: str) -> Sample: ...

    def energy_mj(self, uuid: str) -> int | None:
        """Read the energy counter alone: it is polled quickly, to find the moment of its tick."""
        ...

    def pids(self, uuid: str) -> list[int] | None:
        """Return the processes that compute on the GPU. Slower than a sample, so asked more rarely."""
        ...

    def close(self) -> None: ...


def open_source(simulate: bool, *, instance_id: str = "", count: int = 1, profile: str = "a100") -> GpuSource:
    """Return this host's GPUs, or `count` simulated ones. Raises GpuFault where there is no driver.

    Each source is imported only where it is used: the driver's bindings are not needed to simulate.
    """
    if simulate:
        from gpuagent.gpu.fake import FakeSource

        return FakeSource.of_instance(instance_id, count=count, profile=profile)
    from gpuagent.gpu.nvml import NvmlSource

    return NvmlSource()
