"""HST1: what the tool measured is what the host of the job measured itself."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.checks.findings import Context, Finding, Severity, percent, quantity
from leaderboard.checks.limits import is_above, limit
from leaderboard.normal import ParsedResult


def check_host_energy(parsed: ParsedResult, _context: Context) -> Iterator[Finding]:
    """HST1: GPU scope, the tool's energy is at most 5 % from that of the host over the same window."""
    values = parsed.values
    if values.total_energy_j is None or values.host_energy_j is None or values.energy_scope != "gpu":
        return
    off = abs(values.total_energy_j / values.host_energy_j - 1)
    if is_above(off, "host_energy_off_review"):
        yield Finding(
            "HST1",
            Severity.REVIEW,
            observed=f"{percent(off)} apart",
            limit=f"at most {percent(limit('host_energy_off_review'))} apart",
            message=(
                f"The tool says {quantity(values.total_energy_j, 'J')} and the host, which sampled the job's GPUs by "
                f"their UUID, {quantity(values.host_energy_j, 'J')}; look whether the tool measured another GPU, or "
                "whether somebody else used this one."
            ),
            field="host_energy_j",
        )
