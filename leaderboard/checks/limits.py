"""Every limit of the check set, in one table, each with the sentence of where it comes from.

A changed limit is a new CHECK_SET: a published badge never changes silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CHECK_SET: Final = "2026.4"


@dataclass(frozen=True, slots=True)
class Limit:
    """One threshold. `unit` is "share" (of 1), "ratio", or a physical unit."""

    value: float
    unit: str
    source: str


LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "tokens_over_requested": Limit(
            1.01, "ratio", "Our addition: an engine stops at the requested length; 1 % is left for end-of-text tokens."
        ),
        "itl_p90_over_p50": Limit(
            10, "ratio", "838 ML.ENERGY rows: the 99th percentile of the ratio is 8.4, and 5 rows lie above 10."
        ),
        "throughput_off_block": Limit(0.01, "share", "The ratio is 1.000 in 169 InferenceX files."),
        "power_off_warn": Limit(
            0.02, "share", "Exact in ML.ENERGY and ecocompute files; trapezoid against mean 1.0001 in an MLPerf log."
        ),
        "power_off_block": Limit(0.05, "share", "NVML is accurate to about 5 %; a larger gap is another quantity."),
        "energy_off_block": Limit(0.01, "share", "Exact in ML.ENERGY rows once the denominator is the stated one."),
        "joules_off_warn": Limit(0.02, "share", "Exact in 838 ML.ENERGY rows, at this strict limit."),
        "joules_off_block": Limit(
            0.10, "share", "Wide, since tools may take power and throughput over different windows."
        ),
        "e2e_mean_off_warn": Limit(0.05, "share", "An identity of means, if every request has the same weight."),
        "e2e_median_low_warn": Limit(0.5, "ratio", "169 InferenceX files: medians between 0.52 and 1.28."),
        "e2e_median_high_warn": Limit(1.4, "ratio", "169 InferenceX files: medians between 0.52 and 1.28."),
        "e2e_low_review": Limit(0.4, "ratio", "Outside everything seen in 169 InferenceX files (0.52 to 1.28)."),
        "e2e_high_review": Limit(1.6, "ratio", "Outside everything seen in 169 InferenceX files (0.52 to 1.28)."),
        "little_high_review": Limit(1.15, "ratio", "Little's law; 169 InferenceX files: median 0.99, at most 1.10."),
        "little_low_warn": Limit(0.6, "ratio", "Below it fewer requests were in flight than stated: not saturated."),
        "decode_rate_review": Limit(
            1.5, "ratio", "838 ML.ENERGY rows: median 0.91, 99th percentile 1.11, at most 1.39."
        ),
        "chunked_itl": Limit(
            0.10, "share", "Raw gaps of inference-perf files, where several tokens come in one chunk."
        ),
        "bandwidth_warn": Limit(
            1.0, "ratio", "Physics; at most 0.758 in ML.ENERGY and 0.93 in 100 llama.cpp configurations on 20 GPUs."
        ),
        "bandwidth_block": Limit(
            1.1, "ratio", "Physics, with 10 % for input embeddings, which are not read in full for each token."
        ),
        "compute_block": Limit(1.0, "ratio", "Physics; output tokens alone reach at most 0.334 in 838 ML.ENERGY rows."),
        "weights_over_memory_block": Limit(1.0, "ratio", "Physics; at most 0.80 in 838 ML.ENERGY rows."),
        "peak_below_weights_warn": Limit(0.95, "ratio", "Weights lie in memory; 5 % for parameters counted roundly."),
        "peak_above_memory_warn": Limit(1.02, "ratio", "A GPU has no more memory than it has; 2 % for rounded sizes."),
        "power_over_cap_block": Limit(
            1.05,
            "ratio",
            "The power limit is enforced; at most 0.991 in 838 ML.ENERGY rows, and 5 % is NVML's accuracy.",
        ),
        "power_over_tdp_review": Limit(
            0.08, "ratio", "At least 0.24 x TDP in ML.ENERGY; a CUDA context alone adds 26-66 W (arXiv 2605.23918)."
        ),
        "power_floor_block": Limit(
            5, "W", "The smallest discrete GPUs in the catalogue (T4, L4) draw 8-10 W idle, so no model runs below 5 W."
        ),
        "wall_low_review": Limit(1.0, "ratio", "The wall meter sees the GPUs and everything around them."),
        "wall_high_review": Limit(2.0, "ratio", "8 x B200: 10.4 kW at the wall is 1.30 x the sum of the TDPs."),
        "host_energy_off_review": Limit(
            0.05, "share", "NVML is accurate to about 5 %; a larger gap is another GPU, another window or a shared GPU."
        ),
        "idle_off_review": Limit(
            0.10, "share", "A proposal: tools take idle power and energy over windows that differ by a few percent."
        ),
        "window_review": Limit(20, "s", "The shortest window of ML.ENERGY; power sensors need several samples."),
        "window_warn": Limit(60, "s", "A proposal: clocks and temperature need about a minute to settle."),
        "requests_warn": Limit(100, "requests", "A proposal: fewer requests leave the mean to chance."),
        "requests_per_slot_warn": Limit(
            5, "requests", "A proposal: five rounds, so ramp-up and drain do not dominate."
        ),
        "requests_for_p99_warn": Limit(1000, "requests", "Ten samples above the 99th percentile need 1,000 requests."),
        "success_warn": Limit(
            0.99, "share", "A proposal: failed requests are fast and cheap, and flatter every other figure."
        ),
        "success_review": Limit(
            0.95, "share", "A proposal: failed requests are fast and cheap, and flatter every other figure."
        ),
        "clock_ahead_warn": Limit(1.0, "s", "Clocks kept by NTP agree within a second (MLPerf allows 800 ms)."),
        "zone_ahead_warn": Limit(
            14 * 3600.0, "s", "A time without a zone may be local time, at most 14 hours ahead of UTC."
        ),
        "interval_warn": Limit(
            0.10, "share", "Wider than 10 % of the mean hides most differences; Phoronix Test Suite aims at 2.5 %."
        ),
        "peers_needed": Limit(5, "results", "MLPerf v5.1 groups of 5 and more; a median of fewer says little."),
        "peer_spread_floor": Limit(
            0.05,
            "ln",
            "237 MLPerf v5.1 rows in 30 groups: 10.1 % flagged without a floor, 0.8 % with it, none for review.",
        ),
        "peer_z_warn": Limit(3.5, "z", "The usual limit of a robust z-score (Iglewicz and Hoaglin 1993)."),
        "peer_z_review": Limit(6, "z", "237 MLPerf v5.1 rows in 30 groups: none above it."),
        "better_than_verified_review": Limit(
            0.10, "share", "The tolerance within which a rerun of energy counts as the same (REP1)."
        ),
        "curve_gap": Limit(
            5,
            "ratio",
            "191 ML.ENERGY v2 rows: between points up to 4 x apart the interpolation is off by at most 19 %, "
            "at 16 x by up to 40 %.",
        ),
        "curve_energy_warn": Limit(0.15, "share", "610 ML.ENERGY rows, each left out: median 3.2 %, p95 14.0 %."),
        "curve_energy_review": Limit(0.30, "share", "610 ML.ENERGY rows, each left out: p99 29.5 %."),
        "curve_throughput_warn": Limit(0.25, "share", "610 ML.ENERGY rows, each left out: median 3.7 %, p95 21.6 %."),
        "curve_throughput_review": Limit(0.60, "share", "610 ML.ENERGY rows, each left out: p99 59.1 %."),
        "length_off_review": Limit(
            0.10, "share", "MLPerf TEST09; 191 ML.ENERGY rows lie within 2.5 % of their model's median length."
        ),
        "cached_gain_warn": Limit(0.10, "share", "MLPerf TEST04: a repeated prompt may not be more than 10 % faster."),
        "same_figures": Limit(
            1e-5, "share", "Two runs agree so closely in two figures once in a million; 6 digits of a copy do."
        ),
        "round_digits": Limit(
            2, "digits", "A measured figure has that few digits once in a hundred; six of them at once do not happen."
        ),
        "round_figures": Limit(6, "figures", "No real file at hand has 6 figures that are all round."),
        "rerun_throughput_closed": Limit(0.05, "share", "MLPerf: a rerun with a fixed number of requests in flight."),
        "rerun_throughput_open": Limit(0.10, "share", "MLPerf: a rerun with requests that come at a rate."),
        "rerun_energy": Limit(0.10, "share", "A proposal: NVML's 5 % of two machines, to be measured and adjusted."),
        "rerun_latency_p50": Limit(0.10, "share", "A proposal: medians of one configuration, as for the throughput."),
        "rerun_latency_p99": Limit(0.25, "share", "A proposal: a p99 rests on few samples; to be measured."),
    }
)

#: Memory is sold in GB and built in GiB: an A100 40GB reports 40,960 MiB, and AIPerf telemetry of an RTX 6000 Ada
#: (48 GB) 51.5 GB of 10^9 bytes, 49.7 of them in use. At 10^9 bytes per rated GB that real run would look impossible.
BYTES_PER_RATED_GB: Final = 2**30

#: Bytes read per weight. Narrow formats carry scales; where a width has several formats in use, the smallest common
#: one counts, so that a floor stays a floor. 4 bit is 0.5 + scales (MXFP4, NVFP4, GPTQ and GGUF lie at 4.25-4.85 bits).
#: "mixed" is absent on purpose: nothing can be said, so no check runs.
BYTES_PER_WEIGHT: Final[Mapping[str, float]] = MappingProxyType(
    {
        "fp32": 4.0,
        "tf32": 4.0,
        "fp16": 2.0,
        "bf16": 2.0,
        "fp8": 1.0,
        "int8": 1.0,
        "fp6": 0.75,
        "int6": 0.75,
        "int5": 0.66,
        "int4": 0.56,
        "fp4": 0.56,
        "int3": 0.38,
        "int2": 0.26,
    }
)

#: precision of the weights -> (precision of a data-sheet peak, factor): the highest product is the compute ceiling.
#: Narrow weights are often widened before the product, and int8 runs at twice the fp16 rate where no fp8 peak exists
#: (A100: 312 and 624), so the ceiling is the fastest unit that could have been used. TF32 runs at half the fp16 rate.
COMPUTE_PEAKS: Final[Mapping[str, tuple[tuple[str, float], ...]]] = MappingProxyType(
    {
        "fp32": (("fp32", 1.0), ("fp16", 0.5), ("bf16", 0.5)),
        "tf32": (("tf32", 1.0), ("fp16", 0.5), ("bf16", 0.5)),
        "fp16": (("fp16", 1.0), ("bf16", 1.0)),
        "bf16": (("bf16", 1.0), ("fp16", 1.0)),
        "fp8": (("fp8", 1.0), ("bf16", 1.0), ("fp16", 1.0)),
        "fp6": (("fp8", 1.0), ("bf16", 1.0), ("fp16", 1.0)),
        "fp4": (("fp4", 1.0), ("fp8", 1.0), ("bf16", 1.0), ("fp16", 1.0)),
        **dict.fromkeys(("int8", "int6", "int5"), (("int8", 1.0), ("fp8", 1.0), ("bf16", 2.0), ("fp16", 2.0))),
        **dict.fromkeys(("int4", "int3", "int2"), (("fp4", 1.0), ("fp8", 1.0), ("bf16", 2.0), ("fp16", 2.0))),
    }
)

#: 1 % of 100 is 1.0000000000000009 in binary: a value at the limit must not cross it by rounding
ROUNDING: Final = 1e-9


def limit(name: str) -> float:
    """The value of a limit."""
    return LIMITS[name].value


def is_above(value: float, name: str) -> bool:
    """True if the value is above the limit by more than binary rounding."""
    return value > limit(name) * (1 + ROUNDING)


def is_below(value: float, name: str) -> bool:
    """True if the value is below the limit by more than binary rounding."""
    return value < limit(name) * (1 - ROUNDING)
