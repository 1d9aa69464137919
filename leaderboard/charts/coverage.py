"""Which model was measured on which GPU: what is there, what failed, what cannot be, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import figure_words
from leaderboard.checks.ceilings import card_gb, weights_gb
from leaderboard.metrics import BY_NAME

SLUG, TITLE = "coverage", "Coverage of models and GPUs"
MAX_MODELS, MAX_HARDWARE = 24, 10
#: the smallest precision in common use; narrower ones are rare
SMALLEST = "int4"
#: letters that the name of a model and of a GPU have room for, and on a phone
_LETTERS, _PHONE_LETTERS = (28, 18), (17, 18)


class State(StrEnum):
    """What is known of a cell; the value is how pages say it."""

    MEASURED = "measured"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"
    NOT_MEASURED = "request this run"


@dataclass(frozen=True, slots=True)
class Row:
    """One model."""

    title: str
    parameters_total_b: float | None


@dataclass(frozen=True, slots=True)
class Head:
    """One GPU."""

    name: str
    memory_gb: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened in a cell: ranked results and the best of them, and jobs that failed. `url` leads there."""

    results: int = 0
    best: float | None = None
    failed: int = 0
    url: str = ""


Place = tuple[int, int]


def gpus_needed(row: Row, head: Head) -> int | None:
    """The fewest GPUs whose memory holds the weights at the smallest common precision; None where unknown."""
    weights, card = weights_gb(row.parameters_total_b, SMALLEST), card_gb(head.memory_gb)
    return None if weights is None or card is None else max(1, -int(-weights // card))


def state_of(row: Row, head: Head, seen: Seen | None, most_gpus: int) -> State:
    if seen and seen.results:
        return State.MEASURED
    if seen and seen.failed:
        return State.FAILED
    needed = gpus_needed(row, head)
    return State.NOT_SUPPORTED if needed is not None and needed > most_gpus else State.NOT_MEASURED


def coverage(
    metric: str,
    sides: tuple[Sequence[Row], Sequence[Head]],
    seen: Mapping[Place, Seen],
    *,
    most_gpus: int,
    request_urls: Mapping[Place, str],
    notes: Sequence[str] = (),
) -> Chart:
    """Models down, GPUs across; `seen` and `request_urls` by (place of the model, place of the GPU)."""
    models, gpus = sides
    places = [(i, j) for i in range(len(models)) for j in range(len(gpus))]
    states = {(i, j): state_of(models[i], gpus[j], seen.get((i, j)), most_gpus) for i, j in places}
    return Chart(
        slug=SLUG,
        title=TITLE,
        summary=_summary(states, sides),
        traces=[_trace(metric, sides, seen, states)] if places else [],
        layout=_layout(sides),
        table=Table(
            _columns(metric),
            [_row(place, sides, seen.get(place, Seen()), states[place]) for place in places],
            [_url(states[place], seen.get(place), request_urls.get(place, "")) for place in places],
        ),
        notes=[*notes, basis(most_gpus)],
    )


def _layout(sides: tuple[Sequence[Row], Sequence[Head]]) -> dict[str, Any]:
    names = [model.title for model in sides[0]], [gpu.name for gpu in sides[1]]
    return look.layout(
        x=_axis(names[1], _LETTERS[1], side="top", tickangle=-45),
        y=_axis(names[0], _LETTERS[0], autorange="reversed"),
        height=look.MEDIUM if len(sides[0]) <= 8 else look.TALL,
        margin={"l": 60, "r": 12, "t": 60, "b": 12, "pad": 2},
        narrow={
            "xaxis": {"tickangle": -90, **_ticks(names[1], _PHONE_LETTERS[1])},
            "yaxis": _ticks(names[0], _PHONE_LETTERS[0]),
            "font": {"size": 10.5},
            "margin": {"l": 40, "r": 4, "t": 40, "b": 8},
        },
    )


def _columns(metric: str) -> tuple[Column, ...]:
    head = BY_NAME[metric]
    return (
        Column("state", "State"),
        Column("model", "Model"),
        Column("hardware", "GPU"),
        Column("results", "Results"),
        Column(metric, f"Best {head.label}", head.unit),
        Column("failed_jobs", "Failed jobs"),
        Column("gpus_needed", "GPUs that hold the weights"),
    )


def basis(most_gpus: int) -> str:
    return (
        f"Not supported: at 4 bits (0.56 bytes a weight) the weights alone do not fit into the memory of "
        f"{fmt.count(most_gpus, 'GPU')}, by the catalogue's parameters and memory. Not counted: activations, the "
        "KV cache, offloading."
    )


def _url(state: State, seen: Seen | None, request_url: str) -> str:
    return (seen.url if seen else "") or ("" if state is State.NOT_SUPPORTED else request_url)


def _row(place: Place, sides: tuple[Sequence[Row], Sequence[Head]], seen: Seen, state: State) -> tuple[Value, ...]:
    model, gpu = sides[0][place[0]], sides[1][place[1]]
    return (state.value, model.title, gpu.name, seen.results, seen.best, seen.failed, gpus_needed(model, gpu))


_LEVELS = {State.NOT_SUPPORTED: 0, State.NOT_MEASURED: 1, State.FAILED: 2, State.MEASURED: 3}
_COLOURS = ("page", "line-soft", "warn", "series-1")


def _trace(
    metric: str,
    sides: tuple[Sequence[Row], Sequence[Head]],
    seen: Mapping[Place, Seen],
    states: Mapping[Place, State],
) -> dict[str, Any]:
    models, gpus = sides
    grid = [[(i, j) for j in range(len(gpus))] for i in range(len(models))]
    steps = len(_COLOURS)
    return {
        "type": "heatmap",
        "x": list(range(len(gpus))),
        "y": list(range(len(models))),
        "z": [[_LEVELS[states[place]] for place in row] for row in grid],
        "zmin": -0.5,
        "zmax": steps - 0.5,
        "colorscale": [[edge / steps, colour] for place, colour in enumerate(_COLOURS) for edge in (place, place + 1)],
        "text": [[_glyph(states[place], seen.get(place)) for place in row] for row in grid],
        "texttemplate": "%{text}",
        "textfont": {"size": 11},
        "hovertext": [
            [_hover(metric, models[i], gpus[j], (states[i, j], seen.get((i, j)))) for i, j in row] for row in grid
        ],
        "hoverinfo": "text",
        "customdata": [[i * len(gpus) + j for _, j in row] for i, row in enumerate(grid)],
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }


def _glyph(state: State, seen: Seen | None) -> str:
    """What a cell says without its colour: how many results, or a sign."""
    if state is State.MEASURED and seen:
        return f"{seen.results:,}" if seen.results < 1000 else f"{seen.results // 1000}k"
    return {State.FAILED: "×", State.NOT_SUPPORTED: "–", State.NOT_MEASURED: "+"}.get(state, "")


def _axis(names: Sequence[str], letters: int, **more: Any) -> dict[str, Any]:
    """Places with names under them: as categories, two names that are cut alike would be one."""
    return look.axis("", showgrid=False, zeroline=False, ticks="", fixedrange=True, **_ticks(names, letters), **more)


def _ticks(names: Sequence[str], letters: int) -> dict[str, Any]:
    return {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [_shortened(name, letters) for name in names],
    }


def _shortened(text: str, most: int) -> str:
    return look.plain(text if len(text) <= most else f"{text[: most - 1]}…")


def _hover(metric: str, model: Row, gpu: Head, cell: tuple[State, Seen | None]) -> str:
    state, seen = cell
    parts = [f"{model.title} on {gpu.name}"]
    if state is State.NOT_SUPPORTED:
        needed = gpus_needed(model, gpu)
        parts.append(f"not supported: the weights at 4 bits need {fmt.count(needed or 0, 'GPU')}")
    elif state is State.NOT_MEASURED:
        parts.append("not measured: request this run")
    if seen and seen.results:
        parts.append(fmt.count(seen.results, "result"))
    if seen and seen.best is not None:
        parts.append(f"best {figure_words(seen.best, metric)}")
    if seen and seen.failed:
        parts.append(fmt.count(seen.failed, "failed job"))
    return look.lines(*parts)


def _summary(states: Mapping[Place, State], sides: tuple[Sequence[Row], Sequence[Head]]) -> str:
    if not states:
        return "No model and GPU of the catalogue pass the filters."
    counts = Counter(states.values())
    told = [f"{counts[State.MEASURED]} measured"]
    told += [f"{counts[State.FAILED]} tried and failed"] if counts[State.FAILED] else []
    told += [f"{counts[State.NOT_SUPPORTED]} not supported"] if counts[State.NOT_SUPPORTED] else []
    told += [f"{counts[State.NOT_MEASURED]} not measured"] if counts[State.NOT_MEASURED] else []
    size = f"{fmt.count(len(sides[0]), 'model')} on {fmt.count(len(sides[1]), 'GPU')}"
    return (
        f"Of {len(states):,} pairs, {size}: {', '.join(told)}. A number counts results; × failed, – not supported, "
        "+ not measured."
    )
