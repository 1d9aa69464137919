"""The builder: groups of fields, and the plan that an order amounts to before it is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.forms import BoundField

from jobs.config import LlemOrder
from jobs.estimating import CellEstimate, Estimate
from jobs.forecast import Place
from jobs.forms import ENGINES, VARIED_WORDS, OrderForm
from jobs.models import Agent, Engine, Job
from jobs.presenting.common import agent_link, needs_words
from jobs.presenting.queue import place_words
from jobs.presenting.states import about
from leaderboard.format import count, number
from leaderboard.pages import Link

_WHAT = ("model", "engine", "precision", "batch_sizes", "vary_1", "vary_1_values", "vary_2", "vary_2_values")
_WORK = ("n_prompts", "max_input_tokens", "max_output_tokens", "n_cycles")
_WHERE = ("hardware", "gpu_count", "label", "simulate")
_METHOD = (
    "dataset", "prompt_order", "seed", "cycle_order", "warmup_prompts", "settle_s", "baseline_s", "wall_minutes",
    "latency",
)  # fmt: skip
_SAMPLING = ("sampling", "temperature", "top_p", "top_k", "repetition_penalty")
_AXES = {"batch_size": "Batch size", **VARIED_WORDS}


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields under one heading; a group with a name folds, and opens where something in it is wrong."""

    name: str
    title: str
    fields: Sequence[BoundField]

    @property
    def is_open(self) -> bool:
        return any(field.errors for field in self.fields)


@dataclass(frozen=True, slots=True)
class GridRow:
    name: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """Every configuration of a sweep, by one or two parameters, each with its estimate."""

    corner: str
    #: the parameter that the columns are values of, "" where there is but one
    across: str
    heads: Sequence[str]
    rows: Sequence[GridRow]
    #: whether some cells are measured and some, marked, are not
    is_mixed: bool


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen if the order were placed now."""

    title: str
    runs: str
    figures: Sequence[Figure]
    basis: str
    needs: str
    place: str
    hosts: Sequence[Link]
    stopped_after: str
    grid: Grid | None
    yaml: str


def field_groups(form: OrderForm) -> dict[str, Sequence[FieldGroup] | Sequence[BoundField]]:
    """The form in the order of its page; nothing is left out."""
    folded = [
        FieldGroup("method", "How it is measured", [form[name] for name in _METHOD]),
        FieldGroup("sampling", "Sampling", [form[name] for name in _SAMPLING]),
        *(FieldGroup(engine, f"Settings of {Engine(engine).label}", _of_engine(form, engine)) for engine in ENGINES),
    ]
    return {
        "what": [form[name] for name in _WHAT],
        "work": [form[name] for name in _WORK],
        "where": [form[name] for name in _WHERE],
        "folded": folded,
    }


def plan_of(job: Job, order: LlemOrder, told: Estimate, *, place: Place, hosts: Sequence[Agent]) -> Plan:
    return Plan(
        title=job.title,
        runs=_runs_words(order),
        figures=_figures(told),
        basis=told.basis,
        needs=needs_words(job),
        place=f"Number {place.position:,} in the queue: {place_words(place)}.",
        hosts=[agent_link(agent) for agent in hosts],
        stopped_after=about(job.wall_s).removeprefix("about "),
        grid=_grid(order, told.cells),
        yaml=job.rendered,
    )


def _of_engine(form: OrderForm, engine: str) -> list[BoundField]:
    return [form[name] for name in form.fields if name.startswith(f"{engine}-")]


def _runs_words(order: LlemOrder) -> str:
    """ "6 configurations x 3 cycles: 18 runs"."""
    if order.runs == 1:
        return "1 run"
    return f"{count(order.cells, 'configuration')} x {count(order.n_cycles, 'cycle')}: {count(order.runs, 'run')}"


def _figures(told: Estimate) -> list[Figure]:
    minutes = told.minutes
    hours = minutes is not None and minutes >= 90
    time = None if minutes is None else minutes / 60 if hours else minutes
    return [
        Figure("Time", number(time, 2), "h" if hours else "min"),
        Figure("Energy", number(told.energy_kwh, 2), "kWh"),
        Figure("Cost", number(told.usd, 2), "$"),
        Figure("CO2", number(told.co2_g, 2), "g"),
    ]


def _grid(order: LlemOrder, cells: Sequence[CellEstimate | None]) -> Grid | None:
    axes = list(order.axes().items())
    if not axes:
        return None
    name, values = axes[0]
    other, columns = axes[1] if len(axes) > 1 else ("", ("",))
    is_mixed = len({cell.is_measured for cell in cells if cell}) > 1
    shown = [_cell_words(cell, is_mixed) for cell in cells] or [""] * (len(values) * len(columns))
    rows = [
        GridRow(str(value), shown[place * len(columns) : (place + 1) * len(columns)])
        for place, value in enumerate(values)
    ]
    heads = [str(value) for value in columns] if other else ["One run takes"]
    return Grid(_AXES[name], _AXES.get(other, ""), heads, rows, is_mixed)


def _cell_words(cell: CellEstimate | None, is_mixed: bool) -> str:
    if cell is None:
        return "unknown"
    return f"{number(cell.seconds / 60, 2)} min{' *' if is_mixed and not cell.is_measured else ''}"
