"""The advice for one model on one GPU, in words, with the evidence linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leaderboard import format as fmt
from leaderboard.advice_pages import AdvicePair, AdviceRow, AdviceStep
from leaderboard.analysis.advice import Advice, Evidence, Step
from leaderboard.analysis.neighbours import AXES, Measured, Pair, Value
from leaderboard.checks.limits import limit
from leaderboard.metrics import Better, Metric
from leaderboard.presenting.comparing import compare_url
from leaderboard.presenting.comparing_words import noun

MAX_PAIRS = 5
#: other steps of one setting than the best
MAX_STEPS = 6
LABELS = {
    "batch_size": "Batch size",
    "concurrency": "Concurrent requests",
    "precision": "Precision",
    "backend": "Backend",
    "backend_version": "Backend version",
    "gpu_count": "GPU count",
    "tensor_parallel": "Tensor parallel",
    "power_limit_w": "Power limit",
}
UNITS = {"power_limit_w": " W", "gpu_count": " GPUs", "tensor_parallel": " GPUs"}
SOURCES = {
    None: "",
    Evidence.YOURS: "",
    Evidence.SAME_MODEL: "",
    Evidence.OTHER_MODELS: "Measured on other models of a similar size, not on this one.",
}
NOT_YOURS = "Nobody measured it from your configuration: these pairs differ from it in other settings."


def tolerance_of(metric: Metric) -> float:
    """What a rerun of the same configuration may differ by (docs/checks.md, REP1): less is no gain."""
    if metric.group == "Latency":
        return limit("rerun_latency_p99" if metric.name.endswith("p99") else "rerun_latency_p50")
    return limit("rerun_throughput_open" if metric.group == "Throughput" else "rerun_energy")


def advice_row(advice: Advice, metric: Metric, backends: Mapping[str, str], *, has_start: bool) -> AdviceRow:
    source = SOURCES[advice.evidence]
    if advice.evidence == Evidence.SAME_MODEL and has_start:
        source = NOT_YOURS
    others = [step for step in advice.steps if step is not advice.best and (step.factor > 1 or not advice.best)]
    return AdviceRow(
        label=LABELS[advice.axis],
        kind="gain" if advice.best else "no-gain" if advice.evidence else "unmeasured",
        source=source,
        words=_words(advice, metric),
        best=_step(advice.best, metric, backends) if advice.best else None,
        others=[_step(step, metric, backends) for step in others[:MAX_STEPS]],
    )


def _words(advice: Advice, metric: Metric) -> str:
    outside = fmt.count(advice.outside_limits, "measured pair")
    if advice.evidence is None:
        return "No measured pair: no two results differ in this alone."
    if not advice.steps:
        return f"{outside}, and none ends within your limits."
    less = f"{outside} more would end outside your limits." if advice.outside_limits else ""
    if advice.best is None:
        pairs = fmt.count(sum(len(step.pairs) for step in advice.steps), "measured pair")
        percent = fmt.number(tolerance_of(metric) * 100, 2)
        return f"{pairs}; no step gains more than the {percent} % that a rerun may differ by. {less}".strip()
    return less


def _step(step: Step, metric: Metric, backends: Mapping[str, str]) -> AdviceStep:
    before, after = (value_words(step.axis, value, backends) for value in (step.before, step.after))
    count = len(step.pairs)
    basis = "one measured pair"
    if count > 1:
        low, high = sorted((_times(step.lowest, metric), _times(step.highest, metric)))
        spread = f"from {_factor(low)} to {_factor(high)}" if _factor(low) != _factor(high) else f"all {_factor(low)}"
        basis = f"median of {count:,} measured pairs, {spread}"
    shown = [_pair(step, pair, metric, backends) for pair in step.pairs[:MAX_PAIRS]]
    return AdviceStep(
        change=f"from {before} to {after}",
        effect=f"{_factor(_times(step.factor, metric))} the {noun(metric)}",
        basis=basis,
        pairs=shown,
        more=f"and {fmt.count(count - MAX_PAIRS, 'more pair')}" if count > MAX_PAIRS else "",
    )


def _pair(step: Step, pair: Pair, metric: Metric, backends: Mapping[str, str]) -> AdvicePair:
    label = _surroundings(step.axis, pair.before, backends)
    if step.axis == "backend":
        versions = [str(one.settings.get("backend_version", "version not stated")) for one in (pair.before, pair.after)]
        label = ", ".join(part for part in (label, " to ".join(versions)) if part)
    return AdvicePair(
        label=label or "nothing else stated",
        url=compare_url(results=[pair.before.id, pair.after.id]),
        factor=_factor(_times(pair.factor, metric)),
    )


def _surroundings(axis: str, one: Measured, backends: Mapping[str, str]) -> str:
    """What stayed the same: "vLLM, 0.5.4, batch 32"."""
    hidden = {axis, "backend_version"} if axis == "backend" else {axis}
    parts = [
        f"{LABELS[name].lower() + ' ' if name in ('batch_size', 'concurrency', 'tensor_parallel') else ''}"
        f"{value_words(name, one.settings[name], backends)}"
        for name in AXES
        if name in one.settings and name not in hidden
    ]
    return ", ".join(parts)


def value_words(axis: str, value: Value, backends: Mapping[str, str]) -> str:
    if axis == "backend":
        return backends.get(str(value), str(value))
    text = f"{fmt.exact(value)}{UNITS.get(axis, '')}"
    return text.removesuffix("s") if axis in ("gpu_count", "tensor_parallel") and value == 1 else text


def _times(factor: float, metric: Metric) -> float:
    """How the figure itself moves: a gain makes a figure smaller where less is better."""
    return factor if metric.better == Better.HIGHER else 1 / factor


def _factor(times: float) -> str:
    return f"{fmt.number(times, 3 if 0.9 < times < 1.1 else 2)}x"


def gains(rows: Sequence[AdviceRow]) -> list[AdviceRow]:
    return [row for row in rows if row.kind == "gain"]
