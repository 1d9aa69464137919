"""LEN1 and CAC1: the work was what it says: answers of the length asked for, prompts that were not in a cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.latency import output_length
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import NormalResult, ParsedResult


def check_length(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """LEN1: the mean output length is within 10 % of the fixed length asked for, else of peers with the same prompts.

    A longest length is no fixed one: answers may end early, so it counts only where the end of text was ignored.
    """
    length = output_length(parsed.values)
    if not length:
        return
    expected, of_what = _fixed_length(parsed), "asked for, with the end of text ignored"
    if expected is None:
        expected, of_what = _length_of_peers(parsed.values, context), "of its peers with the same prompts and limit"
    if expected and is_above(abs(length / expected - 1), "length_off_review"):
        yield Finding(
            "LEN1",
            Severity.REVIEW,
            observed=f"{quantity(length)} tokens a request",
            limit=f"{quantity(expected)} within {percent(limit('length_off_review'))}",
            message=(
                f"Answers of {quantity(length)} tokens on average are not the {quantity(expected)} {of_what}; "
                "check the number of requests, the token counts and that answers were not cut."
            ),
            field="output_tokens",
        )


def _fixed_length(parsed: ParsedResult) -> float | None:
    return parsed.values.max_output_tokens if _ignores_end_of_text(parsed.config) else None


def _ignores_end_of_text(config: Any) -> bool:
    """True if `ignore_eos` is on anywhere in the tool's configuration."""
    if isinstance(config, Mapping):
        return config.get("ignore_eos") is True or any(_ignores_end_of_text(value) for value in config.values())
    return isinstance(config, list) and any(_ignores_end_of_text(value) for value in config)


def _length_of_peers(values: NormalResult, context: Context) -> float | None:
    if values.dataset is None or values.max_output_tokens is None:
        return None
    asked = (values.dataset, values.max_output_tokens)
    lengths = [
        peer.output_length
        for peer in context.peers
        if peer.output_length and (peer.dataset, peer.max_output_tokens) == asked
    ]
    return median(lengths) if len(lengths) >= limit("peers_needed") else None


def check_caching(parsed: ParsedResult, context: Context) -> Iterator[Finding]:
    """CAC1: with prefix caching on, throughput is at most 10 % above that of peers without it."""
    throughput = parsed.values.throughput_tokens_per_s
    others = [
        peer.throughput_tokens_per_s
        for peer in context.peers
        if peer.prefix_caching is False and peer.throughput_tokens_per_s
    ]
    if not parsed.values.prefix_caching or not throughput or len(others) < limit("peers_needed"):
        return
    gain = throughput / median(others) - 1
    if is_above(gain, "cached_gain_warn"):
        yield Finding(
            "CAC1",
            Severity.WARN,
            observed=f"{percent(gain)} faster",
            limit=f"at most {percent(limit('cached_gain_warn'))} faster",
            message=(
                f"With prefix caching on it is {percent(gain)} faster than {len(others)} peers without: prompts were "
                "answered from the cache in part, so compare it with cached runs only."
            ),
            field="prefix_caching",
        )
