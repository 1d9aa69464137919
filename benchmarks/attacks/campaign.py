"""Sends families of attacks to a site and counts what comes back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

from benchmarks.attacks.addresses import others, paths, queries, texts, verbs
from benchmarks.attacks.agents import agents
from benchmarks.attacks.archives import archives
from benchmarks.attacks.bodies import bombs, rising, uploads
from benchmarks.attacks.judging import Judge, Tally
from benchmarks.attacks.request import Attack, Target
from benchmarks.attacks.stage import Stage
from benchmarks.attacks.wire import headers, raw

Family = Callable[[Stage, random.Random, int], Iterator[Attack]]
FAMILIES: Mapping[str, Family] = {
    "paths": paths,
    "queries": queries,
    "verbs": verbs,
    "others' rows": others,
    "texts": texts,
    "JSON bombs": bombs,
    "uploads": uploads,
    "archives": archives,
    "rising": rising,
    "headers": headers,
    "raw": raw,
    "agents": agents,
}
#: answered until the reader leaves
ENDLESS = "/stream"


class Campaign:
    """One stage, one target; `memory_kb` is asked before and after each family."""

    def __init__(self, stage: Stage, target: Target, memory_kb: Callable[[], int] = lambda: 0) -> None:
        self.stage, self.target, self.judge = stage, target, Judge(stage.secrets)
        self.tallies: dict[str, Tally] = {}
        self._memory_kb = memory_kb
        self._turns = {role: cycle(many) for role, many in stage.credentials.items()}

    def run(self, name: str, *, count: int, seed: int) -> Tally:
        dice = random.Random(f"{seed} {name}")
        tally = self.tallies.setdefault(name, Tally())
        before = self._memory_kb()
        for attack in FAMILIES[name](self.stage, dice, count):
            self.send(attack, tally)
        tally.grown_kb += self._memory_kb() - before
        return tally

    def send(self, attack: Attack, tally: Tally) -> Any:
        """Sends one, and looks at its answer. What this target cannot send is passed over."""
        is_endless = attack.method == "GET" and attack.path.partition("?")[0].rstrip("/").endswith(ENDLESS)
        if is_endless or (attack.raw and not self.target.takes_raw):
            return None
        answer = self.target.send(attack, next(self._turns[attack.role]))
        self.judge.look(attack, answer, tally)
        return answer
