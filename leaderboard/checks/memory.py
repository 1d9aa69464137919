"""MEM1 and MEM2: the weights fit, and the peak lies between the weights and the card."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.ceilings import card_gb, weights_gb
from leaderboard.checks.findings import Context, Finding, Severity, quantity
from leaderboard.checks.limits import is_above, is_below, limit
from leaderboard.normal import NormalResult, ParsedResult


def check_weights_fit(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """MEM1: total parameters x bytes per weight fit into the memory of all GPUs, without offload."""
    weights, card = _weights_per_gpu_gb(parsed.values, context), _card_gb(context)
    if weights is None or card is None:
        return
    if is_above(weights / card, "weights_over_memory_block"):
        yield Finding(
            "MEM1",
            Severity.BLOCK,
            observed=f"{quantity(weights, 'GB')} of weights per GPU",
            limit=f"at most {quantity(card * limit('weights_over_memory_block'), 'GB')} per GPU",
            message=(
                f"The weights alone take {quantity(weights, 'GB')} per GPU and the card has {quantity(card, 'GB')}; "
                "check the GPU count, the precision and the model (offloaded weights are not a GPU result)."
            ),
            field="gpu_count",
        )


def check_peak_memory(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """MEM2: peak memory per GPU is at least 0.95 x its weights and at most 1.02 x the card."""
    name, peak = _peak_per_gpu_gb(parsed.values)
    if peak is None:
        return
    weights, card = _weights_per_gpu_gb(parsed.values, context), _card_gb(context)
    if weights and is_below(peak / weights, "peak_below_weights_warn"):
        yield Finding(
            "MEM2",
            Severity.WARN,
            observed=f"{quantity(peak, 'GB')} per GPU",
            limit=f"at least {quantity(weights * limit('peak_below_weights_warn'), 'GB')} per GPU",
            message=(
                f"The peak of {quantity(peak, 'GB')} per GPU is less than the weights ({quantity(weights, 'GB')}); "
                "check the precision, MB against GB, and that the peak is of the process that holds the model."
            ),
            field=name,
        )
    elif card and is_above(peak / card, "peak_above_memory_warn"):
        yield Finding(
            "MEM2",
            Severity.WARN,
            observed=f"{quantity(peak, 'GB')} per GPU",
            limit=f"at most {quantity(card * limit('peak_above_memory_warn'), 'GB')} per GPU",
            message=(
                f"The peak of {quantity(peak, 'GB')} per GPU is more than the card's {quantity(card, 'GB')}; "
                "check that the figure is of one GPU and not of all, and MB against MiB."
            ),
            field=name,
        )


def _weights_per_gpu_gb(values: NormalResult, context: Context) -> float | None:
    """The smallest share that the fullest GPU can hold: all experts count, evenly spread, in GB of 10^9 bytes."""
    weights = weights_gb(context.model.parameters_total_b if context.model else None, values.precision)
    return None if weights is None or values.gpu_count is None else weights / values.gpu_count


def _card_gb(context: Context) -> float | None:
    return card_gb(context.hardware.memory_gb) if context.hardware else None


def _peak_per_gpu_gb(values: NormalResult) -> tuple[str, float | None]:
    if values.peak_memory_mb is not None:
        return "peak_memory_mb", values.peak_memory_mb / 1000
    if values.peak_memory_total_mb is not None and values.gpu_count is not None:
        return "peak_memory_total_mb", values.peak_memory_total_mb / values.gpu_count / 1000
    return "peak_memory_mb", None
