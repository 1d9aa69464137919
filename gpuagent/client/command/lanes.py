"""The lanes of a live run, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gpuagent.client.command.terminal import figure, plain, table
from gpuagent.client.live_shapes import LiveEvent, LiveRun, LiveScore

HEADS = ("lane", "type", "model", "use case", "cases", "tok/s", "mean", "latency ms", "VRAM MB", "W", "tok/J")
RIGHT = range(4, len(HEADS))


@dataclass(slots=True)
class Lane:
    """One lane after the events so far."""

    type: str = ""
    last: LiveEvent | None = None
    count: int = 0
    total: float = 0.0
    tokens: int = 0
    energy_j: float = 0.0

    def add(self, event: LiveEvent) -> None:
        self.count += 1
        self.total += event.tokens_per_s
        # Only what comes with both says anything about tokens per joule.
        if event.energy_j and event.output_tokens is not None:
            self.tokens += event.output_tokens
            self.energy_j += event.energy_j
        if self.last is None or event.ts >= self.last.ts:
            self.last = event

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    @property
    def tokens_per_joule(self) -> float | None:
        return self.tokens / self.energy_j if self.energy_j else None


@dataclass(slots=True)
class Board:
    """A run with its lanes, in the order in which they are named or first heard of."""

    run: LiveRun
    lanes: dict[str, Lane] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lanes |= {gpu.name: Lane(gpu.type) for gpu in self.run.gpus}

    def add(self, event: LiveEvent) -> None:
        self.lanes.setdefault(event.gpu, Lane()).add(event)

    def lines(self, width: int | None = None) -> list[str]:
        """The head and a line for each lane, cut where the terminal ends."""
        told = [self.head(), *table(HEADS, (self._row(name, lane) for name, lane in self.lanes.items()), right=RIGHT)]
        return told if width is None else [line[: max(1, width - 1)] for line in told]

    def head(self) -> str:
        run = self.run
        until = run.ended_at or datetime.now(UTC)
        minutes, seconds = divmod(max(0, int((until - run.started_at).total_seconds())), 60)
        marks = [
            plain(run.label or run.id),
            plain(run.status or "running"),
            f"{minutes // 60}:{minutes % 60:02}:{seconds:02}",
        ]
        return "  ".join([*marks, *(["SIMULATED"] if run.simulated else [])])

    def end(self, scores: Sequence[LiveScore]) -> list[str]:
        """What stands below the lanes when it is over."""
        by_model: dict[str, list[float]] = {}
        for score in scores:
            by_model.setdefault(score.model, []).append(score.composite)
        return [
            f"{plain(model)}: composite {sum(values) / len(values):.3f} over {len(values)} test cases"
            for model, values in by_model.items()
        ]

    def _row(self, name: str, lane: Lane) -> list[str]:
        event = lane.last
        if event is None:
            return [name, lane.type, *("-" for _ in HEADS[2:])]
        cases = f"{event.eval_index}/{event.eval_total}" if event.eval_total else "-"
        figures = (event.tokens_per_s, lane.mean, event.latency_ms or None, event.vram_used_mb or None, event.power_w)
        told = [figure(value) for value in (*figures, lane.tokens_per_joule)]
        return [name, lane.type, event.model, event.use_case, cases, *told]


def event_line(event: LiveEvent) -> str:
    """One event where nothing can be redrawn."""
    time = event.ts.astimezone(UTC).strftime("%H:%M:%S")
    parts = [time, plain(event.gpu), plain(event.model), plain(event.use_case)]
    parts += [f"{event.eval_index}/{event.eval_total}"] if event.eval_total else []
    parts += [f"{figure(event.tokens_per_s)} tok/s"]
    parts += [f"{figure(event.latency_ms)} ms"] if event.latency_ms else []
    parts += [f"{figure(event.power_w)} W"] if event.power_w is not None else []
    return "  ".join(parts)
