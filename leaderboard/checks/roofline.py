"""ROO1 to ROO3: no GPU reads its memory or multiplies faster than its data sheet says.

Notation as in docs/checks.md: Pa active parameters (10^9), bw bytes per weight, n GPUs, BW bandwidth, F dense peak.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.ceilings import peak_tflops, step_floor_ms, tflops_of
from leaderboard.checks.findings import Context, Finding, Severity, quantity
from leaderboard.checks.latency import is_chunked, sequences_in_flight
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import NormalResult, ParsedResult


def check_bandwidth_floor(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """ROO1: one decode step reads every active weight once, t_min = Pa x bw / (n x BW)."""
    floor, step = _step_floor_ms(parsed.values, context), _decode_step(parsed.values)
    if floor is None or step is None:
        return
    name, step_ms = step
    severity = _bandwidth_severity(floor / step_ms, parsed.values)
    if severity:
        yield Finding(
            "ROO1",
            severity,
            observed=f"{quantity(step_ms, 'ms')} per token",
            limit=f"at least {quantity(floor / _margin(severity), 'ms')} per token",
            message=(
                f"Reading the active weights once takes {quantity(floor, 'ms')} on this hardware, but {name} is "
                f"{quantity(step_ms, 'ms')}; check ms against s, the GPU count, the precision and the model, "
                f"{_speculation_advice(parsed.values)}."
            ),
            field=name,
        )


def check_compute_ceiling(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """ROO2: 2 x Pa FLOP per token, input and output, is at most n x F."""
    values = parsed.values
    active_b = _active_b(context)
    peak = peak_tflops(values.precision, context.hardware.tflops) if context.hardware else None
    if values.throughput_tokens_per_s is None or not active_b or peak is None or values.gpu_count is None:
        return
    rate = _tokens_through_model_per_s(values, values.throughput_tokens_per_s)
    needed, available = tflops_of(active_b, rate), values.gpu_count * peak
    if is_above(needed / available, "compute_block"):
        yield Finding(
            "ROO2",
            Severity.REVIEW if values.prefix_caching else Severity.BLOCK,
            observed=quantity(needed, "TFLOP/s"),
            limit=f"at most {quantity(available * limit('compute_block'), 'TFLOP/s')}",
            message=(
                f"{quantity(rate, 'tok/s')} through this model needs {quantity(needed, 'TFLOP/s')} and the hardware "
                f"has {quantity(available, 'TFLOP/s')}; check GPU count and throughput, and state prefix caching if on."
            ),
            field="throughput_tokens_per_s",
        )


def check_single_stream(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """ROO3: one sequence at a time generates at most n x BW / (Pa x bw) tokens per second."""
    values, floor = parsed.values, _step_floor_ms(parsed.values, context)
    if floor is None or not values.throughput_tokens_per_s or sequences_in_flight(values) != 1:
        return
    most = 1000 / floor
    severity = _bandwidth_severity(values.throughput_tokens_per_s / most, values)
    if severity:
        yield Finding(
            "ROO3",
            severity,
            observed=quantity(values.throughput_tokens_per_s, "tok/s"),
            limit=f"at most {quantity(most * _margin(severity), 'tok/s')}",
            message=(
                f"At one sequence at a time the memory bandwidth allows {quantity(most, 'tok/s')}, but the file says "
                f"{quantity(values.throughput_tokens_per_s, 'tok/s')}; check batch size, output against total tokens "
                f"and the precision, {_speculation_advice(values)}."
            ),
            field="throughput_tokens_per_s",
        )


def _active_b(context: Context) -> float | None:
    """Parameters that one token passes through; a dense model has no separate figure."""
    if context.model is None:
        return None
    return context.model.parameters_active_b or context.model.parameters_total_b


def _step_floor_ms(values: NormalResult, context: Context) -> float | None:
    bandwidth = context.hardware.bandwidth_gb_per_s if context.hardware else None
    return step_floor_ms(_active_b(context), values.precision, values.gpu_count, bandwidth)


def _decode_step(values: NormalResult) -> tuple[str, float] | None:
    """The field that tells the time of one decode step, in ms: median gap, mean gap, then time per token.

    A median of 0, or far below the mean, is chunked streaming and no step. A mean is not misled by chunks.
    """
    skipped = {"itl_ms_p50"} if is_chunked(values) else set()
    for name in ("itl_ms_p50", "itl_ms_mean", "tpot_ms_p50", "tpot_ms_mean"):
        value = getattr(values, name)
        if value and name not in skipped:
            return name, value
    return None


def _bandwidth_severity(ratio: float, values: NormalResult) -> Severity | None:
    if not is_above(ratio, "bandwidth_warn"):
        return None
    if values.speculative_decoding:
        return Severity.REVIEW
    return Severity.BLOCK if is_above(ratio, "bandwidth_block") else Severity.WARN


def _margin(severity: Severity) -> float:
    return limit("bandwidth_block" if severity is Severity.BLOCK else "bandwidth_warn")


def _speculation_advice(values: NormalResult) -> str:
    if values.speculative_decoding:
        return "and give the accepted length of speculative decoding"
    return "and state speculative decoding if it was on"


def _tokens_through_model_per_s(values: NormalResult, output_per_s: float) -> float:
    """Input and output tokens per second where known; output alone is still a lower bound."""
    if values.total_throughput_tokens_per_s is not None:
        return max(values.total_throughput_tokens_per_s, output_per_s)
    if values.input_tokens is not None and values.duration_s is not None:
        return output_per_s + values.input_tokens / values.duration_s
    return output_per_s
