"""What a job will take: minutes, kWh, dollars and CO2, from the nearest measured results, else from a roofline.

Pure: figures go in, figures come out. Every estimate says what it rests on, and one that rests on nothing is not made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.config import LlemOrder
from leaderboard.checks.limits import BYTES_PER_WEIGHT
from runs.snapshot import WORLD_CO2_G_PER_KWH

#: shares of a board's bandwidth and arithmetic that an engine reaches, and its least seconds per decoding step
_REACHED = {"transformers": (0.35, 0.20, 0.015), "vllm": (0.65, 0.40, 0.005), "tensorrt": (0.70, 0.45, 0.004)}
#: seconds until an engine answers, beside reading the weights
_STARTUP_S = {"transformers": 15.0, "vllm": 75.0, "tensorrt": 150.0}
_DISK_GB_PER_S = 1.0
#: of the board's rated power: while it generates, and while it waits
_BUSY_SHARE, _IDLE_SHARE = 0.65, 0.15
#: of each prompt, the share of the longest input that it fills
_FILLED = 0.7
#: beside the weights: activations, the context of the engine, fragmentation
_MEMORY_FACTOR = 1.15
#: a measured result speaks for batch sizes up to twice as large or as small
_NEAR = 2.0
#: a simulated run makes its windows up within so many seconds in all, and pauses for the rest
_SIMULATED_S, _SIMULATED_RUN_S = 30.0, 0.5


@dataclass(frozen=True, slots=True)
class Board:
    """One GPU profile."""

    name: str
    memory_gb: float | None = None
    bandwidth_gb_per_s: float | None = None
    dense_tflops: float | None = None
    tdp_w: float | None = None
    usd_per_gpu_hour: float | None = None
    #: why it is this one, where nobody chose it
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the leaderboard has of this model on this board, with this engine."""

    precision: str
    batch_size: int
    throughput_tokens_per_s: float
    #: of all GPUs together
    power_w: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before the run."""

    total_b: float | None
    active_b: float | None
    board: Board | None
    measured: Sequence[Measured] = ()
    co2_g_per_kwh: float | None = None
    pue: float = 1.2


@dataclass(frozen=True, slots=True)
class CellEstimate:
    """One configuration of the grid, run once."""

    seconds: float
    energy_kwh: float | None
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the whole order takes; None is what cannot be said."""

    minutes: float | None
    energy_kwh: float | None
    usd: float | None
    co2_g: float | None
    basis: str
    cells: tuple[CellEstimate | None, ...] = ()

    def stored(self) -> dict[str, float | str | None]:
        """As a job keeps it and the API answers it."""
        figures: Mapping[str, float | None] = {
            "minutes": self.minutes,
            "energy_kwh": self.energy_kwh,
            "usd": self.usd,
            "co2_g": self.co2_g,
        }
        return {**{name: _rounded(value) for name, value in figures.items()}, "basis": self.basis}


def estimate(order: LlemOrder, facts: Facts, *, simulate: bool = False) -> Estimate:
    if simulate:
        minutes = (_SIMULATED_S + _SIMULATED_RUN_S * order.runs) / 60
        return Estimate(minutes, None, None, None, "Simulated: no GPU takes part, and nothing is spent.")
    if too_large := _too_large(order, facts):
        return Estimate(None, None, None, None, too_large)
    cells = tuple(_cell(single, facts) for single in order.each())
    known = [cell for cell in cells if cell is not None]
    if len(known) < len(cells):
        return Estimate(None, None, None, None, _why_not(facts), cells)
    seconds = order.n_cycles * sum(cell.seconds for cell in known)
    energies = [cell.energy_kwh for cell in known]
    energy = None if None in energies else order.n_cycles * sum(value or 0.0 for value in energies)
    price = facts.board.usd_per_gpu_hour if facts.board else None
    grid = WORLD_CO2_G_PER_KWH if facts.co2_g_per_kwh is None else facts.co2_g_per_kwh
    return Estimate(
        minutes=seconds / 60,
        energy_kwh=energy,
        usd=None if price is None else price * order.gpu_count * seconds / 3600,
        co2_g=None if energy is None else energy * facts.pue * grid,
        basis=_basis(known, facts, price, grid),
        cells=cells,
    )


def memory_needed_mib(order: LlemOrder, total_b: float | None) -> int:
    """Memory that each GPU must have for the weights to fit; 0 where the size of the model is not known."""
    if not total_b:
        return 0
    widest = max(BYTES_PER_WEIGHT[name] for name in order.sweep.precision or (order.precision,))
    return math.ceil(total_b * 1e9 * widest * _MEMORY_FACTOR / order.gpu_count / 2**20)


def _too_large(order: LlemOrder, facts: Facts) -> str:
    """Why the model cannot run on this board, "" where it can or nothing is known."""
    board, needed_mib = facts.board, memory_needed_mib(order, facts.total_b)
    # Memory is sold in GB and built in GiB.
    if board is None or not board.memory_gb or needed_mib <= board.memory_gb * 1024:
        return ""
    return (
        f"No estimate: the weights take {needed_mib / 1024:.0f} GiB of each GPU, and {board.name} has "
        f"{board.memory_gb:g}. Take more GPUs, or a larger one."
    )


def _cell(order: LlemOrder, facts: Facts) -> CellEstimate | None:
    board = facts.board
    near = _nearest(order, facts.measured)
    rate = near.throughput_tokens_per_s if near else _roofline_rate(order, facts)
    if rate is None or board is None:
        return None
    tokens = order.n_prompts * order.max_output_tokens
    window_s = tokens / rate
    weights_gb = (facts.total_b or 0.0) * BYTES_PER_WEIGHT[order.precision]
    warmup_s = order.warmup_prompts * order.max_output_tokens / rate
    fixed_s = _STARTUP_S[order.engine] + weights_gb / _DISK_GB_PER_S + order.baseline_s + order.settle_s
    rated = None if board.tdp_w is None else board.tdp_w * order.gpu_count
    power = near.power_w if near and near.power_w else None if rated is None else rated * _BUSY_SHARE
    energy = None
    if power is not None and rated is not None:
        joules = power * (window_s + warmup_s) + rated * _IDLE_SHARE * fixed_s
        energy = joules / 3.6e6
    return CellEstimate(fixed_s + warmup_s + window_s, energy, near is not None)


def _nearest(order: LlemOrder, measured: Sequence[Measured]) -> Measured | None:
    batch = order.batch_sizes[0]
    near = [
        (max(one.batch_size / batch, batch / one.batch_size), one)
        for one in measured
        if one.precision == order.precision
    ]
    distance, best = min(near, key=lambda pair: pair[0], default=(math.inf, None))
    return best if distance <= _NEAR else None


def _roofline_rate(order: LlemOrder, facts: Facts) -> float | None:
    """Output tokens per second: each step reads the active weights once and multiplies them with every sequence."""
    board = facts.board
    if board is None or not facts.active_b or not board.bandwidth_gb_per_s or not board.dense_tflops:
        return None
    reached_bandwidth, reached_flops, least_s = _REACHED[order.engine]
    batch = min(order.batch_sizes[0], order.n_prompts)
    reading_s = (
        facts.active_b
        * BYTES_PER_WEIGHT[order.precision]
        / (order.gpu_count * board.bandwidth_gb_per_s * reached_bandwidth)
    )
    token_s = 2 * facts.active_b / 1000 / (order.gpu_count * board.dense_tflops * reached_flops)
    step_s = max(reading_s, batch * token_s) + least_s
    prefill_s = batch * order.max_input_tokens * _FILLED * token_s + least_s
    return batch * order.max_output_tokens / (prefill_s + order.max_output_tokens * step_s)


def _basis(known: Sequence[CellEstimate], facts: Facts, price: float | None, grid: float) -> str:
    measured = sum(cell.is_measured for cell in known)
    board = f"{facts.board.name}, {facts.board.reason}" if facts.board and facts.board.reason else ""
    board = board or (facts.board.name if facts.board else "")
    if measured == len(known):
        source = f"the nearest measured results of this model on {board}"
    elif measured:
        source = f"measured results for {measured} of {len(known)} configurations, else a roofline of {board}"
    else:
        source = f"a roofline of {board}; no measured result is near"
    money = "" if price is None else f"; ${price:g} per GPU-hour"
    whose = "world average of 2024" if facts.co2_g_per_kwh is None else "yours"
    return f"From {source}{money}; {grid:g} gCO2/kWh ({whose}), PUE {facts.pue:g}."


def _why_not(facts: Facts) -> str:
    if facts.board is None:
        return "No estimate: choose a GPU."
    if not facts.active_b:
        return "No estimate: the size of this model is not in the catalogue, and no measured result is near."
    return f"No estimate: the catalogue lacks the bandwidth or the peak of {facts.board.name}."


def _rounded(value: float | None) -> float | None:
    """Three digits are more than an estimate has."""
    return None if value is None else float(f"{value:.3g}")
