"""PWR1 to PWR3 and IDL1: mean power lies between what a GPU draws idle and what its limit allows."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.limits import is_above, is_below, limit
from leaderboard.normal import NormalResult, ParsedResult


def check_power_cap(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """PWR1: GPU scope, mean W per GPU is at most 1.05 x the recorded power limit, else TDP."""
    values, power = parsed.values, _mean_power_w(parsed.values)
    cap = values.power_limit_w or _tdp_w(context)
    if values.energy_scope != "gpu" or power is None or values.gpu_count is None or not cap:
        return
    per_gpu = power / values.gpu_count
    if is_above(per_gpu / cap, "power_over_cap_block"):
        yield Finding(
            "PWR1",
            Severity.BLOCK,
            observed=f"{quantity(per_gpu, 'W')} per GPU",
            limit=f"at most {quantity(cap * limit('power_over_cap_block'), 'W')} per GPU",
            message=(
                f"{quantity(per_gpu, 'W')} per GPU is more than the power limit of {quantity(cap, 'W')}; "
                "check the GPU count, whether the meter saw the whole node, and the unit."
            ),
            field="avg_power_w",
        )


def check_power_floor(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """PWR2: GPU scope, mean W per GPU is at least 0.08 x TDP, and never below 5 W.

    The 5 W floor needs no catalogue. Without a GPU count one GPU is assumed, the most favourable case.
    """
    values, power = parsed.values, _mean_power_w(parsed.values)
    if values.energy_scope != "gpu" or power is None:
        return
    per_gpu = power / (values.gpu_count or 1)
    if is_below(per_gpu, "power_floor_block"):
        yield _low_power(
            Severity.BLOCK,
            per_gpu,
            limit("power_floor_block"),
            "is below the idle draw of any discrete GPU, so the measurement is impossible; "
            "check the unit (kWh, Wh, J or MJ) and that the meter saw the GPU that ran the model.",
        )
        return
    tdp = _tdp_w(context)
    if tdp and is_below(per_gpu / tdp, "power_over_tdp_review"):
        yield _low_power(
            Severity.REVIEW,
            per_gpu,
            tdp * limit("power_over_tdp_review"),
            f"is about what a card with a TDP of {quantity(tdp, 'W')} draws without work; "
            "check the GPU count, the unit, and that the meter saw the GPU that ran the model.",
        )


def _low_power(severity: Severity, per_gpu: float, least: float, problem: str) -> Finding:
    return Finding(
        "PWR2",
        severity,
        observed=f"{quantity(per_gpu, 'W')} per GPU",
        limit=f"at least {quantity(least, 'W')} per GPU",
        message=f"A mean of {quantity(per_gpu, 'W')} per GPU {problem}",
        field="avg_power_w",
    )


def check_wall_power(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """PWR3: wall scope, mean W is 1.0 to 2.0 times the TDP of all GPUs together."""
    values, power, tdp = parsed.values, _mean_power_w(parsed.values), _tdp_w(context)
    if values.energy_scope != "wall" or power is None or not tdp or values.gpu_count is None:
        return
    ratio = power / (tdp * values.gpu_count)
    if is_below(ratio, "wall_low_review") or is_above(ratio, "wall_high_review"):
        yield Finding(
            "PWR3",
            Severity.REVIEW,
            observed=f"{quantity(ratio, 'x')} TDP",
            limit=f"{quantity(limit('wall_low_review'))} to {quantity(limit('wall_high_review'), 'x')} TDP",
            message=(
                f"{quantity(power, 'W')} at the wall for {values.gpu_count} GPUs of {quantity(tdp, 'W')} is unusual; "
                "check the energy scope and the GPU count, and say so if the load was light or the node held more."
            ),
            field="avg_power_w",
        )


def check_idle(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """IDL1: what is left of the energy without idle is the total less idle power x duration, subtracted once.

    Idle power may be that of one GPU or of all: the larger reading counts.
    """
    values = parsed.values
    total, adjusted, idle = values.total_energy_j, values.adjusted_energy_j, values.idle_power_w
    if total is None or adjusted is None or idle is None or values.duration_s is None:
        return
    least = total - idle * (values.gpu_count or 1) * values.duration_s
    if is_above((least - adjusted) / total, "idle_off_review") or is_above(
        (adjusted - total) / total, "idle_off_review"
    ):
        yield Finding(
            "IDL1",
            Severity.REVIEW,
            observed=quantity(adjusted, "J"),
            limit=f"{quantity(least, 'J')} to {quantity(total, 'J')}, within {percent(limit('idle_off_review'))}",
            message=(
                f"{quantity(total, 'J')} less {quantity(idle, 'W')} over {quantity(values.duration_s, 's')} is not "
                f"{quantity(adjusted, 'J')}; check that idle power is subtracted once, over the measured window."
            ),
            field="adjusted_energy_j",
        )


def _mean_power_w(values: NormalResult) -> float | None:
    """Stated mean power, else energy over duration: leaving it out must not switch these checks off."""
    if values.avg_power_w is not None:
        return values.avg_power_w
    if values.total_energy_j is None or values.duration_s is None:
        return None
    return values.total_energy_j / values.duration_s


def _tdp_w(context: Context) -> float | None:
    return context.hardware.tdp_w if context.hardware else None
