"""A race that never was: lanes whose figures follow from data sheets, so that the pages of live runs can be seen.

Decoding is bound by memory bandwidth: each step of a batch reads all weights and the keys and values so far once.
Prompts are bound by arithmetic: two operations per parameter and token. Power follows load, temperature follows
power. The shares of the data sheet's peaks that are reached are rules of thumb, not measurements.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

Message = dict[str, Any]

KEY_PREFIX = "simulated-race-"
#: prompts that are answered at the same time
BATCH = 16
CASES = 12
BYTES_PER_PARAMETER = 2
#: most of a prompt is the instruction that all cases share, kept in the server's prefix cache
NEW_PROMPT_SHARE = 0.15
#: throughput is told as servers do, smoothed
SMOOTH_S = 1.0
BANDWIDTH_SHARE, COMPUTE_SHARE = 0.72, 0.45
#: share of the span from idle to the limit that decoding takes
DECODE_LOAD, PREFILL_LOAD = 0.68, 0.97
OVERHEAD_BYTES = 1.4e9
THERMAL_S, POWER_S = 35.0, 0.6
THROTTLE_FROM_C, THROTTLE_PER_C = 78.0, 0.006
NOISE_S, NOISE = 12.0, 0.03


@dataclass(frozen=True, slots=True)
class Card:
    """One lane's hardware; figures from the catalogue, cooling such that full load settles below throttling."""

    lane: str
    type: str
    memory_gb: float
    bandwidth_gb_per_s: float
    bf16_tflops: float
    limit_w: float
    idle_w: float
    cost_per_hour_usd: float
    ambient_c: float = 30.0
    full_load_c: float = 72.0


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    parameters_b: float
    #: keys and values of one token, bf16, from layers and heads
    cache_bytes_per_token: int
    quality: float

    @property
    def weight_bytes(self) -> float:
        return self.parameters_b * 1e9 * BYTES_PER_PARAMETER


@dataclass(frozen=True, slots=True)
class UseCase:
    name: str
    prompt_tokens: int
    output_tokens: int
    quality: float


CARDS = {
    "a6000": Card("a6000-0", "RTX A6000", 48, 768, 154.8, 300, 22, 2.25, full_load_c=79),
    "a100": Card("a100-0", "A100 SXM4 80GB", 80, 2039, 312, 400, 55, 2.45, full_load_c=66),
    "h100": Card("h100-0", "H100 SXM5 80GB", 80, 3350, 989, 700, 72, 4.76, full_load_c=70),
}
MODELS = (
    Model("meta-llama/Llama-3.1-8B-Instruct", 8.03, 131_072, 0.80),
    Model("mistralai/Mistral-Nemo-Instruct-2407", 12.2, 163_840, 0.81),
    Model("Qwen/Qwen2.5-14B-Instruct", 14.7, 196_608, 0.87),
)
USE_CASES = (
    UseCase("question answering", 400, 80, 0.04),
    UseCase("extraction", 900, 110, 0.06),
    UseCase("summarisation", 1600, 160, 0.0),
    UseCase("code-review", 1200, 280, -0.07),
)


@dataclass
class Lane:
    """One card that works through all cases of all use cases of all models, over and over."""

    card: Card
    chance: random.Random
    place: int = 0
    prefill_left_s: float = 0.0
    steps_left: float = 0.0
    power_w: float = 0.0
    temperature_c: float = 0.0
    drift: float = 0.0
    tokens_per_s: float = 0.0
    #: fractions of a token that the last tick left over
    rest: float = 0.0
    finished: list[tuple[Model, UseCase, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.power_w, self.temperature_c = self.card.idle_w, self.card.ambient_c
        self._begin_case()

    @property
    def model(self) -> Model:
        return MODELS[self.place // (CASES * len(USE_CASES)) % len(MODELS)]

    @property
    def use_case(self) -> UseCase:
        return USE_CASES[self.place // CASES % len(USE_CASES)]

    @property
    def case(self) -> int:
        return self.place % CASES

    @property
    def prefill_s(self) -> float:
        operations = 2 * self.model.parameters_b * 1e9 * self.use_case.prompt_tokens * NEW_PROMPT_SHARE * BATCH
        return operations / (self.card.bf16_tflops * 1e12 * COMPUTE_SHARE) / self._clock

    @property
    def step_s(self) -> float:
        """Time in which each prompt of the batch gets one token."""
        read = self.model.weight_bytes + BATCH * self._context_tokens * self.model.cache_bytes_per_token
        return read / (self.card.bandwidth_gb_per_s * 1e9 * BANDWIDTH_SHARE) / self._clock / (1 + self.drift)

    @property
    def _context_tokens(self) -> float:
        return self.use_case.prompt_tokens + self.use_case.output_tokens - self.steps_left

    @property
    def _clock(self) -> float:
        return 1 - THROTTLE_PER_C * max(0.0, self.temperature_c - THROTTLE_FROM_C)

    def advance(self, seconds: float) -> Message:
        """Work for a moment; returns the fields of the event that tells of it."""
        self.drift += -self.drift * seconds / NOISE_S + NOISE * (2 * seconds / NOISE_S) ** 0.5 * self.chance.gauss(0, 1)
        model, use_case, case = self.model, self.use_case, self.case
        latency_s, ttft_s = self.prefill_s + use_case.output_tokens * self.step_s, self.prefill_s
        tokens, prefill_s = self._work(seconds)
        self._heat(seconds, prefill_s / seconds)
        self.tokens_per_s += (tokens / seconds - self.tokens_per_s) * min(1.0, seconds / SMOOTH_S)
        self.rest += tokens
        whole = int(self.rest)
        self.rest -= whole
        return {
            "gpuId": self.card.lane,
            "model": model.name,
            "useCase": use_case.name,
            "tokenPerSec": round(self.tokens_per_s, 1),
            "latencyMs": round(latency_s * 1000 * self.chance.uniform(0.98, 1.02), 1),
            "ttftMs": round(ttft_s * 1000 * self.chance.uniform(0.95, 1.05), 1),
            "vramUsedMB": round(self._used_bytes(model) / 1e6),
            "evalProgressIdx": case + 1,
            "evalTotal": CASES,
            "powerW": round(self.power_w, 1),
            "energyJ": round(self.power_w * seconds, 2),
            "gpuUtilPct": round(min(100.0, self.chance.gauss(97, 1)), 1),
            "temperatureC": round(self.temperature_c, 1),
            "outputTokens": whole,
        }

    def _work(self, seconds: float) -> tuple[float, float]:
        """Tokens made, and the part of the time that went into prompts."""
        left, tokens, prefill_s = seconds, 0.0, 0.0
        while left > 0:
            share = min(self.prefill_left_s, left)
            self.prefill_left_s -= share
            prefill_s += share
            left -= share
            steps = min(self.steps_left, left / self.step_s)
            left -= steps * self.step_s
            tokens += steps * BATCH
            self.steps_left -= steps
            if self.steps_left <= 1e-9:
                self._end_case()
            elif left < 1e-9:
                break
        return tokens, prefill_s

    def _begin_case(self) -> None:
        self.prefill_left_s, self.steps_left = self.prefill_s, float(self.use_case.output_tokens)

    def _end_case(self) -> None:
        self.finished.append((self.model, self.use_case, self.case, BATCH / self.step_s))
        self.place += 1
        self._begin_case()

    def _heat(self, seconds: float, prefill_share: float) -> None:
        card = self.card
        load = DECODE_LOAD + (PREFILL_LOAD - DECODE_LOAD) * prefill_share + self.chance.gauss(0, 0.01)
        target_w = card.idle_w + (card.limit_w - card.idle_w) * load
        self.power_w += (target_w - self.power_w) * min(1.0, seconds / POWER_S)
        self.power_w = min(max(self.power_w, card.idle_w), card.limit_w)
        settled_c = card.ambient_c + (card.full_load_c - card.ambient_c) * self.power_w / card.limit_w
        self.temperature_c += (settled_c - self.temperature_c) * min(1.0, seconds / THERMAL_S)

    def _used_bytes(self, model: Model) -> float:
        return model.weight_bytes + BATCH * self._context_tokens * model.cache_bytes_per_token + OVERHEAD_BYTES


class Race:
    """A simulated run as the messages of the ingest contract. The same seed makes the same race."""

    def __init__(self, lanes: Sequence[str], now: datetime, seed: int | None = None) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - nothing secret hangs on it
        self._lanes = [Lane(CARDS[name], random.Random(self._chance.random())) for name in lanes]  # noqa: S311
        self.key = f"{KEY_PREFIX}{now:%Y%m%d-%H%M%S}-{self._chance.randrange(16**4):04x}"
        self._numbers = count(1)

    def start(self, now: datetime) -> Message:
        payload = {
            "runId": self.key,
            "startedAt": as_text(now),
            "promptLabel": "Simulated race: " + ", ".join(lane.card.type for lane in self._lanes),
            "note": "Simulated: nothing here was measured. The figures follow from data sheets.",
            "simulated": True,
            "models": [model.name for model in MODELS],
            "gpus": [
                {
                    "name": lane.card.lane,
                    "type": lane.card.type,
                    "vramGB": lane.card.memory_gb,
                    "costPerHour": lane.card.cost_per_hour_usd,
                }
                for lane in self._lanes
            ],
        }
        return {"kind": "run_start", "payload": payload}

    def tick(self, now: datetime, seconds: float) -> list[Message]:
        """What all lanes tell after this many seconds of work: an event each, and the scores of finished cases."""
        messages: list[Message] = []
        for lane in self._lanes:
            event = lane.advance(seconds)
            event |= {"runId": self.key, "ts": as_text(now), "eventId": f"tick-{next(self._numbers)}"}
            messages.append({"kind": "progress", "payload": event})
            messages += [self._score(*finished) for finished in lane.finished]
            lane.finished.clear()
        return messages

    def end(self, now: datetime, status: str) -> Message:
        return end_message(self.key, now, status)

    def _score(self, model: Model, use_case: UseCase, case: int, tokens_per_s: float) -> Message:
        """A case is as hard for every lane, and a model answers nearly the same on each."""
        fixed = random.Random(f"{model.name} {use_case.name} {case}")  # noqa: S311
        level = model.quality + use_case.quality
        dimensions = {
            name: round(min(1.0, max(0.0, fixed.gauss(level, 0.08) + self._chance.gauss(0, 0.01))), 3)
            for name in ("correctness", "completeness", "formatQuality", "conciseness")
        }
        weights = {"correctness": 0.5, "completeness": 0.2, "formatQuality": 0.2, "conciseness": 0.1}
        payload = {
            "runId": self.key,
            "model": model.name,
            "useCase": use_case.name,
            "testCaseId": f"{use_case.name.replace(' ', '-')}-{case + 1:02d}",
            "composite": round(sum(weights[name] * value for name, value in dimensions.items()), 4),
            "dimensions": dimensions,
            "tokPerSec": round(tokens_per_s, 1),
        }
        return {"kind": "score", "payload": payload}


def end_message(key: str, now: datetime, status: str) -> Message:
    return {"kind": "run_end", "payload": {"runId": key, "status": status, "endedAt": as_text(now)}}


def as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
