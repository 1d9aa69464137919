"""The steps of an attempt, folded from what its executor told. Of a sweep, those of the newest run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.models import AttemptEvent
from jobs.presenting.rows import StepRow
from jobs.presenting.states import span_of

BEGINS = ("start", "started", "begin", "running")
FAILS = ("failed", "error")
WORDS = {"now": "under way", "done": "done", "failed": "failed", "stopped": "not finished"}
MAX_NAME = 80


@dataclass(slots=True)
class _Step:
    title: str
    started_s: float
    ended_s: float | None = None
    state: str = "now"


@dataclass(slots=True)
class _Told:
    steps: dict[str, _Step] = field(default_factory=dict)
    run: int = 0
    runs: int = 0
    #: the run was told to be over: the next step is one of the next run
    is_run_over: bool = False

    def add(self, event: AttemptEvent) -> None:
        data: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
        if event.type == "run":
            self._add_run(data)
        elif name := str(data.get("id") or data.get("title") or ""):
            self._add_step(
                name, str(data.get("title") or name)[:MAX_NAME], str(data.get("state") or "start"), event.t_s
            )

    def _add_run(self, data: dict[str, Any]) -> None:
        self.run, self.runs = _whole(data.get("run")), _whole(data.get("runs"))
        if data.get("state"):
            self.is_run_over = True
        else:
            self.steps.clear()

    def _add_step(self, name: str, title: str, state: str, t_s: float) -> None:
        if self.is_run_over and self.run < self.runs:
            self.steps.clear()
            self.run += 1
        self.is_run_over = False
        begins = state in BEGINS
        if name not in self.steps or (begins and self.steps[name].ended_s is not None):
            # A step that begins again is shown by its newest time.
            self.steps.pop(name, None)
            self.steps[name] = _Step(title, t_s)
        if not begins:
            self.steps[name].ended_s = t_s
            self.steps[name].state = "failed" if state in FAILS else "done"


def step_rows(
    events: Sequence[AttemptEvent], *, is_over: bool, now_s: float | None = None
) -> tuple[list[StepRow], str]:
    """A row for each step in the order in which they began, and "run 2 of 3"; `now_s` is how long the attempt runs."""
    told = _Told()
    for event in events:
        told.add(event)
    rows = [_row(step, is_over=is_over, now_s=now_s) for step in told.steps.values()]
    return rows, f"run {told.run} of {told.runs}" if told.runs > 1 else ""


def progress(events: Sequence[AttemptEvent]) -> tuple[str, int | None]:
    """ "Run 2 of 3, step 5 of 6: Measuring inference" and how many percent lie behind, by the newest step."""
    newest = next((event for event in reversed(events) if event.type == "step"), None)
    data: dict[str, Any] = newest.data if newest is not None and isinstance(newest.data, dict) else {}
    step, steps = _whole(data.get("i")), _whole(data.get("n"))
    if not step or not steps:
        return "", None
    run, runs = _whole(data.get("run")), _whole(data.get("runs"))
    words = f"step {step} of {steps}: {str(data.get('title') or data.get('id') or '')[:MAX_NAME]}"
    if runs > 1:
        words = f"run {run} of {runs}, {words}"
    behind = (max(run - 1, 0) + (step - 1) / steps) / max(runs, 1)
    return words[:1].upper() + words[1:], min(round(100 * behind), 100)


def _row(step: _Step, *, is_over: bool, now_s: float | None) -> StepRow:
    state = "stopped" if step.state == "now" and is_over else step.state
    end_s = step.ended_s if step.ended_s is not None else None if is_over else now_s
    return StepRow(step.title, state, WORDS[state], "" if end_s is None else span_of(end_s - step.started_s))


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000 else 0
