"""A believable result on one H100, changed field by field, and what the catalogue knows about it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from leaderboard.checks import Context, Finding, HardwareFacts, ModelFacts, Neighbour, run_checks
from leaderboard.normal import NormalResult, Origin, ParsedResult

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
H100 = HardwareFacts(
    name="H100 SXM 80GB",
    vendor="NVIDIA",
    memory_gb=80,
    bandwidth_gb_per_s=3350,
    tflops={"fp16": 989, "bf16": 989, "fp8": 1979, "fp4": None},
    tdp_w=700,
)
LLAMA = ModelFacts(name="meta-llama/Llama-3.1-8B-Instruct", parameters_total_b=8, parameters_active_b=8)

#: 1,080 requests of 500 tokens in and 400 out, 32 at a time, in two minutes at 500 W
BELIEVABLE: dict[str, Any] = {
    "model": LLAMA.name,
    "hardware": H100.name,
    "gpu_count": 1,
    "backend": "vllm",
    "precision": "bf16",
    "batch_size": 32,
    "concurrency": 32,
    "max_output_tokens": 400,
    "requests": 1080,
    "success_rate": 1.0,
    "started_at": datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    "ended_at": datetime(2026, 11, 20, 12, 2, tzinfo=UTC),
    "output_tokens": 432_000,
    "input_tokens": 540_000,
    "duration_s": 120.0,
    "throughput_tokens_per_s": 3600.0,
    "total_throughput_tokens_per_s": 8100.0,
    "requests_per_s": 9.0,
    "total_energy_j": 60_000.0,
    "energy_scope": "gpu",
    "energy_per_output_token_j": 60_000 / 432_000,
    "energy_per_total_token_j": 60_000 / 972_000,
    "tokens_per_joule": 7.2,
    "total_tokens_per_joule": 16.2,
    "avg_power_w": 500.0,
    "peak_memory_mb": 72_000.0,
    "ttft_ms_mean": 50.0,
    "ttft_ms_p50": 45.0,
    "ttft_ms_p99": 180.0,
    "itl_ms_mean": 8.6,
    "itl_ms_p50": 8.5,
    "itl_ms_p90": 10.0,
    "itl_ms_p99": 14.0,
    "tpot_ms_mean": 8.6,
    "tpot_ms_p50": 8.5,
    "e2e_ms_mean": 3481.4,
    "e2e_ms_p50": 3450.0,
    "e2e_ms_p99": 4100.0,
}


def result(
    *, computed: Any = (), cycles: Any = None, config: Any = None, notes: Any = None, **changes: Any
) -> ParsedResult:
    """The believable result with changes; None removes a value. Every value is as the file gives it."""
    values = {name: value for name, value in (BELIEVABLE | changes).items() if value is not None}
    return ParsedResult(
        values=NormalResult(**values),
        origins={name: Origin.COMPUTED if name in computed else Origin.FILE for name in values},
        file="result.json",
        cycles=[NormalResult(**cycle) for cycle in cycles or []],
        config=config or {},
        notes=notes or {},
    )


def bare(**values: Any) -> ParsedResult:
    """A result that holds these values only."""
    return result(**(dict.fromkeys(BELIEVABLE) | values))


def context(**changes: Any) -> Context:
    known = Context(hardware=H100, model=LLAMA, backend_known=True, now=NOW, duplicate_of=None)
    return replace(known, **changes)


def neighbour(**changes: Any) -> Neighbour:
    """A result like the believable one, with figures of its own only where they are given."""
    blank = Neighbour(name="r-1", load=32, throughput_tokens_per_s=None, energy_per_output_token_j=None)
    return replace(blank, **changes)


def neighbours(count: int = 5, **changes: Any) -> list[Neighbour]:
    return [neighbour(name=f"r-{number}", **changes) for number in range(count)]


def curve(**changes: Any) -> list[Neighbour]:
    """The same configuration at half and at twice the load, with the same figures at both."""
    return [neighbour(load=load, **changes) for load in (16, 64)]


def hardware(**changes: Any) -> HardwareFacts:
    return replace(H100, **changes)


def model(**changes: Any) -> ModelFacts:
    return replace(LLAMA, **changes)


def findings(code: str, parsed: ParsedResult, known: Context | None = None) -> list[Finding]:
    return [finding for finding in run_checks(parsed, known or context()) if finding.code == code]


def severities(code: str, parsed: ParsedResult, known: Context | None = None) -> list[str]:
    return [finding.severity.value for finding in findings(code, parsed, known)]
