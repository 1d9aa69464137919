"""The filters that the leaderboard, exports, analysis and comparisons share.

Generated from docs/openapi.yaml by `python -m tests.client.generate`; not edited by hand.
"""

from collections.abc import Iterable
from typing import TypedDict

#: one value or several, of which any may hold
Many = str | int | Iterable[str | int]


class Filters(TypedDict, total=False):
    """Which results; what is left out limits nothing."""

    #: Energy less idle, at most, in J
    adjusted_energy_j_max: float | None
    #: Energy less idle, at least, in J
    adjusted_energy_j_min: float | None
    #: Power, at most, in W
    avg_power_w_max: float | None
    #: Power, at least, in W
    avg_power_w_min: float | None
    #: Backend; repeat it for several values
    backend: Many
    #: Batch size; repeat it for several values; a whole number, or "unknown"
    batch_size: Many
    #: carbon intensity of your grid, for the CO2 column
    co2_g_per_kwh: float | None
    #: $/M tokens, at most, in USD
    cost_per_million_tokens_usd_max: float | None
    #: $/M tokens, at least, in USD
    cost_per_million_tokens_usd_min: float | None
    #: Duration, at most, in s
    duration_s_max: float | None
    #: Duration, at least, in s
    duration_s_min: float | None
    #: E2E mean, at most, in ms
    e2e_ms_mean_max: float | None
    #: E2E mean, at least, in ms
    e2e_ms_mean_min: float | None
    #: E2E p50, at most, in ms
    e2e_ms_p50_max: float | None
    #: E2E p50, at least, in ms
    e2e_ms_p50_min: float | None
    #: E2E p90, at most, in ms
    e2e_ms_p90_max: float | None
    #: E2E p90, at least, in ms
    e2e_ms_p90_min: float | None
    #: E2E p95, at most, in ms
    e2e_ms_p95_max: float | None
    #: E2E p95, at least, in ms
    e2e_ms_p95_min: float | None
    #: E2E p99, at most, in ms
    e2e_ms_p99_max: float | None
    #: E2E p99, at least, in ms
    e2e_ms_p99_min: float | None
    #: J/token, at most, in J/tok
    energy_per_output_token_j_max: float | None
    #: J/token, at least, in J/tok
    energy_per_output_token_j_min: float | None
    #: J/total token, at most, in J/tok
    energy_per_total_token_j_max: float | None
    #: J/total token, at least, in J/tok
    energy_per_total_token_j_min: float | None
    #: Energy scope; repeat it for several values
    energy_scope: Many
    #: Model family; repeat it for several values
    family: Many
    #: FLOP/s, at most, in FLOP/s
    flops_per_second_max: float | None
    #: FLOP/s, at least, in FLOP/s
    flops_per_second_min: float | None
    #: GPU count; repeat it for several values; a whole number, or "unknown"
    gpu_count: Many
    #: Hardware; repeat it for several values
    hardware: Many
    #: Energy by the host, at most, in J
    host_energy_j_max: float | None
    #: Energy by the host, at least, in J
    host_energy_j_min: float | None
    #: Idle power, at most, in W
    idle_power_w_max: float | None
    #: Idle power, at least, in W
    idle_power_w_min: float | None
    #: Input tokens, at most, in tok
    input_tokens_max: float | None
    #: Input tokens, at least, in tok
    input_tokens_min: float | None
    #: ITL mean, at most, in ms
    itl_ms_mean_max: float | None
    #: ITL mean, at least, in ms
    itl_ms_mean_min: float | None
    #: ITL p50, at most, in ms
    itl_ms_p50_max: float | None
    #: ITL p50, at least, in ms
    itl_ms_p50_min: float | None
    #: ITL p90, at most, in ms
    itl_ms_p90_max: float | None
    #: ITL p90, at least, in ms
    itl_ms_p90_min: float | None
    #: ITL p95, at most, in ms
    itl_ms_p95_max: float | None
    #: ITL p95, at least, in ms
    itl_ms_p95_min: float | None
    #: ITL p99, at most, in ms
    itl_ms_p99_max: float | None
    #: ITL p99, at least, in ms
    itl_ms_p99_min: float | None
    #: the lowest trust level shown
    min_trust: str
    #: Model; repeat it for several values
    model: Many
    #: Output tokens, at most, in tok
    output_tokens_max: float | None
    #: Output tokens, at least, in tok
    output_tokens_min: float | None
    #: Peak memory, at most, in MB
    peak_memory_mb_max: float | None
    #: Peak memory, at least, in MB
    peak_memory_mb_min: float | None
    #: Peak memory, all GPUs, at most, in MB
    peak_memory_total_mb_max: float | None
    #: Peak memory, all GPUs, at least, in MB
    peak_memory_total_mb_min: float | None
    #: Precision; repeat it for several values
    precision: Many
    #: power usage effectiveness of your data centre
    pue: float | None
    #: words that the names of model, family, hardware or backend hold
    q: str
    #: Quality, at most, in 0-1
    quality_composite_max: float | None
    #: Quality, at least, in 0-1
    quality_composite_min: float | None
    #: Requests/s, at most, in 1/s
    requests_per_s_max: float | None
    #: Requests/s, at least, in 1/s
    requests_per_s_min: float | None
    #: Model size; repeat it for several values
    size: Many
    #: Output tok/s, at most, in tok/s
    throughput_tokens_per_s_max: float | None
    #: Output tok/s, at least, in tok/s
    throughput_tokens_per_s_min: float | None
    #: Tokens/J, at most, in tok/J
    tokens_per_joule_max: float | None
    #: Tokens/J, at least, in tok/J
    tokens_per_joule_min: float | None
    #: Energy, at most, in J
    total_energy_j_max: float | None
    #: Energy, at least, in J
    total_energy_j_min: float | None
    #: Total tok/s, at most, in tok/s
    total_throughput_tokens_per_s_max: float | None
    #: Total tok/s, at least, in tok/s
    total_throughput_tokens_per_s_min: float | None
    #: Total tokens/J, at most, in tok/J
    total_tokens_per_joule_max: float | None
    #: Total tokens/J, at least, in tok/J
    total_tokens_per_joule_min: float | None
    #: TPOT mean, at most, in ms
    tpot_ms_mean_max: float | None
    #: TPOT mean, at least, in ms
    tpot_ms_mean_min: float | None
    #: TPOT p50, at most, in ms
    tpot_ms_p50_max: float | None
    #: TPOT p50, at least, in ms
    tpot_ms_p50_min: float | None
    #: TPOT p90, at most, in ms
    tpot_ms_p90_max: float | None
    #: TPOT p90, at least, in ms
    tpot_ms_p90_min: float | None
    #: TPOT p95, at most, in ms
    tpot_ms_p95_max: float | None
    #: TPOT p95, at least, in ms
    tpot_ms_p95_min: float | None
    #: TPOT p99, at most, in ms
    tpot_ms_p99_max: float | None
    #: TPOT p99, at least, in ms
    tpot_ms_p99_min: float | None
    #: Trust; repeat it for several values
    trust: Many
    #: TTFT mean, at most, in ms
    ttft_ms_mean_max: float | None
    #: TTFT mean, at least, in ms
    ttft_ms_mean_min: float | None
    #: TTFT p50, at most, in ms
    ttft_ms_p50_max: float | None
    #: TTFT p50, at least, in ms
    ttft_ms_p50_min: float | None
    #: TTFT p90, at most, in ms
    ttft_ms_p90_max: float | None
    #: TTFT p90, at least, in ms
    ttft_ms_p90_min: float | None
    #: TTFT p95, at most, in ms
    ttft_ms_p95_max: float | None
    #: TTFT p95, at least, in ms
    ttft_ms_p95_min: float | None
    #: TTFT p99, at most, in ms
    ttft_ms_p99_max: float | None
    #: TTFT p99, at least, in ms
    ttft_ms_p99_min: float | None
    #: your price of one GPU for an hour, for the cost column
    usd_per_gpu_hour: float | None
    #: your price of electricity; without a GPU price the cost is electricity alone
    usd_per_kwh: float | None
