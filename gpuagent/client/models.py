"""What the site answers, as types. Fields that a newer site adds are passed over.

Generated from docs/openapi.yaml by `python -m tests.client.generate`; not edited by hand.
"""

from __future__ import annotations

from datetime import datetime

# ruff: noqa: E501 - the words of the description
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, RootModel

from gpuagent.client.shape import Shape


class Attempt(Shape):
    number: int
    host: str
    state: str
    outcome: str | None
    verdict: str | None
    reason: str | None
    offered_at: datetime
    ended_at: datetime | None


class Change(Shape):
    text: str
    url: Annotated[
        str,
        Field(description="this question with the other limit; empty where it changes nothing"),
    ]


class Citation(Shape):
    label: str
    bibtex: str
    apa: str


class Comment(Shape):
    id: int
    result: UUID
    author: Annotated[str | None, Field(description="user name; null for a deleted account")]
    text: Annotated[
        str | None,
        Field(description="Markdown; null where it is deleted, or hidden from you"),
    ]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: Annotated[datetime | None, Field(description="by its author")]
    hidden_reason: Annotated[str | None, Field(description="why a moderator hid it; null where none did")]
    url: Annotated[str, Field(description="its place on the page of the result")]


class Configuration(Shape):
    id: UUID
    url: str
    model: str
    hardware: str
    gpu_count: int | None
    backend: str
    backend_version: str
    precision: str
    batch_size: int | None
    concurrency: int | None
    energy_scope: str
    trust: str
    runs: int | None
    value: Annotated[float | None, Field(description="the goal's figure, in the unit of `figure`")]
    ci95_low: float | None
    ci95_high: float | None
    figures: Annotated[
        dict[str, float | None],
        Field(description="limited metrics and the frontier's axis"),
    ]
    sentence: str


class Dump(Shape):
    version: Annotated[str, Field(description="the day, and .2 and so on for more of one day")]
    made_at: datetime
    data_version: int
    rows: int
    size_bytes: int
    sha256: str
    parquet_url: str
    card_url: str
    schema_url: str
    checksum_url: str


class ErrorFields(Shape):
    code: str
    message: str
    fields: dict[str, str]


class Estimate(Shape):
    minutes: float | None
    energy_kwh: Annotated[float | None, Field(description="of the GPUs")]
    usd: Annotated[float | None, Field(description="at the catalogue's price of a GPU-hour")]
    co2_g: float | None
    basis: Annotated[str, Field(description="what the estimate rests on")]


class Estimated(Shape):
    estimate: Estimate
    configurations: int
    runs: Annotated[int, Field(description="configurations times cycles")]
    position: Annotated[int, Field(description="in the queue, were it ordered now")]
    starts_in_s: float | None
    hosts: Annotated[list[str], Field(description="connected ones that fit")]
    config_yaml: Annotated[str, Field(description="what llem would be given")]


class Event(Shape):
    action: (
        Literal[
            "submit",
            "approve",
            "reject",
            "request-changes",
            "dispute",
            "invalidate",
            "restore",
            "withdraw",
            "delete",
            "map",
            "replace",
            "recall",
            "note",
            "assign",
            "open-dispute",
            "dismiss-dispute",
            "retract-dispute",
            "rescore",
            "keep-score",
            "reproduce",
            "not-reproduced",
        ]
        | str
    )
    from_status: str
    to_status: str
    reason: str
    by: str | None
    at: datetime


class File(Shape):
    name: str
    size_bytes: int
    sha256: str


class Frontier(Shape):
    x: Annotated[str | None, Field(description="a metric")]
    y: Annotated[str, Field(description="the goal's figure")]
    points: list[Configuration]


class Hardware(Shape):
    slug: str
    name: str
    vendor: str
    architecture: str | None
    memory_gb: float | None
    bandwidth_gb_per_s: float | None
    fp16_dense_tflops: float | None
    bf16_dense_tflops: float | None
    fp8_dense_tflops: float | None
    fp4_dense_tflops: float | None
    tdp_w: float | None
    usd_per_gpu_hour: float | None
    price_source: str | None
    price_date: str | None
    note: str | None
    sources: list[dict[str, Any]]
    aliases: list[str]
    results: Annotated[int, Field(description="ranked results")]
    url: str


class History(Shape):
    results: list[Event]
    next: Annotated[str | None, Field(description="always null: the log comes whole")]


class Ignored(Shape):
    file: str
    why: str


class Instead(Shape):
    unstated: Annotated[str, Field(description="the limited metric that no result states")]
    nearest: Annotated[str, Field(description="the one that answer, frontier and models are about")]
    words: str


class Lane(Shape):
    job: int
    host: str
    state: (
        Literal[
            "held",
            "queued",
            "offered",
            "running",
            "succeeded",
            "failed",
            "cancelled",
            "timed_out",
        ]
        | str
    )
    url: str


class Limit(Shape):
    column: str
    edge: Literal["min", "max"] | str
    limit: float
    stated: Annotated[int, Field(description="results considered that state this figure")]
    met: Annotated[int, Field(description="of these, those within this limit")]
    reached: Annotated[float | None, Field(description="the best of them")]


class LiveError(Shape):
    error: str


class MarkedRead(Shape):
    marked: Annotated[int, Field(description="how many were unread")]


class Me(Shape):
    name: str
    display_name: str | None = None
    joined_at: datetime
    email: str | None = None
    is_moderator: bool
    token: dict[str, Any]


class Missing(Shape):
    field: str
    why: str


class Model(Shape):
    name: str
    title: str
    organisation: str
    family: str
    parameters_total_b: float | None
    parameters_active_b: Annotated[float | None, Field(description="read per token")]
    licence: str | None
    source_url: str | None
    aliases: list[str]
    results: Annotated[int, Field(description="ranked results")]
    url: str


class Ordered(Shape):
    id: int
    state: (
        Literal[
            "held",
            "queued",
            "offered",
            "running",
            "succeeded",
            "failed",
            "cancelled",
            "timed_out",
        ]
        | str
    )
    position: Annotated[int | None, Field(description="in the queue, from 1")]
    estimate: Estimate
    url: Annotated[str, Field(description="its page")]


class PaginatedCommentList(Shape):
    results: list[Comment]
    next: Annotated[str | None, Field(description="null on the last page")]


class PaginatedDumpList(Shape):
    results: list[Dump]
    next: Annotated[str | None, Field(description="null on the last page")]


class PaginatedHardwareList(Shape):
    results: list[Hardware]
    next: Annotated[str | None, Field(description="null on the last page")]


class PaginatedModelList(Shape):
    results: list[Model]
    next: Annotated[str | None, Field(description="null on the last page")]


class Profile(Shape):
    name: str
    display_name: str | None = None
    joined_at: datetime


class Refused(Shape):
    file: str
    message: str


class SavedComparison(Shape):
    id: int
    name: str
    url: str
    short_url: Annotated[str, Field(description="leads to the same, for anyone")]
    created_at: datetime


class Setting(Shape):
    label: str
    unit: str
    values: Annotated[list[str], Field(description="in the order of the letters")]


class Shares(Shape):
    shared_with: list[str]


class Statistics(Shape):
    n: int | None
    mean: float | None
    sd: float | None
    ci95_low: float | None
    ci95_high: float | None
    cv: float | None


class Tombstone(Shape):
    error: ErrorFields
    tombstone: dict[str, Any]


class Aspect(Shape):
    label: str
    kind: Literal["same", "different", "warning", "unknown"] | str
    words: str


class Batch(Shape):
    id: UUID
    state: Literal["waiting", "reading", "done", "failed"] | str
    url: Annotated[str, Field(description="where the API says how far it is")]
    files_done: int
    files_total: Annotated[int, Field(description="0 while they have not been counted")]
    refused: list[Refused]
    submission: UUID | None
    submission_url: str | None
    created_at: datetime
    finished_at: datetime | None


class BatchRow(Shape):
    id: UUID
    state: Literal["waiting", "reading", "done", "failed"] | str
    url: Annotated[str, Field(description="where the API says how far it is")]


class Compared(Shape):
    letter: Annotated[str, Field(description="A to H, as the sentences call it")]
    id: UUID
    url: Annotated[str, Field(description="its page")]
    best_of: Annotated[
        str | None,
        Field(description="the model that it stands for; null where chosen itself"),
    ]
    trust: str
    statistics: Annotated[dict[str, Statistics], Field(description="metric -> figures over the cycles")]
    model: Annotated[
        str | None,
        Field(description="the catalogue's org/name, or the name as given where the catalogue does not know it"),
    ]
    hardware: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    gpu_count: int | None
    backend: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    backend_version: str | None
    precision: (
        Literal[
            "fp32",
            "tf32",
            "fp16",
            "bf16",
            "fp8",
            "fp6",
            "fp4",
            "int8",
            "int6",
            "int5",
            "int4",
            "int3",
            "int2",
            "mixed",
        ]
        | str
        | None
    )
    batch_size: int | None
    concurrency: int | None
    request_rate_per_s: Annotated[float | None, Field(description="1/s")]
    tensor_parallel: int | None
    pipeline_parallel: int | None
    dataset: str | None
    max_input_tokens: Annotated[int | None, Field(description="tok")]
    max_output_tokens: Annotated[int | None, Field(description="tok")]
    requests: int | None
    success_rate: float | None
    power_limit_w: Annotated[float | None, Field(description="W")]
    prefix_caching: bool | None
    speculative_decoding: bool | None
    started_at: datetime | None
    ended_at: datetime | None
    tool: str | None
    tool_version: str | None
    config_hash: str | None
    output_tokens: Annotated[int | None, Field(description="tokens generated in the measured window (tok)")]
    input_tokens: Annotated[int | None, Field(description="prompt tokens in the measured window (tok)")]
    duration_s: Annotated[float | None, Field(description="length of the measured window, wall clock (s)")]
    throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="output tokens divided by measured wall time, all GPUs together (tok/s)"),
    ]
    total_throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="input and output tokens divided by measured wall time (tok/s)"),
    ]
    requests_per_s: Annotated[
        float | None,
        Field(description="finished requests divided by measured wall time (1/s)"),
    ]
    total_energy_j: Annotated[
        float | None,
        Field(description="energy in the measured window, in the energy scope shown (J)"),
    ]
    host_energy_j: Annotated[
        float | None,
        Field(
            description="energy of the GPUs in the same window, as a host of this site sampled it beside the tool (J)"
        ),
    ]
    adjusted_energy_j: Annotated[
        float | None,
        Field(description="energy less the idle baseline over the window (J)"),
    ]
    energy_scope: Literal["gpu", "node", "wall"] | str | None
    energy_method: (
        Literal[
            "nvml_counter",
            "nvml_sampled",
            "zeus",
            "codecarbon",
            "dcgm",
            "analyser",
            "unknown",
        ]
        | str
        | None
    )
    energy_per_output_token_j: Annotated[float | None, Field(description="energy divided by output tokens (J/tok)")]
    energy_per_total_token_j: Annotated[
        float | None,
        Field(description="energy divided by input and output tokens (J/tok)"),
    ]
    tokens_per_joule: Annotated[
        float | None,
        Field(description="output tokens per joule, in the energy scope shown (tok/J)"),
    ]
    total_tokens_per_joule: Annotated[float | None, Field(description="input and output tokens per joule (tok/J)")]
    avg_power_w: Annotated[
        float | None,
        Field(description="energy divided by duration, all GPUs together (W)"),
    ]
    idle_power_w: Annotated[
        float | None,
        Field(description="power of the idle GPUs before the measurement (W)"),
    ]
    flops_per_second: Annotated[float | None, Field(description="as stated by the tool (FLOP/s)")]
    peak_memory_mb: Annotated[
        float | None,
        Field(description="highest device memory of one GPU; MB = 10^6 bytes (MB)"),
    ]
    peak_memory_total_mb: Annotated[
        float | None,
        Field(description="highest device memory summed over the GPUs (MB)"),
    ]
    ttft_ms_mean: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; mean (ms)"),
    ]
    ttft_ms_p50: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; median (ms)"),
    ]
    ttft_ms_p90: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 90th percentile (ms)"
        ),
    ]
    ttft_ms_p95: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 95th percentile (ms)"
        ),
    ]
    ttft_ms_p99: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 99th percentile (ms)"
        ),
    ]
    itl_ms_mean: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; mean (ms)"),
    ]
    itl_ms_p50: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; median (ms)"),
    ]
    itl_ms_p90: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 90th percentile (ms)"
        ),
    ]
    itl_ms_p95: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 95th percentile (ms)"
        ),
    ]
    itl_ms_p99: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 99th percentile (ms)"
        ),
    ]
    tpot_ms_mean: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; mean (ms)"),
    ]
    tpot_ms_p50: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; median (ms)"),
    ]
    tpot_ms_p90: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 90th percentile (ms)"
        ),
    ]
    tpot_ms_p95: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 95th percentile (ms)"
        ),
    ]
    tpot_ms_p99: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 99th percentile (ms)"
        ),
    ]
    e2e_ms_mean: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; mean (ms)"),
    ]
    e2e_ms_p50: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; median (ms)"),
    ]
    e2e_ms_p90: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 90th percentile (ms)"),
    ]
    e2e_ms_p95: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 95th percentile (ms)"),
    ]
    e2e_ms_p99: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 99th percentile (ms)"),
    ]
    quality_composite: Annotated[float | None, Field(description="mean composite over scored test cases (0-1)")]
    runs: int | None
    source_name: str | None
    source_url: str | None
    source_date: str | None
    cost_per_million_tokens_usd: Annotated[
        float | None,
        Field(
            description="price of the GPUs' time for 10^6 output tokens, at the catalogue's or your own $ per GPU-hour; electricity alone when you give $ per kWh and no GPU price"
        ),
    ]
    co2_g_per_million_tokens: Annotated[
        float | None,
        Field(description="energy per output token x 10^6 x PUE x your grid factor"),
    ]


class Counts(Shape):
    considered: Annotated[int, Field(description="results that pass the filters, whatever the limits")]
    with_figure: Annotated[int, Field(description="of these, those that have the goal's figure")]
    energy_scope: Annotated[str | None, Field(description="the one compared, null where it means nothing")]
    other_scopes: int
    hidden_by_trust: int
    models: Annotated[int, Field(description="models with a result within the limits")]
    limits: list[Limit]


class Difference(Shape):
    metric: (
        Literal[
            "tokens_per_joule",
            "total_tokens_per_joule",
            "energy_per_output_token_j",
            "energy_per_total_token_j",
            "throughput_tokens_per_s",
            "total_throughput_tokens_per_s",
            "requests_per_s",
            "ttft_ms_mean",
            "ttft_ms_p50",
            "ttft_ms_p90",
            "ttft_ms_p95",
            "ttft_ms_p99",
            "itl_ms_mean",
            "itl_ms_p50",
            "itl_ms_p90",
            "itl_ms_p95",
            "itl_ms_p99",
            "tpot_ms_mean",
            "tpot_ms_p50",
            "tpot_ms_p90",
            "tpot_ms_p95",
            "tpot_ms_p99",
            "e2e_ms_mean",
            "e2e_ms_p50",
            "e2e_ms_p90",
            "e2e_ms_p95",
            "e2e_ms_p99",
            "avg_power_w",
            "peak_memory_mb",
            "peak_memory_total_mb",
            "cost_per_million_tokens_usd",
            "co2_g_per_million_tokens",
            "quality_composite",
        ]
        | str
    )
    best: Annotated[str, Field(description="a letter")]
    other: Annotated[str, Field(description="a letter")]
    factor: Annotated[float | None, Field(description="how many times better the best is")]
    verdict: Literal["clear", "not clear", "too few repeats", "not comparable"] | str
    p: Annotated[
        float | None,
        Field(description="two-sided, of Welch's test; null without enough repeats"),
    ]
    words: str


class Dispute(Shape):
    id: int
    result: UUID
    raised_by: Annotated[
        str | None,
        Field(description="user name; null for a deleted account, and for the site after a rerun of its own"),
    ]
    reason: Annotated[str, Field(description="Markdown")]
    evidence_url: str | None
    state: Literal["open", "taken-up", "upheld", "dismissed", "retracted", "lapsed"] | str
    created_at: datetime
    resolution: Annotated[str | None, Field(description="Markdown; null while it runs")]
    resolved_by: str | None
    resolved_at: datetime | None
    url: Annotated[str, Field(description="its place on the page of the result")]


class Error(Shape):
    error: ErrorFields


class Finding(Shape):
    code: str
    severity: Annotated[
        Literal["B", "R", "W"] | str,
        Field(description="B blocks, R is for a moderator, W warns"),
    ]
    observed: str
    limit: str
    message: str
    field: str | None
    check_set: str


class Job(Shape):
    id: int
    kind: Literal["llem", "race"] | str
    title: str
    state: (
        Literal[
            "held",
            "queued",
            "offered",
            "running",
            "succeeded",
            "failed",
            "cancelled",
            "timed_out",
        ]
        | str
    )
    reason_code: str | None
    reason: str | None
    owner: str | None
    simulate: bool
    config: dict[str, Any]
    priority: int
    position: Annotated[int | None, Field(description="null unless it waits, and in lists")]
    starts_in_s: float | None
    estimate: Estimate
    seed: int
    wall_s: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    attempts: list[Attempt]
    submission: Annotated[UUID | None, Field(description="what its result became")]
    url: str


class Notification(Shape):
    id: int
    event_id: UUID
    kind: Literal["review", "comment", "dispute", "job", "watch", "moderation", "account"] | str
    title: str
    text: str | None = None
    url: Annotated[str, Field(description="address of what it is about, or empty")]
    created_at: datetime
    read_at: datetime | None


class OrderedRace(Shape):
    id: int
    state: Literal["waiting", "started", "ended"] | str
    starts_at: Annotated[datetime | None, Field(description="null is as soon as all hosts are ready")]
    lanes: list[Lane]
    url: Annotated[str, Field(description="its page")]


class PaginatedDisputeList(Shape):
    results: list[Dispute]
    next: Annotated[str | None, Field(description="null on the last page")]


class PaginatedJobList(Shape):
    results: list[Job]
    next: Annotated[str | None, Field(description="null on the last page")]


class PaginatedNotificationList(Shape):
    results: list[Notification]
    next: Annotated[str | None, Field(description="null on the last page")]


class PlacedFinding(Shape):
    code: str
    severity: Annotated[
        Literal["B", "R", "W"] | str,
        Field(description="B blocks, R is for a moderator, W warns"),
    ]
    observed: str
    limit: str
    message: str
    field: str | None
    check_set: str
    result: Annotated[int, Field(description="the place of the result in `results`, from 0")]


class Result(Shape):
    id: Annotated[UUID | None, Field(description="null in a dry run")]
    submission: UUID | None
    trust: Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str
    licence: Annotated[
        Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | str | None,
        Field(description="SPDX; null for rows with a source_name, under the terms of it"),
    ]
    status: Annotated[str, Field(description="the status of its submission")]
    is_simulated: Annotated[bool, Field(description="made up by a job without a GPU; never ranked")]
    url: Annotated[str | None, Field(description="its page")]
    statistics: Annotated[dict[str, Statistics], Field(description="metric -> figures over the cycles")]
    provenance: Annotated[
        dict[str, Literal["file", "computed", "stated", "missing"] | str],
        Field(description="field -> where its value is from"),
    ]
    notes: Annotated[dict[str, str], Field(description="field -> how it was derived")]
    model: Annotated[
        str | None,
        Field(description="the catalogue's org/name, or the name as given where the catalogue does not know it"),
    ]
    hardware: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    gpu_count: int | None
    backend: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    backend_version: str | None
    precision: (
        Literal[
            "fp32",
            "tf32",
            "fp16",
            "bf16",
            "fp8",
            "fp6",
            "fp4",
            "int8",
            "int6",
            "int5",
            "int4",
            "int3",
            "int2",
            "mixed",
        ]
        | str
        | None
    )
    batch_size: int | None
    concurrency: int | None
    request_rate_per_s: Annotated[float | None, Field(description="1/s")]
    tensor_parallel: int | None
    pipeline_parallel: int | None
    dataset: str | None
    max_input_tokens: Annotated[int | None, Field(description="tok")]
    max_output_tokens: Annotated[int | None, Field(description="tok")]
    requests: int | None
    success_rate: float | None
    power_limit_w: Annotated[float | None, Field(description="W")]
    prefix_caching: bool | None
    speculative_decoding: bool | None
    started_at: datetime | None
    ended_at: datetime | None
    tool: str | None
    tool_version: str | None
    config_hash: str | None
    output_tokens: Annotated[int | None, Field(description="tokens generated in the measured window (tok)")]
    input_tokens: Annotated[int | None, Field(description="prompt tokens in the measured window (tok)")]
    duration_s: Annotated[float | None, Field(description="length of the measured window, wall clock (s)")]
    throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="output tokens divided by measured wall time, all GPUs together (tok/s)"),
    ]
    total_throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="input and output tokens divided by measured wall time (tok/s)"),
    ]
    requests_per_s: Annotated[
        float | None,
        Field(description="finished requests divided by measured wall time (1/s)"),
    ]
    total_energy_j: Annotated[
        float | None,
        Field(description="energy in the measured window, in the energy scope shown (J)"),
    ]
    host_energy_j: Annotated[
        float | None,
        Field(
            description="energy of the GPUs in the same window, as a host of this site sampled it beside the tool (J)"
        ),
    ]
    adjusted_energy_j: Annotated[
        float | None,
        Field(description="energy less the idle baseline over the window (J)"),
    ]
    energy_scope: Literal["gpu", "node", "wall"] | str | None
    energy_method: (
        Literal[
            "nvml_counter",
            "nvml_sampled",
            "zeus",
            "codecarbon",
            "dcgm",
            "analyser",
            "unknown",
        ]
        | str
        | None
    )
    energy_per_output_token_j: Annotated[float | None, Field(description="energy divided by output tokens (J/tok)")]
    energy_per_total_token_j: Annotated[
        float | None,
        Field(description="energy divided by input and output tokens (J/tok)"),
    ]
    tokens_per_joule: Annotated[
        float | None,
        Field(description="output tokens per joule, in the energy scope shown (tok/J)"),
    ]
    total_tokens_per_joule: Annotated[float | None, Field(description="input and output tokens per joule (tok/J)")]
    avg_power_w: Annotated[
        float | None,
        Field(description="energy divided by duration, all GPUs together (W)"),
    ]
    idle_power_w: Annotated[
        float | None,
        Field(description="power of the idle GPUs before the measurement (W)"),
    ]
    flops_per_second: Annotated[float | None, Field(description="as stated by the tool (FLOP/s)")]
    peak_memory_mb: Annotated[
        float | None,
        Field(description="highest device memory of one GPU; MB = 10^6 bytes (MB)"),
    ]
    peak_memory_total_mb: Annotated[
        float | None,
        Field(description="highest device memory summed over the GPUs (MB)"),
    ]
    ttft_ms_mean: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; mean (ms)"),
    ]
    ttft_ms_p50: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; median (ms)"),
    ]
    ttft_ms_p90: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 90th percentile (ms)"
        ),
    ]
    ttft_ms_p95: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 95th percentile (ms)"
        ),
    ]
    ttft_ms_p99: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 99th percentile (ms)"
        ),
    ]
    itl_ms_mean: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; mean (ms)"),
    ]
    itl_ms_p50: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; median (ms)"),
    ]
    itl_ms_p90: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 90th percentile (ms)"
        ),
    ]
    itl_ms_p95: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 95th percentile (ms)"
        ),
    ]
    itl_ms_p99: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 99th percentile (ms)"
        ),
    ]
    tpot_ms_mean: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; mean (ms)"),
    ]
    tpot_ms_p50: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; median (ms)"),
    ]
    tpot_ms_p90: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 90th percentile (ms)"
        ),
    ]
    tpot_ms_p95: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 95th percentile (ms)"
        ),
    ]
    tpot_ms_p99: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 99th percentile (ms)"
        ),
    ]
    e2e_ms_mean: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; mean (ms)"),
    ]
    e2e_ms_p50: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; median (ms)"),
    ]
    e2e_ms_p90: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 90th percentile (ms)"),
    ]
    e2e_ms_p95: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 95th percentile (ms)"),
    ]
    e2e_ms_p99: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 99th percentile (ms)"),
    ]
    quality_composite: Annotated[float | None, Field(description="mean composite over scored test cases (0-1)")]
    runs: int | None
    source_name: str | None
    source_url: str | None
    source_date: str | None
    model_reported: Annotated[str | None, Field(description="the name as it was given")]
    hardware_reported: Annotated[str | None, Field(description="the name as it was given")]
    backend_reported: Annotated[str | None, Field(description="the name as it was given")]
    cost_per_million_tokens_usd: Annotated[
        float | None,
        Field(
            description="price of the GPUs' time for 10^6 output tokens, at the catalogue's or your own $ per GPU-hour; electricity alone when you give $ per kWh and no GPU price (USD)"
        ),
    ]
    co2_g_per_million_tokens: Annotated[
        float | None,
        Field(description="energy per output token x 10^6 x PUE x your grid factor (g)"),
    ]


class ResultDetail(Shape):
    id: Annotated[UUID | None, Field(description="null in a dry run")]
    submission: UUID | None
    trust: Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str
    licence: Annotated[
        Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | str | None,
        Field(description="SPDX; null for rows with a source_name, under the terms of it"),
    ]
    status: Annotated[str, Field(description="the status of its submission")]
    is_simulated: Annotated[bool, Field(description="made up by a job without a GPU; never ranked")]
    url: Annotated[str | None, Field(description="its page")]
    statistics: Annotated[dict[str, Statistics], Field(description="metric -> figures over the cycles")]
    provenance: Annotated[
        dict[str, Literal["file", "computed", "stated", "missing"] | str],
        Field(description="field -> where its value is from"),
    ]
    notes: Annotated[dict[str, str], Field(description="field -> how it was derived")]
    findings: list[Finding]
    config: dict[str, Any]
    environment: dict[str, Any]
    warnings: Annotated[list[str], Field(description="the tool's own")]
    file: Annotated[str, Field(description="the file of the upload that it was read from")]
    model: Annotated[
        str | None,
        Field(description="the catalogue's org/name, or the name as given where the catalogue does not know it"),
    ]
    hardware: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    gpu_count: int | None
    backend: Annotated[
        str | None,
        Field(description="the catalogue's slug, or the name as given where the catalogue does not know it"),
    ]
    backend_version: str | None
    precision: (
        Literal[
            "fp32",
            "tf32",
            "fp16",
            "bf16",
            "fp8",
            "fp6",
            "fp4",
            "int8",
            "int6",
            "int5",
            "int4",
            "int3",
            "int2",
            "mixed",
        ]
        | str
        | None
    )
    batch_size: int | None
    concurrency: int | None
    request_rate_per_s: Annotated[float | None, Field(description="1/s")]
    tensor_parallel: int | None
    pipeline_parallel: int | None
    dataset: str | None
    max_input_tokens: Annotated[int | None, Field(description="tok")]
    max_output_tokens: Annotated[int | None, Field(description="tok")]
    requests: int | None
    success_rate: float | None
    power_limit_w: Annotated[float | None, Field(description="W")]
    prefix_caching: bool | None
    speculative_decoding: bool | None
    started_at: datetime | None
    ended_at: datetime | None
    tool: str | None
    tool_version: str | None
    config_hash: str | None
    output_tokens: Annotated[int | None, Field(description="tokens generated in the measured window (tok)")]
    input_tokens: Annotated[int | None, Field(description="prompt tokens in the measured window (tok)")]
    duration_s: Annotated[float | None, Field(description="length of the measured window, wall clock (s)")]
    throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="output tokens divided by measured wall time, all GPUs together (tok/s)"),
    ]
    total_throughput_tokens_per_s: Annotated[
        float | None,
        Field(description="input and output tokens divided by measured wall time (tok/s)"),
    ]
    requests_per_s: Annotated[
        float | None,
        Field(description="finished requests divided by measured wall time (1/s)"),
    ]
    total_energy_j: Annotated[
        float | None,
        Field(description="energy in the measured window, in the energy scope shown (J)"),
    ]
    host_energy_j: Annotated[
        float | None,
        Field(
            description="energy of the GPUs in the same window, as a host of this site sampled it beside the tool (J)"
        ),
    ]
    adjusted_energy_j: Annotated[
        float | None,
        Field(description="energy less the idle baseline over the window (J)"),
    ]
    energy_scope: Literal["gpu", "node", "wall"] | str | None
    energy_method: (
        Literal[
            "nvml_counter",
            "nvml_sampled",
            "zeus",
            "codecarbon",
            "dcgm",
            "analyser",
            "unknown",
        ]
        | str
        | None
    )
    energy_per_output_token_j: Annotated[float | None, Field(description="energy divided by output tokens (J/tok)")]
    energy_per_total_token_j: Annotated[
        float | None,
        Field(description="energy divided by input and output tokens (J/tok)"),
    ]
    tokens_per_joule: Annotated[
        float | None,
        Field(description="output tokens per joule, in the energy scope shown (tok/J)"),
    ]
    total_tokens_per_joule: Annotated[float | None, Field(description="input and output tokens per joule (tok/J)")]
    avg_power_w: Annotated[
        float | None,
        Field(description="energy divided by duration, all GPUs together (W)"),
    ]
    idle_power_w: Annotated[
        float | None,
        Field(description="power of the idle GPUs before the measurement (W)"),
    ]
    flops_per_second: Annotated[float | None, Field(description="as stated by the tool (FLOP/s)")]
    peak_memory_mb: Annotated[
        float | None,
        Field(description="highest device memory of one GPU; MB = 10^6 bytes (MB)"),
    ]
    peak_memory_total_mb: Annotated[
        float | None,
        Field(description="highest device memory summed over the GPUs (MB)"),
    ]
    ttft_ms_mean: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; mean (ms)"),
    ]
    ttft_ms_p50: Annotated[
        float | None,
        Field(description="time to first token: from sending a request to its first output token; median (ms)"),
    ]
    ttft_ms_p90: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 90th percentile (ms)"
        ),
    ]
    ttft_ms_p95: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 95th percentile (ms)"
        ),
    ]
    ttft_ms_p99: Annotated[
        float | None,
        Field(
            description="time to first token: from sending a request to its first output token; 99th percentile (ms)"
        ),
    ]
    itl_ms_mean: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; mean (ms)"),
    ]
    itl_ms_p50: Annotated[
        float | None,
        Field(description="inter-token latency: the gap between two output tokens, over all gaps; median (ms)"),
    ]
    itl_ms_p90: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 90th percentile (ms)"
        ),
    ]
    itl_ms_p95: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 95th percentile (ms)"
        ),
    ]
    itl_ms_p99: Annotated[
        float | None,
        Field(
            description="inter-token latency: the gap between two output tokens, over all gaps; 99th percentile (ms)"
        ),
    ]
    tpot_ms_mean: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; mean (ms)"),
    ]
    tpot_ms_p50: Annotated[
        float | None,
        Field(description="time per output token: the mean gap of one request, over all requests; median (ms)"),
    ]
    tpot_ms_p90: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 90th percentile (ms)"
        ),
    ]
    tpot_ms_p95: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 95th percentile (ms)"
        ),
    ]
    tpot_ms_p99: Annotated[
        float | None,
        Field(
            description="time per output token: the mean gap of one request, over all requests; 99th percentile (ms)"
        ),
    ]
    e2e_ms_mean: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; mean (ms)"),
    ]
    e2e_ms_p50: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; median (ms)"),
    ]
    e2e_ms_p90: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 90th percentile (ms)"),
    ]
    e2e_ms_p95: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 95th percentile (ms)"),
    ]
    e2e_ms_p99: Annotated[
        float | None,
        Field(description="end-to-end latency: from sending a request to its last output token; 99th percentile (ms)"),
    ]
    quality_composite: Annotated[float | None, Field(description="mean composite over scored test cases (0-1)")]
    runs: int | None
    source_name: str | None
    source_url: str | None
    source_date: str | None
    model_reported: Annotated[str | None, Field(description="the name as it was given")]
    hardware_reported: Annotated[str | None, Field(description="the name as it was given")]
    backend_reported: Annotated[str | None, Field(description="the name as it was given")]
    cost_per_million_tokens_usd: Annotated[
        float | None,
        Field(
            description="price of the GPUs' time for 10^6 output tokens, at the catalogue's or your own $ per GPU-hour; electricity alone when you give $ per kWh and no GPU price (USD)"
        ),
    ]
    co2_g_per_million_tokens: Annotated[
        float | None,
        Field(description="energy per output token x 10^6 x PUE x your grid factor (g)"),
    ]


class Submission(Shape):
    id: UUID
    status: (
        Literal[
            "draft",
            "pending",
            "published",
            "changes_requested",
            "rejected",
            "disputed",
            "invalidated",
            "withdrawn",
        ]
        | str
    )
    trust: Annotated[
        Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str,
        Field(description="the lowest of its results"),
    ]
    url: Annotated[str, Field(description="its page")]
    shape: str
    visibility: Literal["draft", "private", "public"] | str
    licence: Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | str
    version: Annotated[int, Field(description="counts up when the files are replaced")]
    provenance: Literal["upload", "api", "job", "imported"] | str
    is_simulated: Annotated[bool, Field(description="made up by a job without a GPU; never ranked")]
    owner: str | None
    check_set: str
    created_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    redacted: list[str]
    results: list[Result]
    findings: list[PlacedFinding]
    missing: list[Missing]
    stated: dict[str, Any]
    note: Annotated[
        str | None,
        Field(description="Markdown; null for others before it is published"),
    ]
    files: list[File]


class SubmissionRow(Shape):
    id: UUID
    status: (
        Literal[
            "draft",
            "pending",
            "published",
            "changes_requested",
            "rejected",
            "disputed",
            "invalidated",
            "withdrawn",
        ]
        | str
    )
    trust: Annotated[
        Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str,
        Field(description="the lowest of its results"),
    ]
    url: Annotated[str, Field(description="its page")]
    shape: str
    visibility: Literal["draft", "private", "public"] | str
    licence: Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | str
    version: Annotated[int, Field(description="counts up when the files are replaced")]
    provenance: Literal["upload", "api", "job", "imported"] | str
    is_simulated: Annotated[bool, Field(description="made up by a job without a GPU; never ranked")]
    owner: str | None
    check_set: str
    created_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None


class Accepted(Shape):
    batch: BatchRow


class Analysis(Shape):
    question: Annotated[str, Field(description="goal and limits in words")]
    page: str
    figure: Annotated[str, Field(description="the metric that the answer is the best by")]
    unit: str
    answer: Configuration | None
    why_none: list[str]
    instead: Instead | None
    frontier: Frontier
    models: list[Configuration]
    changes: list[Change]
    assumptions: list[str]
    counts: Counts


class Board(Shape):
    results: list[Result]
    next: Annotated[str | None, Field(description="the following page; null on the last")]
    view: str
    sort: str


class Comparison(Shape):
    url: Annotated[str, Field(description="the page of this comparison")]
    verdict: Annotated[str, Field(description="whether the figures are like for like")]
    is_like_for_like: bool
    results: list[Compared]
    differences: list[Difference]
    differs: Annotated[list[Setting], Field(description="the settings that differ")]
    same: Annotated[
        list[Setting],
        Field(description="the settings that are the same for all, with one value"),
    ]
    citations: list[Citation]
    context: list[Aspect]


class Created(Shape):
    id: UUID
    status: (
        Literal[
            "draft",
            "pending",
            "published",
            "changes_requested",
            "rejected",
            "disputed",
            "invalidated",
            "withdrawn",
        ]
        | str
    )
    trust: Annotated[
        Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str,
        Field(description="the lowest of its results"),
    ]
    url: Annotated[str, Field(description="its page")]
    shape: str
    visibility: Literal["draft", "private", "public"] | str
    licence: Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | str
    version: Annotated[int, Field(description="counts up when the files are replaced")]
    provenance: Literal["upload", "api", "job", "imported"] | str
    is_simulated: Annotated[bool, Field(description="made up by a job without a GPU; never ranked")]
    owner: str | None
    check_set: str
    created_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    redacted: list[str]
    results: list[Result]
    findings: list[PlacedFinding]
    missing: list[Missing]
    stated: dict[str, Any]
    note: Annotated[
        str | None,
        Field(description="Markdown; null for others before it is published"),
    ]
    files: list[File]
    ignored: list[Ignored]


class Impossible(Shape):
    error: ErrorFields
    findings: list[PlacedFinding]


class OrderedJobOrRace(RootModel[Ordered | OrderedRace]):
    root: Ordered | OrderedRace


class PaginatedSubmissionRowList(Shape):
    results: list[SubmissionRow]
    next: Annotated[str | None, Field(description="null on the last page")]


class Preview(Shape):
    status: Annotated[
        str,
        Field(description="draft or pending; impossible in a dry run that would be refused"),
    ]
    trust: Annotated[
        Literal["T0", "T1", "Published", "T2", "T3", "T4"] | str,
        Field(description="the lowest of its results"),
    ]
    shape: str
    redacted: Annotated[list[str], Field(description="what was removed before storing")]
    results: list[Result]
    findings: list[PlacedFinding]
    missing: list[Missing]
    ignored: list[Ignored]
