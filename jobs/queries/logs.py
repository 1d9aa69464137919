"""The log of an attempt, read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from jobs.models import Attempt, LogChunk


def attempt_log(attempt: Attempt, start: int = 0) -> Iterator[bytes]:
    """Its bytes from `start` on, a chunk at a time."""
    before = LogChunk.objects.filter(attempt=attempt, start__lte=start).order_by("-start").first()
    rows = LogChunk.objects.filter(attempt=attempt, start__gte=before.start if before else 0).order_by("start")
    for chunk in rows.iterator(chunk_size=8):
        content = bytes(chunk.content)[max(0, start - chunk.start) :]
        if content:
            yield content


def log_part(attempt: Attempt, start: int, limit: int) -> bytes:
    """At most `limit` bytes from `start` on."""
    found = bytearray()
    for content in attempt_log(attempt, start):
        found += content
        if len(found) >= limit:
            break
    return bytes(found[:limit])


def gone_words(attempt: Attempt) -> str:
    """What is said in place of a log that was deleted long after its job had ended; empty for others."""
    gone = attempt.records_dropped_at
    return f"The log and the samples were deleted on {gone:%Y-%m-%d}." if gone else ""


def log_sha256(attempt: Attempt) -> str:
    digest = hashlib.sha256()
    for content in attempt_log(attempt):
        digest.update(content)
    return digest.hexdigest()
