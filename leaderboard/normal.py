"""The normal form: one measured configuration in the names and units of docs/metrics.md.

Importers produce it, checks read it, `Result` rows store it, the API answers with it.
A value that the file does not hold is None, never 0 and never a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SMALL_INT_MAX = 2**31 - 1
#: a double holds more, but no measurement does; products, ratios and costs of such numbers stay finite
SMALLEST_NUMBER, BIGGEST_NUMBER = 1e-100, 1e100
#: the note on `config_hash` where it is not that of the settings in the file; CFG1 goes by it
CONFIG_EDITED = "The settings in the file do not have this hash: they were changed after the run."
BIG_INT_MAX = 2**63 - 1

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0, le=BIG_INT_MAX)]
Positive = Annotated[float, Field(gt=0, ge=SMALLEST_NUMBER, le=BIGGEST_NUMBER, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=BIGGEST_NUMBER, allow_inf_nan=False)]
SmallCount = Annotated[int, Field(ge=1, le=SMALL_INT_MAX)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

EnergyScope = Literal["gpu", "node", "wall"]
EnergyMethod = Literal["nvml_counter", "nvml_sampled", "zeus", "codecarbon", "dcgm", "analyser", "unknown"]
Precision = Literal[
    "fp32", "tf32", "fp16", "bf16", "fp8", "fp6", "fp4", "int8", "int6", "int5", "int4", "int3", "int2", "mixed"
]


class NormalResult(BaseModel):
    """One measured configuration. Every field may be None: unknown is not zero."""

    model_config = ConfigDict(extra="forbid", strict=False, validate_assignment=True, protected_namespaces=())

    # What ran, on what. Names as the file gives them; the catalogue maps them.
    model: Name | None = None
    hardware: Name | None = None
    gpu_count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    backend: Word | None = None
    backend_version: Word | None = None
    precision: Precision | None = None
    batch_size: SmallCount | None = None
    concurrency: SmallCount | None = None
    request_rate_per_s: Positive | None = None
    tensor_parallel: SmallCount | None = None
    pipeline_parallel: SmallCount | None = None
    dataset: Name | None = None
    max_input_tokens: SmallCount | None = None
    max_output_tokens: SmallCount | None = None
    requests: SmallCount | None = None
    success_rate: Share | None = None
    power_limit_w: Positive | None = None
    prefix_caching: bool | None = None
    speculative_decoding: bool | None = None

    # When, and with which tool.
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tool: Word | None = None
    tool_version: Word | None = None
    config_hash: Word | None = None

    # Tokens, time, energy.
    output_tokens: Count | None = None
    input_tokens: Count | None = None
    duration_s: Positive | None = None
    throughput_tokens_per_s: NotNegative | None = None
    total_throughput_tokens_per_s: NotNegative | None = None
    requests_per_s: NotNegative | None = None
    total_energy_j: Positive | None = None
    #: what the host of a job measured itself over the same window; no file can give it
    host_energy_j: Positive | None = None
    adjusted_energy_j: Annotated[float, Field(ge=-BIGGEST_NUMBER, le=BIGGEST_NUMBER, allow_inf_nan=False)] | None = None
    energy_scope: EnergyScope | None = None
    energy_method: EnergyMethod | None = None
    energy_per_output_token_j: Positive | None = None
    energy_per_total_token_j: Positive | None = None
    tokens_per_joule: Positive | None = None
    total_tokens_per_joule: Positive | None = None
    avg_power_w: Positive | None = None
    idle_power_w: NotNegative | None = None
    flops_per_second: NotNegative | None = None

    # Memory, in MB of 10^6 bytes.
    peak_memory_mb: Positive | None = None
    peak_memory_total_mb: Positive | None = None

    # Latencies, in milliseconds. ITL is per gap, TPOT is the mean of one request.
    ttft_ms_mean: NotNegative | None = None
    ttft_ms_p50: NotNegative | None = None
    ttft_ms_p90: NotNegative | None = None
    ttft_ms_p95: NotNegative | None = None
    ttft_ms_p99: NotNegative | None = None
    itl_ms_mean: NotNegative | None = None
    itl_ms_p50: NotNegative | None = None
    itl_ms_p90: NotNegative | None = None
    itl_ms_p95: NotNegative | None = None
    itl_ms_p99: NotNegative | None = None
    tpot_ms_mean: NotNegative | None = None
    tpot_ms_p50: NotNegative | None = None
    tpot_ms_p90: NotNegative | None = None
    tpot_ms_p95: NotNegative | None = None
    tpot_ms_p99: NotNegative | None = None
    e2e_ms_mean: NotNegative | None = None
    e2e_ms_p50: NotNegative | None = None
    e2e_ms_p90: NotNegative | None = None
    e2e_ms_p95: NotNegative | None = None
    e2e_ms_p99: NotNegative | None = None

    quality_composite: Share | None = None
    runs: SmallCount | None = None

    # Figures carried over from a published table name where they come from.
    source_name: Text | None = None
    source_url: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$", max_length=500)] | None = None
    source_date: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")] | None = None


class Origin(StrEnum):
    """Where a value of a result comes from. A field that is absent from the map is missing."""

    FILE = "file"
    COMPUTED = "computed"
    STATED = "stated"
    MISSING = "missing"


@dataclass(slots=True)
class ParsedResult:
    """What an importer understood of one configuration: the mean over its cycles, and each cycle."""

    values: NormalResult
    origins: dict[str, Origin]
    #: file (path inside the upload) that the result was read from, for messages
    file: str
    #: field -> one plain sentence on how it was derived, or why it is missing
    notes: dict[str, str] = field(default_factory=dict)
    #: one entry per repeat; empty when the file holds a single measurement
    cycles: list[NormalResult] = field(default_factory=list)
    #: native statistics over cycles where the file states them: metric -> {"mean", "sd", "ci95_low", "ci95_high", "cv"}
    stated_statistics: dict[str, dict[str, float]] = field(default_factory=dict)
    #: what the tool was told to do, and the machine it ran on, as the file gives them (redacted later)
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    #: the tool's own warnings
    warnings: list[str] = field(default_factory=list)
    #: (config hash, start time, energy) or the like: equal keys are the same measurement
    identity: str = ""
    #: does sha256 of the stored configuration equal the stated hash? None where the file has no hash
    config_hash_matches: bool | None = None
