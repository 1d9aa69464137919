"""SCH1, SCH2, TOK1, PAR1 and CFG1: is there something to judge, and is it what it says it is?"""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.findings import Context, Finding, Severity, quantity
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import CONFIG_EDITED, NormalResult, ParsedResult

#: one of these must be measured for a result to say anything
METRICS = (
    "throughput_tokens_per_s",
    "total_throughput_tokens_per_s",
    "requests_per_s",
    "total_energy_j",
    "energy_per_output_token_j",
    "energy_per_total_token_j",
    "tokens_per_joule",
    "total_tokens_per_joule",
    "avg_power_w",
    "flops_per_second",
    "peak_memory_mb",
    "peak_memory_total_mb",
    *(f"{family}_ms_{part}" for family in ("ttft", "itl", "tpot", "e2e") for part in ("mean", "p50", "p99")),
)
#: zero in one of these means that nothing was generated
NOT_ZERO = {
    "output_tokens": "tokens",
    "throughput_tokens_per_s": "tok/s",
    "requests_per_s": "requests/s",
    "success_rate": "of requests succeeded",
}


def check_measured(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """SCH1: at least one metric is measured, and no count that must be positive is zero."""
    values = parsed.values
    if all(getattr(values, name) is None for name in METRICS):
        yield Finding(
            "SCH1",
            Severity.BLOCK,
            observed="0 metrics",
            limit="at least 1 metric",
            message="The file holds no throughput, energy, latency or memory figure; upload a measured run.",
            field=None,
        )
    for name, unit in NOT_ZERO.items():
        if getattr(values, name) == 0:
            yield Finding(
                "SCH1",
                Severity.BLOCK,
                observed=f"0 {unit}",
                limit=f"more than 0 {unit}",
                message=f"{name} is 0, so nothing was generated; leave out what was not measured, or repeat the run.",
                field=name,
            )


def check_catalogue(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """SCH2: model, hardware and backend are stated and in the catalogue, else no physics can be checked."""
    known = {
        "model": context.model is not None,
        "hardware": context.hardware is not None,
        "backend": context.backend_known,
    }
    for name, is_known in known.items():
        stated = getattr(parsed.values, name)
        if stated is None:
            yield _unmapped(name, "not stated", f"The {name} is not in the file and must be stated in the form.")
        elif not is_known:
            yield _unmapped(
                name,
                f"“{stated}”",
                f"The {name} “{stated}” is not in the catalogue; correct the name, or wait until a moderator maps it.",
            )


def _unmapped(name: str, observed: str, message: str) -> Finding:
    return Finding("SCH2", Severity.REVIEW, observed, f"a {name} of the catalogue", message, field=name)


def check_output_length(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """TOK1: no more output tokens than requests x the longest output allowed."""
    values = parsed.values
    most = _most_output_tokens(values)
    if values.output_tokens is None or most is None:
        return
    if is_above(values.output_tokens / most, "tokens_over_requested"):
        yield Finding(
            "TOK1",
            Severity.BLOCK,
            observed=quantity(values.output_tokens, "output tokens"),
            limit=quantity(most * limit("tokens_over_requested"), "output tokens"),
            message=(
                f"{quantity(values.output_tokens, 'output tokens')} are more than {values.requests} requests of "
                f"at most {values.max_output_tokens} tokens can give; did you read total tokens as output tokens?"
            ),
            field="output_tokens",
        )


def _most_output_tokens(values: NormalResult) -> int | None:
    if values.requests is None or values.max_output_tokens is None:
        return None
    return values.requests * values.max_output_tokens


def check_split(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """PAR1: at least as many GPUs as tensor x pipeline parallel; more of them are further replicas."""
    values = parsed.values
    if values.gpu_count is None or (values.tensor_parallel is None and values.pipeline_parallel is None):
        return
    needed = (values.tensor_parallel or 1) * (values.pipeline_parallel or 1)
    if needed > values.gpu_count:
        yield Finding(
            "PAR1",
            Severity.REVIEW,
            observed=quantity(values.gpu_count, "GPUs"),
            limit=f"at least {quantity(needed, 'GPUs')}",
            message=(
                f"A model split over {needed} GPUs (tensor x pipeline parallel) does not run on {values.gpu_count}; "
                "count the GPUs of all nodes."
            ),
            field="gpu_count",
        )


def check_configuration(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """CFG1: the settings in the tool's file have the hash that the tool wrote beside them."""
    if parsed.notes.get("config_hash") == CONFIG_EDITED:
        yield Finding(
            "CFG1",
            Severity.REVIEW,
            observed="settings of another hash",
            limit="the hash that the tool wrote",
            message=(
                "The settings in the file are not those that the tool noted a hash of, so model, precision or batch "
                "size may not be what ran; upload the files as the tool wrote them."
            ),
            field="config_hash",
        )
