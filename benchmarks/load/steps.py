"""One step of the load test: a rate held for a while, what each kind of request met, and what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks.load.day import KINDS
from benchmarks.load.deployment import Deployment
from benchmarks.load.site import ROOT
from benchmarks.load.words import percentile

MOST_ERRORS = 0.001
#: viewers hold their socket a while before the load begins and a while after it ends
MARGIN_S = 2.0
#: of the generator's own lateness; beyond it the times are its own, not the site's
LATE_MS = 50.0


@dataclass(frozen=True)
class Line:
    """What the requests of one kind met."""

    kind: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    unchanged: int
    limited: int
    errors: int
    #: of an answer's body as it came over the wire, on average
    kb: float

    @property
    def is_within(self) -> bool:
        return self.p99_ms <= KINDS[self.kind].limit_ms


@dataclass(frozen=True)
class Step:
    rate: float
    seconds: float
    lines: list[Line]
    reasons: Counter[str]
    #: processor seconds of each part of the deployment, and of the generator with its viewers
    cpu_s: dict[str, float]
    own_cpu_s: float
    late_p99_ms: float
    viewers: int
    #: share of the events sent that each viewer got, on average
    delivered: float
    lost_viewers: int
    load_average: float

    @property
    def requests(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def errors(self) -> int:
        return sum(line.errors for line in self.lines)

    @property
    def cpu_ms_per_request(self) -> float:
        return sum(self.cpu_s.values()) / max(self.requests, 1) * 1000

    @property
    def faults(self) -> list[str]:
        """Why this rate is too much; empty when it is not."""
        slow = [f"p99 of {line.kind} {line.p99_ms:,.0f} ms" for line in self.lines if not line.is_within]
        if self.errors > MOST_ERRORS * self.requests:
            slow.append(f"{self.errors} errors of {self.requests:,}")
        if self.lost_viewers:
            slow.append(f"{self.lost_viewers} viewers cut off")
        return slow


def take_step(
    deployment: Deployment,
    made: dict[str, Any],
    *,
    rate: float,
    seconds: float,
    seed: int,
    viewers: int = 0,
    kinds: dict[str, float] | None = None,
) -> Step:
    held = _hold(deployment, made["run"], viewers, seconds) if viewers else None
    before, first_event = deployment.cpu_s(), made.get("first_event", 0)
    told = {"port": deployment.port, "rate": rate, "seconds": seconds, "seed": seed, "made": made, "kinds": kinds}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load.generator"],
        cwd=ROOT,
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    after, load_average = deployment.cpu_s(), os.getloadavg()[0]
    found = json.loads(done.stdout)
    made["first_event"] = found["events"]
    seen: dict[str, Any] = _let_go(held) if held else {"events": 0, "lost": 0, "cpu_s": 0.0}
    sent = (found["events"] - first_event) * viewers
    return Step(
        rate=rate,
        seconds=seconds,
        lines=[_line(kind, found["met"][kind]) for kind in KINDS if kind in found["met"]],
        reasons=_reasons(found["met"]),
        cpu_s={part: after[part] - before[part] for part in after},
        own_cpu_s=found["own"]["cpu_s"] + seen["cpu_s"],
        late_p99_ms=percentile(sorted(found["own"]["late_ms"]), 0.99),
        viewers=viewers,
        delivered=seen["events"] / sent if sent else 1.0,
        lost_viewers=seen["lost"],
        load_average=load_average,
    )


def _line(kind: str, met: dict[str, Any]) -> Line:
    times = sorted(met["times_ms"])
    return Line(
        kind=kind,
        count=len(times),
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        p99_ms=percentile(times, 0.99),
        unchanged=met["unchanged"],
        limited=met["limited"],
        errors=sum(met["errors"].values()),
        kb=met["received_bytes"] / max(len(times), 1) / 1000,
    )


def _reasons(met: dict[str, Any]) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for each in met.values():
        reasons.update(each["errors"])
    return reasons


def _hold(deployment: Deployment, run: str, viewers: int, seconds: float) -> subprocess.Popen[str]:
    options = [str(deployment.port), run, str(viewers), str(seconds + MARGIN_S)]
    command = [sys.executable, "-m", "benchmarks.load.held", *options]
    held = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert held.stdout
    if held.stdout.readline() != "ready\n":
        held.kill()
        raise RuntimeError("The viewers were not greeted.")
    return held


def _let_go(held: subprocess.Popen[str]) -> dict[str, Any]:
    said, _ = held.communicate()
    seen: dict[str, Any] = json.loads(said)
    return seen
