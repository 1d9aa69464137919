"""What a GPU cannot exceed: how fast it reads the weights, how fast it multiplies, how much it holds.

Checks judge results by these ceilings, charts draw them. Each is None where an input is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.checks.limits import BYTES_PER_RATED_GB, BYTES_PER_WEIGHT, COMPUTE_PEAKS


def step_floor_ms(
    active_b: float | None, precision: str | None, gpu_count: int | None, bandwidth_gb_per_s: float | None
) -> float | None:
    """The least time of one decode step: each active weight is read once, t_min = Pa x bw / (n x BW)."""
    bytes_per_weight = BYTES_PER_WEIGHT.get(precision or "")
    if not active_b or not bandwidth_gb_per_s or bytes_per_weight is None or gpu_count is None:
        return None
    return active_b * bytes_per_weight / (gpu_count * bandwidth_gb_per_s) * 1000


def peak_tflops(precision: str | None, tflops: Mapping[str, float | None]) -> float | None:
    """The highest dense peak of one GPU that weights of this precision could be multiplied at."""
    peaks = [peak * factor for name, factor in COMPUTE_PEAKS.get(precision or "", ()) if (peak := tflops.get(name))]
    return max(peaks, default=None)


def tflops_of(active_b: float, tokens_per_s: float) -> float:
    """The arithmetic behind a rate of tokens: 2 FLOP per active parameter and token."""
    return 2 * active_b * tokens_per_s / 1000


def weights_gb(total_b: float | None, precision: str | None) -> float | None:
    """What all weights take, all experts among them, in GB of 10^9 bytes."""
    bytes_per_weight = BYTES_PER_WEIGHT.get(precision or "")
    return None if not total_b or bytes_per_weight is None else total_b * bytes_per_weight


def card_gb(memory_gb: float | None) -> float | None:
    """What a card really holds, in GB of 10^9 bytes: 85.9 for one that is sold as 80 GB."""
    return memory_gb * BYTES_PER_RATED_GB / 1e9 if memory_gb else None
