"""What load generators have in common: they measure a server from outside, request by request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from leaderboard.importers.base import ImportRefused
from leaderboard.importers.draft import Draft
from leaderboard.importers.fields import Fields
from leaderboard.importers.llem_common import identity_of

#: the part of our latency columns after the unit
PARTS = ("mean", "p50", "p90", "p95", "p99")
UNLIMITED = frozenset({"inf", "infinity", ".inf"})
#: A median gap this far below the mean is the gap inside one chunk; check LAT4 uses the same share.
CHUNKED = 0.10
#: no model makes a token in a microsecond, not even a draft model
NO_GAP_MS = 0.05

_FROM_OUTSIDE = {
    "hardware": "The tool measures from outside and does not know the GPU; please state it.",
    "gpu_count": "The tool measures from outside and does not know how many GPUs took part; please state it.",
    "backend": "The tool measures from outside and does not know the engine; please state it.",
    "precision": "The tool measures from outside and does not know the precision; please state it.",
    "total_energy_j": "The tool does not measure energy.",
}


def load_identity(draft: Draft) -> str:
    """Equal for one and the same measurement: stages of one run may share its start and number of tokens."""
    names = ("tool", "model", "concurrency", "request_rate_per_s", "duration_s", "throughput_tokens_per_s")
    return "|".join([identity_of(draft), *(str(draft.values.get(name, "")) for name in names)])


def ask_from_outside(draft: Draft) -> None:
    """Say of each value that only the server knows why it is missing."""
    for name, note in _FROM_OUTSIDE.items():
        ask(draft, name, note)


def ask(draft: Draft, name: str, note: str) -> None:
    """Say why a value is missing, unless a better reason was given before."""
    if name not in draft.notes:
        draft.missing(name, note)


def read_requests(
    draft: Draft, place: Fields, *, answered: int | None, failed: int | None = None, cut_off: int | None = None
) -> None:
    """Set requests and the share that was answered. Requests still running at the end count as neither."""
    if answered is None:
        return
    if answered == 0:
        raise ImportRefused(
            f"{place.file}: none of its requests was answered, so there is nothing to compare.",
            file=place.file,
            field="requests",
        )
    tried = answered + (failed or 0)
    note = f"{cut_off} more were still running at the end and are not counted." if cut_off else None
    draft.given("requests", tried, note)
    if failed is not None:
        draft.computed("success_rate", answered / tried, "Answered requests, of those that were answered or failed.")


def read_latency(draft: Draft, family: str, milliseconds: Mapping[str, float | None], note: str | None = None) -> None:
    """Set the columns of one latency family, given by PARTS; a latency of 0 ms was not measured."""
    for part, value in milliseconds.items():
        draft.given(f"{family}_ms_{part}", value or None, note)


def drop_chunked_median(draft: Draft) -> None:
    """Leave out a median gap that says nothing about one token, because several arrive in one chunk."""
    median, mean = draft.number("itl_ms_p50"), draft.number("itl_ms_mean") or draft.number("tpot_ms_mean")
    if median is None or (median >= NO_GAP_MS and (not mean or median >= CHUNKED * mean)):
        return
    del draft.values["itl_ms_p50"]
    del draft.origins["itl_ms_p50"]
    draft.notes["itl_ms_p50"] = (
        f"The file's median gap of {median:.4g} ms is that inside a chunk: several tokens arrive at once. Left out."
    )


def rate_or_unlimited(place: Fields, name: str) -> float | None:
    """Return a rate or a limit; None where there is none, which tools write as null, 0, or "inf"."""
    value = place.raw(name)
    if isinstance(value, str) and value.strip().lower() in UNLIMITED:
        return None
    return place.measured(name)


def epoch(place: Fields, name: str) -> datetime | None:
    """Return a time given in seconds since 1970; tools write 0 where they have none."""
    seconds = place.measured(name)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise place.refuse(name, f"is {seconds!r}, but must be a time in seconds since 1970") from None


def read_epochs(draft: Draft, place: Fields, *, start: str, end: str) -> float | None:
    """Set both times from seconds since 1970 and return the seconds between them, None unless positive."""
    started, ended = epoch(place, start), epoch(place, end)
    draft.given("started_at", started)
    draft.given("ended_at", ended)
    if not started or not ended:
        return None
    seconds = (ended - started).total_seconds()
    if seconds < 0:
        raise place.refuse(end, f"is before {start}")
    return seconds or None
