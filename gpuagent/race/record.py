"""What a lane measured, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gpuagent.race.client import Answer
from gpuagent.race.config import RaceConfig
from gpuagent.race.rubric import Grade
from gpuagent.race.suites import Case, Suite

MAX_KEPT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Task:
    """A case and where it stands."""

    suite: Suite
    case: Case


@dataclass(slots=True)
class Outcome:
    """What became of one case; `answer` is None when the server did not answer it."""

    task: Task
    answer: Answer | None = None
    grade: Grade = field(default_factory=Grade)
    problem: str = ""


def report(config: RaceConfig, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the lane measured, for out/race.json."""
    answered = [outcome for outcome in outcomes if outcome.answer is not None]
    return {
        "format": "gpuagent-race",
        "version": 1,
        "config": config.model_dump(),
        "cases": [_row(outcome) for outcome in outcomes],
        "answered": len(answered),
        "mean_composite": _mean([outcome.grade.composite for outcome in answered]),
        "mean_ttft_s": _mean([outcome.answer.ttft_s for outcome in answered if outcome.answer]),
        "mean_itl_s": _mean([outcome.answer.itl_s for outcome in answered if outcome.answer]),
        "mean_latency_s": _mean([outcome.answer.latency_s for outcome in answered if outcome.answer]),
        "output_tokens": sum(outcome.answer.tokens for outcome in answered if outcome.answer),
        "tokens_counted_by": sorted({outcome.answer.counted_by for outcome in answered if outcome.answer}),
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"use_case": outcome.task.suite.name, "case": outcome.task.case.id}
    answer = outcome.answer
    if answer is None:
        return row | {"problem": outcome.problem}
    return row | {
        "composite": outcome.grade.composite,
        **outcome.grade.dimensions,
        "tokens": answer.tokens,
        "counted_by": answer.counted_by,
        "ttft_s": answer.ttft_s,
        "itl_s": answer.itl_s,
        "latency_s": answer.latency_s,
        "finish_reason": answer.finish_reason,
        "answer": answer.text[:MAX_KEPT_CHARS],
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
