"""Results below the roofs of their GPUs: what memory bandwidth and arithmetic allow at a number of sequences at once.

A decode step reads the active weights once for all its sequences, and multiplies them for each. So the rate of decoding
grows with the sequences until it meets the peak of arithmetic. Both axes are of one GPU and free of the model's
size: sequences at once, and FLOP/s of decoding, 2 x active parameters x output tokens per second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.curves import log_axis_of
from leaderboard.checks.ceilings import peak_tflops, step_floor_ms, tflops_of
from leaderboard.checks.findings import HardwareFacts

SLUG, TITLE = "roofline", "Roofline"
#: pairs of GPU and precision: a phone's legend takes no more with their roofs
MAX_GROUPS = 6
#: drawn where the results do not state their precision
REFERENCE = "bf16"
_WHAT_COUNTS = (
    "Output tokens only: reading prompts takes arithmetic that is not counted. A model of experts reads more than its "
    "active weights in a batch, and attention reads its cache, so the roof cannot be reached."
)


#: GPU and precision, "" for unknown
Group = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """One result as far as its place depends on it."""

    name: str
    board: str
    precision: str
    active_b: float
    gpu_count: int
    #: sequences decoded at once
    load: int
    throughput_tokens_per_s: float
    url: str = ""

    @property
    def tflops_per_gpu(self) -> float:
        return tflops_of(self.active_b, self.throughput_tokens_per_s) / self.gpu_count


@dataclass(frozen=True, slots=True)
class Roof:
    """What one GPU can do with weights of one precision, in TFLOP/s."""

    board: HardwareFacts
    precision: str

    def bandwidth(self, load: float) -> float | None:
        """As many tokens as sequences in the time of reading the weights; the size of the model cancels out."""
        floor_ms = step_floor_ms(1.0, self.precision, 1, self.board.bandwidth_gb_per_s)
        return None if floor_ms is None else tflops_of(1.0, load * 1000 / floor_ms)

    @property
    def peak(self) -> float | None:
        return peak_tflops(self.precision, self.board.tflops)

    def at(self, load: float) -> float | None:
        known = [each for each in (self.bandwidth(load), self.peak) if each is not None]
        return min(known, default=None)

    @property
    def ridge(self) -> float | None:
        """The load from which on arithmetic is the limit."""
        slow, peak = self.bandwidth(1), self.peak
        return peak / slow if slow and peak else None

    def bound_by(self, load: float) -> str:
        slow, peak = self.bandwidth(load), self.peak
        if slow is None or peak is None:
            return ""
        return "memory bandwidth" if slow < peak else "arithmetic"


def roofline(runs: Sequence[Run], boards: Sequence[HardwareFacts], notes: Sequence[str] = ()) -> Chart:
    """Every run is on one of `boards`."""
    by_name = {board.name: board for board in boards}
    groups = {group: place for place, group in enumerate(dict.fromkeys((run.board, run.precision) for run in runs))}
    loads = [float(run.load) for run in runs]
    return Chart(
        slug=SLUG,
        title="Results below the roofs of their GPUs",
        summary=_summary(runs, by_name),
        traces=[
            *(_line(roof, groups, loads) for roof in _roofs(runs, by_name)),
            *(_marks(runs, group, groups, by_name) for group in groups),
        ],
        layout=look.layout(
            x=look.axis("Sequences at once", **(log_axis_of(loads) if loads else {})),
            y=look.axis("Decoding, TFLOP/s per GPU", is_log=True),
            height=look.LARGE,
            showlegend=True,
        ),
        table=Table(_COLUMNS, [_row(run, by_name) for run in runs], [run.url for run in runs]),
        notes=[*_own_notes(runs), *notes] if runs else notes,
    )  # fmt: skip


_COLUMNS = (
    Column("result", "Result"),
    Column("hardware", "GPU"),
    Column("precision", "Precision"),
    Column("sequences", "Sequences at once"),
    Column("tflops_per_gpu", "Decoding", "TFLOP/s per GPU"),
    Column("roof_tflops", "Roof", "TFLOP/s per GPU"),
    Column("percent_of_roof", "Of the roof", "%"),
    Column("bound_by", "Bound by"),
)


def roof_of(run: Run, boards: Mapping[str, HardwareFacts]) -> Roof | None:
    """The roof that a run is judged by; None where its precision is not known."""
    return Roof(boards[run.board], run.precision) if run.precision else None


def share_of_roof(run: Run, boards: Mapping[str, HardwareFacts]) -> float | None:
    roof = roof_of(run, boards)
    most = roof.at(run.load) if roof else None
    return run.tflops_per_gpu / most if most else None


def _row(run: Run, boards: Mapping[str, HardwareFacts]) -> tuple[Value, ...]:
    roof, share = roof_of(run, boards), share_of_roof(run, boards)
    return (
        run.name,
        run.board,
        run.precision or "not stated",
        run.load,
        run.tflops_per_gpu,
        roof.at(run.load) if roof else None,
        None if share is None else share * 100,
        roof.bound_by(run.load) if roof else "",
    )


def _roofs(runs: Sequence[Run], boards: Mapping[str, HardwareFacts]) -> list[Roof]:
    """One for each GPU and precision among the runs; bf16 where none is stated."""
    wanted = dict.fromkeys((run.board, run.precision or REFERENCE) for run in runs)
    roofs = [Roof(boards[board], precision) for board, precision in wanted]
    return [roof for roof in roofs if roof.at(1) is not None]


def _name(group: Group, groups: Mapping[Group, int]) -> str:
    """The precision, and the GPU where there are several."""
    board, precision = group
    words = precision or "precision not stated"
    return f"{board}, {words}" if len({each for each, _ in groups}) > 1 else words


def _line(roof: Roof, groups: Mapping[Group, int], loads: Sequence[float]) -> dict[str, Any]:
    """The roof in the colour of its results; they may be those that do not state a precision."""
    group = roof.board.name, roof.precision
    mark = look.mark(groups[group] if group in groups else groups[roof.board.name, ""])
    low, high = min(loads), max(max(loads), min(loads) * 2)
    at = [low, *([roof.ridge] if roof.ridge and low < roof.ridge < high else []), high]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look.plain(f"roof at {_name(group, groups)}"),
        "x": at,
        "y": [roof.at(load) for load in at],
        "line": {"color": mark.color, "width": 2.5, "dash": mark.dash},
        "hoverinfo": "skip",
    }


def _marks(
    runs: Sequence[Run], group: Group, groups: Mapping[Group, int], boards: Mapping[str, HardwareFacts]
) -> dict[str, Any]:
    its = [(row, run) for row, run in enumerate(runs) if (run.board, run.precision) == group]
    mark = look.mark(groups[group])
    return {
        "type": "scatter",
        "mode": "markers",
        "name": look.plain(_name(group, groups)),
        "x": [run.load for _, run in its],
        "y": [run.tflops_per_gpu for _, run in its],
        "marker": {"color": mark.color, "symbol": mark.symbol, "size": 9, "line": {"color": "surface", "width": 1}},
        "customdata": [row for row, _ in its],
        "hovertext": [_hover(run, boards) for _, run in its],
        "hoverinfo": "text",
    }


def _hover(run: Run, boards: Mapping[str, HardwareFacts]) -> str:
    share = share_of_roof(run, boards)
    return look.lines(
        run.name,
        run.board,
        f"{fmt.count(run.load, 'sequence')} at once, {fmt.number(run.tflops_per_gpu)} TFLOP/s per GPU",
        "" if share is None else f"{fmt.number(share * 100, 3)} % of the roof",
    )


def _own_notes(runs: Sequence[Run]) -> list[str]:
    notes = [_WHAT_COUNTS]
    unknown = sum(not run.precision for run in runs)
    if unknown:
        verb = "does" if unknown == 1 else "do"
        notes.append(
            f"{fmt.count(unknown, 'result')} {verb} not state a precision: their roof is not known, and the one drawn "
            f"is that of {REFERENCE}."
        )
    return notes


def _summary(runs: Sequence[Run], boards: Mapping[str, HardwareFacts]) -> str:
    if not runs:
        return "No result has a throughput, a batch size, a GPU count, and a model and a GPU of known size."
    judged = [(share, run) for run in runs if (share := share_of_roof(run, boards)) is not None]
    if not judged:
        most = max(runs, key=lambda run: run.tflops_per_gpu)
        return (
            f"Decoding reaches at most {fmt.number(most.tflops_per_gpu, 3)} TFLOP/s per GPU: {most.name}, at "
            f"{fmt.count(most.load, 'sequence')} at once."
        )
    share, best = max(judged, key=lambda pair: pair[0])
    roofs = [(Roof(boards[run.board], run.precision), run) for _, run in judged]
    bound = sum(roof.bound_by(run.load) == "memory bandwidth" for roof, run in roofs)
    load = fmt.count(best.load, "sequence")
    return (
        f"Nearest to its roof: {best.name}, {best.precision}, {load} at once, with {fmt.number(share * 100, 2)} %. "
        f"Memory bandwidth bounds {bound:,} of {fmt.count(len(judged), 'result')}, arithmetic the rest."
    )
