"""The check catalogue: pure functions that say what is wrong with a result.

Blocking checks are laws (identities, bandwidth, compute, memory, power limits); everything statistical is only
for review or a warning. docs/checks.md explains every code to users.
"""

from __future__ import annotations

from leaderboard.checks import (
    duration,
    host,
    identities,
    latency,
    memory,
    peers,
    percentiles,
    power,
    repeats,
    roofline,
    schema,
    workload,
)
from leaderboard.checks.findings import Check, Context, Finding, HardwareFacts, ModelFacts, Neighbour, Severity
from leaderboard.checks.limits import CHECK_SET
from leaderboard.normal import ParsedResult

__all__ = [
    "CHECKS",
    "CHECK_SET",
    "Check",
    "Context",
    "Finding",
    "HardwareFacts",
    "ModelFacts",
    "Neighbour",
    "Severity",
    "run_checks",
]

CHECKS: tuple[Check, ...] = (
    Check("SCH1", "Something was measured", schema.check_measured),
    Check("SCH2", "Model, hardware and backend are known", schema.check_catalogue),
    Check("TOK1", "Output tokens fit the requests", schema.check_output_length),
    Check("PAR1", "As many GPUs as the model is split over", schema.check_split),
    Check("CFG1", "The settings are those that ran", schema.check_configuration),
    Check("PCT1", "Percentiles rise", percentiles.check_order),
    Check("PCT2", "Tail of the inter-token latency", percentiles.check_tail),
    Check("IDN1", "Throughput x duration = output tokens", identities.check_throughput),
    Check("IDN2", "Power x duration = energy", identities.check_power),
    Check("IDN3", "Energy per token x tokens = energy", identities.check_energy_per_token),
    Check("IDN4", "Power / throughput = energy per output token", identities.check_power_per_token),
    Check("LAT1", "TTFT and TPOT add up to the end-to-end latency", latency.check_end_to_end),
    Check("LAT2", "Little's law", latency.check_little),
    Check("LAT3", "Throughput fits the inter-token latency", latency.check_decode_rate),
    Check("LAT4", "Chunked streaming", latency.check_chunks),
    Check("ROO1", "Memory bandwidth allows the inter-token latency", roofline.check_bandwidth_floor),
    Check("ROO2", "Compute peak allows the throughput", roofline.check_compute_ceiling),
    Check("ROO3", "Memory bandwidth allows the single-stream throughput", roofline.check_single_stream),
    Check("MEM1", "Weights fit into memory", memory.check_weights_fit),
    Check("MEM2", "Peak memory is plausible", memory.check_peak_memory),
    Check("PWR1", "Power is below the limit", power.check_power_cap),
    Check("PWR2", "Power is above idle", power.check_power_floor),
    Check("PWR3", "Wall power fits the GPUs", power.check_wall_power),
    Check("IDL1", "Idle energy is subtracted once", power.check_idle),
    Check("HST1", "The host measured the same energy", host.check_host_energy),
    Check("DUR1", "Length of the measured window", duration.check_window),
    Check("DUR2", "Number of requests", duration.check_request_count),
    Check("OK1", "Success rate", duration.check_success),
    Check("LEN1", "Answers are as long as asked for", workload.check_length),
    Check("CAC1", "Cached prompts", workload.check_caching),
    Check("OUT1", "Near its peers", peers.check_peers),
    Check("OUT2", "Not far better than a verified result", peers.check_verified),
    Check("OUT3", "On the curve of its configuration", peers.check_curve),
    Check("DUP1", "Not uploaded before", repeats.check_duplicate),
    Check("DUP2", "Figures with the noise of a measurement", repeats.check_noise),
    Check("CLK1", "Times are possible", repeats.check_clock),
    Check("STA1", "Repeats agree", repeats.check_stability),
)


def run_checks(parsed: ParsedResult, context: Context) -> list[Finding]:
    """Run the whole catalogue over one result; findings come in the catalogue's order."""
    return [finding for check in CHECKS for finding in check.run(parsed, context)]
