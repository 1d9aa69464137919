"""The log of an attempt: bytes that follow one another, whatever is sent twice, late or out of order."""

from __future__ import annotations

from django.db import transaction

from jobs.limits import LOG_CHUNK_BYTES, LOG_TOTAL_BYTES
from jobs.models import Attempt, LogChunk
from jobs.services import intake
from jobs.services.errors import AgentRefused


@transaction.atomic
def append(*, attempt: Attempt, start: int, content: bytes) -> int:
    """Add the bytes that begin at `start`; what is known of them is passed over. Returns where the log now ends.

    Refused with 416 when they begin after its end: the agent goes back to there.
    """
    if len(content) > LOG_CHUNK_BYTES:
        raise AgentRefused(413, "too_large", f"Send at most {LOG_CHUNK_BYTES} bytes of a log at once.")
    attempt = intake.locked(attempt)
    if start > attempt.log_bytes:
        detail = f"The log ends at {attempt.log_bytes}: go on from there."
        raise AgentRefused(416, "log_gap", detail, size=attempt.log_bytes)
    new = content[attempt.log_bytes - start :]
    if not new:
        return attempt.log_bytes
    intake.refuse_closed(attempt)
    end = attempt.log_bytes + len(new)
    if end > LOG_TOTAL_BYTES:
        raise AgentRefused(413, "log_full", f"A log has at most {LOG_TOTAL_BYTES} bytes.", size=attempt.log_bytes)
    LogChunk.objects.create(attempt=attempt, start=attempt.log_bytes, content=new)
    Attempt.objects.filter(pk=attempt.pk).update(log_bytes=end)
    return end
