"""GPUs through NVIDIA's driver, by UUID. What a board does not support is asked once and is None from then on."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pynvml

from gpuagent.gpu.source import GpuFault, GpuInfo, Sample

#: NVML's code: (ours, what it means for the people who run the host)
_FAULTS = {
    pynvml.NVML_ERROR_UNINITIALIZED: ("driver_gone", "The driver's library was closed."),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "no_permission",
        "This user may not ask the GPU: see who owns /dev/nvidia*.",
    ),
    pynvml.NVML_ERROR_NOT_FOUND: ("gpu_unknown", "This host has no such GPU."),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: ("no_driver", "The NVIDIA driver is not loaded on this host."),
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "no_library",
        "This host has no NVIDIA driver (no libnvidia-ml.so.1).",
    ),
    pynvml.NVML_ERROR_GPU_IS_LOST: ("gpu_lost", "The GPU has fallen off the bus; the host must be restarted."),
    pynvml.NVML_ERROR_RESET_REQUIRED: ("gpu_reset_required", "The GPU must be reset before it can be used again."),
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "driver_mismatch",
        "The driver was upgraded while in use: restart this host.",
    ),
}
_NOT_HERE = (
    pynvml.NVMLError_NotSupported,
    pynvml.NVMLError_FunctionNotFound,
    pynvml.NVMLError_InvalidArgument,
    # The bindings know only a newer form of the function than this driver has. It is no NVMLError.
    pynvml.NVMLLibraryMismatchError,
)
#: says nothing this time, and may the next
_PASSING = (pynvml.NVMLError_Timeout, pynvml.NVMLError_InUse)

_GA100 = (8, 0)
_AMPERE = 8
_MIB = 2**20
_SCOPE_GPU, _SCOPE_MODULE = 0, 1

Ask = Callable[[Any], Any]


def fault_of(error: pynvml.NVMLError) -> GpuFault:
    """Put NVML's error into our code and a sentence."""
    number = getattr(error, "value", None)
    code, sentence = _FAULTS.get(number, (f"nvml_{number}", f"The driver answers with an error: {error}."))
    return GpuFault(code, sentence)


class _Device:
    """One GPU: its handle, and how each figure is asked of it, tried in order until one way works."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.uuid = _text(pynvml.nvmlDeviceGetUUID(handle))
        self.scope = "gpu"
        self.ways: dict[str, Ask | None] = {
            "power_w": self._first(_power, _power_of_module),
            "energy_mj": self._first(pynvml.nvmlDeviceGetTotalEnergyConsumption),
            "util": self._first(_util),
            "mem_mib": self._first(_memory_v2, _memory),
            "temp_c": self._first(_temperature, _old_temperature),
            "clock_mhz": self._first(_clock),
            "reasons": self._first(
                pynvml.nvmlDeviceGetCurrentClocksEventReasons, pynvml.nvmlDeviceGetCurrentClocksThrottleReasons
            ),
            "pids": self._first(_pids),
        }
        if self.ways["power_w"] is _power_of_module:
            self.scope = "module"
        self._asks = [(place, self.ways[name]) for place, name in enumerate(Sample._fields)]

    def _first(self, *ways: Ask) -> Ask | None:
        for way in ways:
            try:
                way(self.handle)
            except _NOT_HERE:
                continue
            except pynvml.NVMLError:
                # Not the fault of the way: it is asked again, and then told.
                return way
            return way
        return None

    def sample(self) -> Sample:
        values: list[Any] = [None] * len(self._asks)
        for place, way in self._asks:
            if way is not None:
                values[place] = self.ask(way)
        return Sample(*values)

    def ask(self, way: Ask | None) -> Any:
        """Return what one way says; None where it says nothing. Raises GpuFault for what is wrong with the GPU."""
        if way is None:
            return None
        try:
            return way(self.handle)
        except (*_NOT_HERE, *_PASSING):
            return None
        except pynvml.NVMLError as error:
            raise fault_of(error) from None

    def info(self) -> GpuInfo:
        cc = self.ask(pynvml.nvmlDeviceGetCudaComputeCapability)
        limit = self.ask(pynvml.nvmlDeviceGetEnforcedPowerLimit)
        memory = self.ask(pynvml.nvmlDeviceGetMemoryInfo)
        mig = self.ask(pynvml.nvmlDeviceGetMigMode)
        return GpuInfo(
            uuid=self.uuid,
            name=_text(self.ask(pynvml.nvmlDeviceGetName) or "NVIDIA GPU"),
            memory_mib=memory.total // _MIB if memory else _host_memory_mib(),
            cc=f"{cc[0]}.{cc[1]}" if cc else "",
            mig=bool(mig and mig[0]),
            power_limit_w=limit / 1000 if limit else None,
            nvml={
                "energy_counter": self.ways["energy_mj"] is not None,
                "power": self._power_meaning(cc) if self.ways["power_w"] else None,
                "instant": self._first(_instant_power) is not None,
                "scope": self.scope,
            },
        )

    def _power_meaning(self, cc: tuple[int, int] | None) -> str:
        """The driver's manual: a mean of 1 s from Ampere on, but for GA100, which glimpses as all before did."""
        if cc is None:
            return "legacy"
        return "average_1s" if cc[0] >= _AMPERE and tuple(cc) != _GA100 else "instant"


class NvmlSource:
    """The GPUs that the driver of this host knows. Raises GpuFault where there is none."""

    def __init__(self) -> None:
        if not hasattr(pynvml, "_nvmlGetFunctionPointer"):
            raise GpuFault("old_pynvml", "The old package pynvml hides nvidia-ml-py here: uninstall pynvml.")
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
            found = [device for place in range(count) if (device := _open(place)) is not None]
        except pynvml.NVMLError as error:
            raise fault_of(error) from None
        self._devices = {device.uuid: device for device in found}

    def gpus(self) -> list[GpuInfo]:
        return [device.info() for device in self._devices.values()]

    def sample(self, uuid: str) -> Sample:
        return self._device(uuid).sample()

    def energy_mj(self, uuid: str) -> int | None:
        device = self._device(uuid)
        counter: int | None = device.ask(device.ways["energy_mj"])
        return counter

    def pids(self, uuid: str) -> list[int] | None:
        device = self._device(uuid)
        pids: list[int] | None = device.ask(device.ways["pids"])
        return pids

    def close(self) -> None:
        try:
            pynvml.nvmlShutdown()
        except pynvml.NVMLError as error:
            raise fault_of(error) from None

    def _device(self, uuid: str) -> _Device:
        try:
            return self._devices[uuid]
        except KeyError:
            raise GpuFault("gpu_unknown", "This host has no such GPU.") from None


def _host_memory_mib() -> int:
    """What a GPU without memory of its own can use: it shares the host's."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB


def _open(place: int) -> _Device | None:
    """None for one that is lost: the others of the host go on working."""
    try:
        return _Device(pynvml.nvmlDeviceGetHandleByIndex(place))
    except (pynvml.NVMLError_GpuIsLost, pynvml.NVMLError_ResetRequired):
        return None


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _power(handle: Any) -> float:
    power: float = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000
    return power


def _field(handle: Any, number: int, scope: int) -> float:
    value = pynvml.nvmlDeviceGetFieldValues(handle, [(number, scope)])[0]
    if value.nvmlReturn != pynvml.NVML_SUCCESS:
        raise pynvml.NVMLError(value.nvmlReturn)
    return float(value.value.uiVal) / 1000


def _power_of_module(handle: Any) -> float:
    """Some boards, such as GH200, know only the power of the module with its processor."""
    return _field(handle, pynvml.NVML_FI_DEV_POWER_AVERAGE, _SCOPE_MODULE)


def _instant_power(handle: Any) -> float:
    return _field(handle, pynvml.NVML_FI_DEV_POWER_INSTANT, _SCOPE_GPU)


def _util(handle: Any) -> int:
    util: int = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
    return util


def _memory_v2(handle: Any) -> int:
    # The second version leaves out what the driver keeps for itself.
    used: int = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2).used
    return used // _MIB


def _memory(handle: Any) -> int:
    used: int = pynvml.nvmlDeviceGetMemoryInfo(handle).used
    return used // _MIB


def _temperature(handle: Any) -> int:
    degrees: int = pynvml.nvmlDeviceGetTemperatureV(handle, pynvml.NVML_TEMPERATURE_GPU)
    return degrees


def _old_temperature(handle: Any) -> int:
    degrees: int = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
    return degrees


def _clock(handle: Any) -> int:
    mhz: int = pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM)
    return mhz


def _pids(handle: Any) -> list[int]:
    return [process.pid for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
