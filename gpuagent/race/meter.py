"""Tokens as they come: throughput of the last second, over all requests of a lane."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gpuagent.race.client import Answer

#: at least two ticks a second, whatever else the process does
TICK_S = 0.4
#: tokens per second are those of so long a time before the tick
WINDOW_S = 1.0


class Meter:
    """Tokens as they come, over all requests of the lane."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._went_at = 0.0
        self._pieces: deque[float] = deque()
        #: of finished answers: pieces, and tokens as their server counted them
        self._finished_pieces = self._finished_tokens = 0
        self._all_pieces = 0
        self._told_tokens = 0
        self._newest: Answer | None = None

    def start(self, went_at: float) -> None:
        self._went_at = went_at

    def count(self) -> None:
        self._pieces.append(self._now())
        self._all_pieces += 1

    def finish(self, answer: Answer) -> None:
        self._finished_pieces += len(answer.pieces)
        self._finished_tokens += answer.tokens
        self._newest = answer

    def read(self) -> dict[str, Any]:
        """Throughput of the last second, tokens since the last call, and the newest answer's times."""
        now = self._now()
        while self._pieces and self._pieces[0] < now - WINDOW_S:
            self._pieces.popleft()
        window_s = min(WINDOW_S, max(now - self._went_at, TICK_S / 2))
        open_pieces = max(0, self._all_pieces - self._finished_pieces)
        tokens = self._finished_tokens + round(open_pieces * self._tokens_per_piece)
        # Once an answer has ended, its server's count replaces our guess; what was told already stays told.
        fresh = max(0, tokens - self._told_tokens)
        self._told_tokens += fresh
        newest = self._newest
        return {
            "tokenPerSec": len(self._pieces) * self._tokens_per_piece / window_s,
            "outputTokens": fresh,
            "latencyMs": newest.latency_s * 1000 if newest else None,
            "ttftMs": newest.ttft_s * 1000 if newest and newest.ttft_s is not None else None,
        }

    @property
    def _tokens_per_piece(self) -> float:
        """Servers send several tokens at a time; how many shows once one of them has counted."""
        if not self._finished_pieces or not self._finished_tokens:
            return 1.0
        return self._finished_tokens / self._finished_pieces
