"""Answers in words: what a configuration is called, what its figure is, and what another limit would change."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard import format as fmt
from leaderboard.analysis_pages import Named
from leaderboard.board import Prices
from leaderboard.metrics import BY_NAME
from leaderboard.models import Result
from leaderboard.presenting.board import cell_value
from leaderboard.presenting.common import (
    backend_words,
    batch_words,
    gpu_words,
    model_link,
    result_url,
    trust_badge,
)
from leaderboard.question import CO2, COST, ELECTRICITY, GOALS, GPU_TIME, GRAMS, TOKENS_PER_JOULE, Question

GOAL_WORDS = dict(zip(GOALS, ("tokens per joule", "$ of GPU time", "$ of electricity", "grams of CO2"), strict=True))
#: ends "Which configuration …"
ASKED_WORDS = {
    TOKENS_PER_JOULE: "gives the most tokens per joule",
    GPU_TIME: "costs the least GPU time",
    ELECTRICITY: "costs the least electricity",
    CO2: "emits the least CO2",
}
LABELS = {COST: "Cost", GRAMS: "CO2"}
UNITS = {COST: "$/M tokens", GRAMS: "g CO2/M tokens"}
SCOPES = {"gpu": "GPU energy", "node": "node energy", "wall": "wall energy", "": "energy of unknown scope"}
SEVERAL_SCOPES = "Several energy scopes, as you chose: what one meter leaves out is in another's figure."
#: which way a figure can change: (more, less) of it
_CHANGES = {
    TOKENS_PER_JOULE: ("more tokens per joule", "fewer tokens per joule"),
    GPU_TIME: ("dearer", "cheaper"),
    ELECTRICITY: ("dearer", "cheaper"),
    CO2: ("more CO2", "less CO2"),
}
_ENERGY_CHANGES = ("more energy per token", "less energy per token")
NO_CHANGE = 0.005


def named(result: Result, question: Question, columns: Sequence[str] = ()) -> Named:
    """`columns` are the metrics whose values stand beside the goal's."""
    prices = question.ranked.prices
    return Named(
        name=f"{model_link(result).label} on {gpu_words(result)} with {configuration(result, with_gpu=False)}",
        figure=goal_figure(goal_value(result, question), question),
        basis="; ".join(part for part in (_scope(result, question), repeats(result, question)) if part),
        limits=[metric_words(result, column, prices) for column in columns],
        trust=trust_badge(result.trust),
        url=result_url(result),
    )


def configuration(result: Result, *, with_gpu: bool = True) -> str:
    """ "1 x H100 SXM, vLLM 0.5.4, bf16, batch 64"; a precision that nobody states is said to be unknown."""
    batch = batch_words(result)
    parts = [
        gpu_words(result) if with_gpu else "",
        backend_words(result),
        result.precision or "precision not stated",
        f"batch {batch}" if result.batch_size is not None else batch,
    ]
    return ", ".join(part for part in parts if part)


def goal_value(result: Result, question: Question) -> float | None:
    return cell_value(result, question.metric, question.ranked.prices)


def goal_figure(value: float | None, question: Question) -> str:
    """ "9.171 tok/J", "$0.1350 per million tokens"."""
    if question.metric.name == COST:
        return f"${fmt.number(value)} per million tokens"
    if question.metric.name == GRAMS:
        return f"{fmt.number(value)} g CO2 per million tokens"
    return f"{fmt.number(value)} {question.metric.unit}"


def goal_unit(question: Question) -> str:
    return UNITS.get(question.metric.name, question.metric.unit)


def goal_label(question: Question) -> str:
    """What heads and axes call the goal's figure."""
    return LABELS.get(question.metric.name, question.metric.label)


def metric_words(result: Result, column: str, prices: Prices) -> str:
    """ "ITL p50 18.2 ms"."""
    metric = BY_NAME[column]
    value = cell_value(result, metric, prices)
    if value is None:
        return f"{metric.label} not stated"
    return f"{metric.label} {fmt.number(value)} {metric.unit}".rstrip()


def limit_words(column: str, edge: str, limit: float) -> str:
    """ "ITL p50 at most 20 ms"."""
    metric = BY_NAME[column]
    return f"{metric.label} at {'most' if edge == 'max' else 'least'} {fmt.exact(limit)} {metric.unit}".rstrip()


def repeats(result: Result, question: Question) -> str:
    """ "±1.2 % over 3 runs", "1 run, so no interval", "runs not stated"."""
    if not result.runs:
        return "runs not stated"
    runs = fmt.count(result.runs, "run")
    shown = interval(result, question)
    if shown:
        return f"{shown} over {runs}"
    return f"{runs}, so no interval" if result.runs == 1 else f"{runs}, no interval"


def interval(result: Result, question: Question) -> str:
    """Half the 95 % interval of the goal's figure, such as "±1.2 %", or ""."""
    value, around = goal_value(result, question), bounds(result, question)
    return fmt.interval_percent(value, *around) if value and around else ""


def bounds(result: Result, question: Question) -> tuple[float, float] | None:
    """The 95 % interval of the goal's figure, in its unit.

    Prices and grid factors scale a figure and its interval alike; a figure that is the inverse of a measured one has
    the inverse bounds.
    """
    value, straight, inverse = goal_value(result, question), "energy_per_output_token_j", "tokens_per_joule"
    if question.metric.name == TOKENS_PER_JOULE:
        straight, inverse = inverse, straight
    elif question.goal == GPU_TIME:
        straight, inverse = "", "throughput_tokens_per_s"
    own = _around(result, straight)
    if value and own:
        return value * own[0], value * own[1]
    own = _around(result, inverse)
    if value and own and own[0] > 0:
        return value / own[1], value / own[0]
    return None


def _around(result: Result, column: str) -> tuple[float, float] | None:
    """The interval of a measured figure as shares of the figure."""
    statistics = result.statistics.get(column) or {}
    low, high = statistics.get("ci95_low"), statistics.get("ci95_high")
    value = getattr(result, column) if column else None
    return (low / value, high / value) if value and low is not None and high is not None else None


def _scope(result: Result, question: Question) -> str:
    return SCOPES[result.energy_scope] if question.is_about_energy and result.energy_scope in SCOPES else ""


def change_words(new: float | None, old: float | None, question: Question) -> str:
    """ "12 % dearer", "no change" below half a percent; "" where there is nothing to compare."""
    if not new or not old:
        return ""
    share = new / old - 1
    if abs(share) < NO_CHANGE:
        return "no change"
    more, less = _ENERGY_CHANGES if question.lacks else _CHANGES[question.goal]
    if share > 1:
        return f"{fmt.number(new / old, 2)} times as {_TIMES[question.goal] if not question.lacks else 'much energy'}"
    percent = fmt.number(float(f"{abs(share) * 100:.2g}"), 2)
    return f"{percent} % {more if share > 0 else less}"


_TIMES = {
    TOKENS_PER_JOULE: "many tokens per joule",
    GPU_TIME: "dear",
    ELECTRICITY: "dear",
    CO2: "much CO2",
}
