"""Every figure that the site shows: its name, unit, what it means, and which way is better.

The one table behind columns, sorting, pages, the API and /methodology/. Definitions: docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from leaderboard.normal import SMALLEST_NUMBER


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `name` is its column, its API field and its query parameter."""

    name: str
    label: str
    unit: str
    meaning: str
    group: str
    better: Better | None = None
    #: the stored metric whose order is the same as this one's, where this one is not stored
    ranked_as: str = ""

    @property
    def is_sortable(self) -> bool:
        return self.better is not None

    @property
    def ranking(self) -> str:
        return self.ranked_as or self.name


_H, _L = Better.HIGHER, Better.LOWER
PRIMARY = "tokens_per_joule"
PERCENTILES = {
    "mean": "mean",
    "p50": "median",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
}
_LATENCIES = {
    "ttft_ms": ("TTFT", "time to first token: from sending a request to its first output token"),
    "itl_ms": ("ITL", "inter-token latency: the gap between two output tokens, over all gaps"),
    "tpot_ms": ("TPOT", "time per output token: the mean gap of one request, over all requests"),
    "e2e_ms": ("E2E", "end-to-end latency: from sending a request to its last output token"),
}

_EFFICIENCY = (
    Metric("tokens_per_joule", "Tokens/J", "tok/J", "output tokens per joule, in the energy scope shown",
           "Efficiency", _H),
    Metric("total_tokens_per_joule", "Total tokens/J", "tok/J", "input and output tokens per joule", "Efficiency", _H),
    Metric("energy_per_output_token_j", "J/token", "J/tok", "energy divided by output tokens", "Efficiency", _L,
           ranked_as="tokens_per_joule"),
    Metric("energy_per_total_token_j", "J/total token", "J/tok", "energy divided by input and output tokens",
           "Efficiency", _L, ranked_as="total_tokens_per_joule"),
)  # fmt: skip
_SPEED = (
    Metric("throughput_tokens_per_s", "Output tok/s", "tok/s",
           "output tokens divided by measured wall time, all GPUs together", "Throughput", _H),
    Metric("total_throughput_tokens_per_s", "Total tok/s", "tok/s",
           "input and output tokens divided by measured wall time", "Throughput", _H),
    Metric("requests_per_s", "Requests/s", "1/s", "finished requests divided by measured wall time", "Throughput", _H),
)  # fmt: skip
_LATENCY = tuple(
    Metric(f"{name}_{key}", f"{label} {key}", "ms", f"{meaning}; {words}", "Latency", _L)
    for name, (label, meaning) in _LATENCIES.items()
    for key, words in PERCENTILES.items()
)
_POWER = (
    Metric("avg_power_w", "Power", "W", "energy divided by duration, all GPUs together", "Power and memory", _L),
    Metric("peak_memory_mb", "Peak memory", "MB", "highest device memory of one GPU; MB = 10^6 bytes",
           "Power and memory", _L),
    Metric("peak_memory_total_mb", "Peak memory, all GPUs", "MB", "highest device memory summed over the GPUs",
           "Power and memory", _L),
)  # fmt: skip
_COST = (
    Metric("cost_per_million_tokens_usd", "$/M tokens", "USD",
           "price of the GPUs' time for 10^6 output tokens, at the catalogue's or your own $ per GPU-hour; "
           "electricity alone when you give $ per kWh and no GPU price", "Cost and carbon", _L),
    Metric("co2_g_per_million_tokens", "gCO2/M tokens", "g",
           "energy per output token x 10^6 x PUE x your grid factor", "Cost and carbon", _L,
           ranked_as="tokens_per_joule"),
)  # fmt: skip
_QUALITY = (
    Metric("quality_composite", "Quality", "0-1", "mean composite over scored test cases", "Quality", _H),
)  # fmt: skip
_MEASURED = (
    Metric("output_tokens", "Output tokens", "tok", "tokens generated in the measured window", "Measured"),
    Metric("input_tokens", "Input tokens", "tok", "prompt tokens in the measured window", "Measured"),
    Metric("duration_s", "Duration", "s", "length of the measured window, wall clock", "Measured"),
    Metric("total_energy_j", "Energy", "J", "energy in the measured window, in the energy scope shown", "Measured"),
    Metric("host_energy_j", "Energy by the host", "J",
           "energy of the GPUs in the same window, as a host of this site sampled it beside the tool",
           "Measured"),
    Metric("adjusted_energy_j", "Energy less idle", "J", "energy less the idle baseline over the window", "Measured"),
    Metric("idle_power_w", "Idle power", "W", "power of the idle GPUs before the measurement", "Measured"),
    Metric("flops_per_second", "FLOP/s", "FLOP/s", "as stated by the tool", "Measured"),
)  # fmt: skip

METRICS: tuple[Metric, ...] = (*_EFFICIENCY, *_SPEED, *_LATENCY, *_POWER, *_COST, *_QUALITY, *_MEASURED)
BY_NAME = {metric.name: metric for metric in METRICS}
SORTABLE = tuple(metric for metric in METRICS if metric.is_sortable)
#: own prices need the order of GPU time alone
GPU_SECONDS = "gpu_seconds_per_million_tokens"
#: metric -> which way is better, for every stored column that a table can be sorted by
RANKED: dict[str, Better] = {
    **{metric.name: metric.better for metric in SORTABLE if not metric.ranked_as and metric.better},
    GPU_SECONDS: Better.LOWER,
}

JOULES_PER_KWH = 3.6e6


def gpu_seconds_per_million_tokens(gpu_count: int | None, throughput_tokens_per_s: float | None) -> float | None:
    """Seconds of one GPU that 10^6 output tokens take; None for a throughput at which it would be for ever."""
    if not gpu_count or not throughput_tokens_per_s or throughput_tokens_per_s < SMALLEST_NUMBER:
        return None
    return gpu_count * 1e6 / throughput_tokens_per_s


def cost_usd(gpu_seconds: float | None, usd_per_gpu_hour: float | None) -> float | None:
    """USD per 10^6 output tokens: GPU seconds at a price per GPU-hour."""
    if gpu_seconds is None or usd_per_gpu_hour is None:
        return None
    return gpu_seconds / 3600 * usd_per_gpu_hour


def electricity_usd(energy_per_output_token_j: float | None, usd_per_kwh: float, pue: float) -> float | None:
    """USD per 10^6 output tokens for electricity alone."""
    if energy_per_output_token_j is None:
        return None
    return energy_per_output_token_j * 1e6 / JOULES_PER_KWH * pue * usd_per_kwh


def co2_g(energy_per_output_token_j: float | None, co2_g_per_kwh: float, pue: float) -> float | None:
    """Grams of CO2 per 10^6 output tokens on the reader's own grid."""
    if energy_per_output_token_j is None:
        return None
    return energy_per_output_token_j * 1e6 / JOULES_PER_KWH * pue * co2_g_per_kwh
