"""A small serving simulator: whatever obeys physics is never blocked, and each falsification of it is caught."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.checks import HardwareFacts, ModelFacts, Severity, run_checks
from leaderboard.checks.limits import BYTES_PER_WEIGHT
from leaderboard.normal import NormalResult, Origin, ParsedResult
from tests.leaderboard.checks.builders import context


@dataclass(frozen=True)
class Card:
    name: str
    memory_gb: float
    bandwidth_gb_per_s: float
    tflops: dict[str, float]
    tdp_w: float

    @property
    def facts(self) -> HardwareFacts:
        return HardwareFacts(self.name, "NVIDIA", self.memory_gb, self.bandwidth_gb_per_s, self.tflops, self.tdp_w)


CARDS = [
    Card("H100 SXM 80GB", 80, 3350, {"fp16": 989, "bf16": 989, "fp8": 1979}, 700),
    Card("A100 SXM4 40GB", 40, 1555, {"fp16": 312, "bf16": 312}, 400),
    Card("T4", 16, 320, {"fp16": 65}, 70),
]


@dataclass(frozen=True)
class Run:
    """What is chosen freely; everything that a tool would report follows from it."""

    card: Card
    precision: str
    gpu_count: int
    #: weights as a share of all memory, active as a share of total parameters
    filled: float
    active: float
    #: memory and compute use, at most 1 by physics, and the other figures of the load
    efficiency: float
    utilisation: float
    sequences: int
    input_length: int
    output_length: int
    requests: int
    #: mean power as a share of TDP
    power: float

    @property
    def total_b(self) -> float:
        return self.filled * self.card.memory_gb * self.gpu_count / BYTES_PER_WEIGHT[self.precision]

    def measure(self) -> dict[str, Any]:
        active_b = self.total_b * self.active
        read_s = active_b * BYTES_PER_WEIGHT[self.precision] / (self.gpu_count * self.card.bandwidth_gb_per_s)
        flop_per_s = self.gpu_count * self.card.tflops["fp16"] * 1e12
        multiply_s = 2 * active_b * 1e9 * self.sequences / flop_per_s
        step_s = max(read_s, multiply_s) / self.efficiency
        ttft_s = 2 * active_b * 1e9 * self.input_length * self.sequences / flop_per_s / self.efficiency
        request_s = ttft_s + (self.output_length - 1) * step_s
        duration_s = request_s * max(1.0, self.requests / self.sequences) / self.utilisation
        output, incoming = self.requests * self.output_length, self.requests * self.input_length
        power_w = self.power * self.card.tdp_w * self.gpu_count
        energy_j = power_w * duration_s
        return {
            "model": "made/up",
            "hardware": self.card.name,
            "backend": "vllm",
            "gpu_count": self.gpu_count,
            "precision": self.precision,
            "concurrency": self.sequences,
            "requests": self.requests,
            "success_rate": 1.0,
            "max_output_tokens": self.output_length,
            "output_tokens": output,
            "input_tokens": incoming,
            "duration_s": duration_s,
            "throughput_tokens_per_s": output / duration_s,
            "total_throughput_tokens_per_s": (output + incoming) / duration_s,
            "requests_per_s": self.requests / duration_s,
            "energy_scope": "gpu",
            "total_energy_j": energy_j,
            "avg_power_w": power_w,
            "energy_per_output_token_j": energy_j / output,
            "energy_per_total_token_j": energy_j / (output + incoming),
            "tokens_per_joule": output / energy_j,
            "total_tokens_per_joule": (output + incoming) / energy_j,
            "peak_memory_mb": (self.filled + (1 - self.filled) / 2) * self.card.memory_gb * 1000,
            **{f"ttft_ms_{part}": ttft_s * 1000 for part in ("mean", "p50", "p90", "p99")},
            **{f"tpot_ms_{part}": step_s * 1000 for part in ("mean", "p50", "p90", "p99")},
            **{f"itl_ms_{part}": step_s * 1000 for part in ("mean", "p50", "p90", "p99")},
            **{f"e2e_ms_{part}": request_s * 1000 for part in ("mean", "p50", "p90", "p99")},
        }

    def blocked_by(self, values: dict[str, Any]) -> set[str]:
        parsed = ParsedResult(NormalResult(**values), dict.fromkeys(values, Origin.FILE), file="simulated.json")
        found = run_checks(
            parsed,
            context(hardware=self.card.facts, model=ModelFacts("made/up", self.total_b, self.total_b * self.active)),
        )
        return {finding.code for finding in found if finding.severity is Severity.BLOCK}


share = st.floats(0.05, 0.95)
runs = st.builds(
    Run,
    card=st.sampled_from(CARDS),
    precision=st.sampled_from(sorted(BYTES_PER_WEIGHT)),
    gpu_count=st.sampled_from([1, 2, 4, 8]),
    filled=share,
    active=share,
    # tensor peaks of narrow formats are higher, and full fp32 is half of fp16, so 0.45 is possible everywhere
    efficiency=st.floats(0.05, 0.45),
    utilisation=share,
    sequences=st.integers(1, 1024),
    input_length=st.integers(1, 8192),
    output_length=st.integers(2, 4096),
    requests=st.integers(1, 10_000),
    power=st.floats(0.1, 1.0),
)

TYPICAL = Run(
    card=CARDS[0],
    precision="bf16",
    gpu_count=4,
    filled=0.6,
    active=1.0,
    efficiency=0.5,
    utilisation=0.95,
    sequences=64,
    input_length=200,
    output_length=400,
    requests=6400,
    power=0.8,
)


@settings(deadline=None)
@given(runs)
def test_a_run_that_obeys_physics_is_never_blocked(run):
    assert run.blocked_by(run.measure()) == set()


@settings(deadline=None)
@given(runs, st.floats(0, 0.09))
def test_chunked_streaming_is_never_blocked(run, share_of_step):
    measured = run.measure()
    measured["itl_ms_p50"] = measured["tpot_ms_mean"] * share_of_step

    assert run.blocked_by(measured) == set()


def scaled(values: dict[str, Any], factor: float, *names: str) -> dict[str, Any]:
    return values | {name: values[name] * factor for name in names}


ITL = tuple(f"itl_ms_{part}" for part in ("mean", "p50", "p90", "p99"))
TPOT = tuple(f"tpot_ms_{part}" for part in ("mean", "p50", "p90", "p99"))


@pytest.mark.parametrize(
    ("names", "factor", "code"),
    [
        (("throughput_tokens_per_s",), 1.2, "IDN1"),
        (("throughput_tokens_per_s",), 1.2, "IDN4"),
        (("throughput_tokens_per_s",), 2, "IDN4"),
        (("energy_per_output_token_j",), 0.5, "IDN3"),
        (("energy_per_output_token_j",), 0.5, "IDN4"),
        (("total_energy_j",), 1 / 3600, "IDN2"),
        (("total_energy_j",), 1 / 3600, "IDN3"),
        ((*ITL, *TPOT), 1 / 1000, "ROO1"),
        (("avg_power_w",), 1 / 4, "IDN4"),
        (("avg_power_w",), 4, "IDN4"),
        (("avg_power_w",), 4, "PWR1"),
        (("output_tokens",), 2, "TOK1"),
    ],
)
def test_a_falsified_copy_is_blocked_by_the_check_made_for_it(names, factor, code):
    assert code in TYPICAL.blocked_by(scaled(TYPICAL.measure(), factor, *names))


def test_half_the_gpus_are_blocked_by_power_and_memory():
    assert {"PWR1", "MEM1"} <= TYPICAL.blocked_by(TYPICAL.measure() | {"gpu_count": 2})


def test_figures_that_are_all_ten_times_faster_are_blocked_by_the_roofline():
    faster = TYPICAL.measure()
    faster = scaled(faster, 10, "throughput_tokens_per_s", "total_throughput_tokens_per_s", "requests_per_s")
    faster = scaled(faster, 0.1, "duration_s", "total_energy_j", "energy_per_output_token_j", *ITL, *TPOT)
    faster = scaled(faster, 0.1, "energy_per_total_token_j")
    faster = scaled(faster, 10, "tokens_per_joule", "total_tokens_per_joule")

    assert TYPICAL.blocked_by(faster) == {"ROO1", "ROO2"}


def test_a_consistent_forgery_within_physics_is_not_seen():
    # The honest limit of the catalogue, as docs/checks.md states it: only peers and reruns can tell.
    assert TYPICAL.blocked_by(TYPICAL.measure() | {"gpu_count": 8}) == set()
