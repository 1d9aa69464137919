"""One lane from its warm-up to its last answer: ready, go, all cases of all use cases, a tick each 0.4 s, scores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gpuagent.executors.progress import Progress
from gpuagent.race.client import Answer, Client, ServerProblem
from gpuagent.race.config import RaceConfig
from gpuagent.race.gauges import Gauges
from gpuagent.race.meter import TICK_S, Meter
from gpuagent.race.record import Outcome, Task
from gpuagent.race.rubric import grade
from gpuagent.race.suites import Suite

LOOK_FOR_GO_S = 0.02
WARM_UP_TOKENS = 16
#: a server that fails so often in a row is gone
FAILURES_IN_A_ROW = 5


class LaneFailed(Exception):
    """This lane cannot go on: a code for programs, a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def boot_s() -> float:
    """The clock that the agent names the start on; no change of the host's time moves it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lane:
    """Asks the server; `go_file` is what the agent writes the moment of the start into."""

    def __init__(
        self,
        config: RaceConfig,
        suites: Sequence[Suite],
        *,
        client: Client,
        progress: Progress,
        gauges: Gauges,
        go_file: Path | None,
        now: Callable[[], float] = boot_s,
    ) -> None:
        self._config, self._client, self._progress = config, client, progress
        self._gauges, self._go_file, self._now = gauges, go_file, now
        self._tasks = [Task(suite, case) for suite in suites for case in suite.cases]
        self.outcomes: list[Outcome] = []
        self.went_at = 0.0
        self._waiting: Iterator[Task] = iter(self._tasks)
        self._meter = Meter(now)
        self._failures = 0

    async def run(self) -> None:
        """Raises LaneFailed; what was done by then is in `outcomes`."""
        await self._warm_up()
        self._progress.tell("ready", {})
        self.went_at = await self._wait_for_go()
        self._meter.start(self.went_at)
        self._progress.tell("go", {"late_s": round(self._now() - self.went_at, 3)})
        ticking = asyncio.create_task(self._tick())
        try:
            async with asyncio.timeout(self._config.run_s):
                await self._work_together()
        except TimeoutError:
            raise LaneFailed("out_of_time", f"The cases were not done within {self._config.run_s} s.") from None
        finally:
            ticking.cancel()
            self._tell_tick()
        self._refuse_too_few()

    async def _warm_up(self) -> None:
        """The first request of a server compiles and fills caches; it is no part of the race."""
        try:
            served = await self._client.models()
            if self._config.model not in served:
                raise LaneFailed("model_not_served", f"The model server does not serve {self._config.model}.")
            await self._ask(self._tasks[0], WARM_UP_TOKENS)
        except ServerProblem as problem:
            raise LaneFailed("no_model_server", str(problem)) from None

    async def _wait_for_go(self) -> float:
        """The start on our clock, once it has come."""
        give_up_at = self._now() + self._config.wait_s
        # Read again up to the moment itself: the agent corrects it when the site's next answer comes faster.
        while (go_at := self._go()) is None or go_at > self._now():
            if go_at is None and self._now() > give_up_at:
                raise LaneFailed("no_start", f"The other lanes were not ready within {self._config.wait_s} s.")
            wait_s = LOOK_FOR_GO_S if go_at is None else go_at - self._now()
            await asyncio.sleep(min(max(wait_s, 0.0), LOOK_FOR_GO_S))
        return go_at

    def _go(self) -> float | None:
        if self._go_file is None:
            return self._now()
        try:
            return float(self._go_file.read_text())
        except (OSError, ValueError):
            # Not there, or not written to its end.
            return None

    async def _work_together(self) -> None:
        """The first worker that fails ends the others."""
        count = min(self._config.concurrency, len(self._tasks))
        workers = [asyncio.create_task(self._work()) for _ in range(count)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        for task in self._waiting:
            outcome = Outcome(task)
            try:
                outcome.answer = await self._ask(task, self._config.max_tokens, self._meter.count)
                outcome.grade = grade(task.case, outcome.answer.text)
                self._meter.finish(outcome.answer)
                self._failures = 0
            except ServerProblem as problem:
                outcome.problem = str(problem)
                self._failures += 1
            self.outcomes.append(outcome)
            self._tell_outcome(outcome)
            if self._failures >= FAILURES_IN_A_ROW:
                raise LaneFailed("server_failed", f"{FAILURES_IN_A_ROW} answers in a row failed: {outcome.problem}")

    async def _ask(self, task: Task, max_tokens: int, on_piece: Callable[[], None] = lambda: None) -> Answer:
        messages = [
            {"role": "system", "content": task.suite.instruction},
            {"role": "user", "content": task.case.prompt},
        ]
        return await self._client.ask(
            model=self._config.model, messages=messages, max_tokens=max_tokens, on_piece=on_piece
        )

    def _refuse_too_few(self) -> None:
        """A case without an answer has no score; a lane that left out half of them has not run the race."""
        missing = sum(outcome.answer is None for outcome in self.outcomes)
        if 2 * missing > len(self._tasks):
            raise LaneFailed("server_failed", f"{missing} of {len(self._tasks)} cases got no answer.")

    async def _tick(self) -> None:
        due = self.went_at
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - self._now()))
            self._tell_tick()

    def _tell_tick(self) -> None:
        place = min(len(self.outcomes), len(self._tasks) - 1)
        use_case = self._tasks[place].suite.name
        done = sum(outcome.task.suite.name == use_case for outcome in self.outcomes)
        total = sum(task.suite.name == use_case for task in self._tasks)
        told = {
            "t_s": max(0.0, self._now() - self.went_at),
            "useCase": use_case,
            "evalProgressIdx": done,
            "evalTotal": total,
            **self._meter.read(),
            **self._gauges.read(),
        }
        self._progress.tell("tick", _told(told))

    def _tell_outcome(self, outcome: Outcome) -> None:
        suite, case = outcome.task.suite, outcome.task.case
        if outcome.answer is None:
            self._progress.tell("unanswered", {"testCaseId": case.id, "why": outcome.problem})
            return
        score = {
            "useCase": suite.name,
            "testCaseId": case.id,
            "composite": outcome.grade.composite,
            "dimensions": outcome.grade.dimensions,
            "tokPerSec": outcome.answer.tokens_per_s,
        }
        self._progress.tell("score", _told(score))


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """Without what is unknown, figures to three places."""
    known = {name: value for name, value in data.items() if value is not None}
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in known.items()}
