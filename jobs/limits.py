"""How much one person, one job and one host may have."""

QUEUED_PER_PERSON = 20
RUNNING_PER_PERSON = 2
ATTEMPTS_PER_JOB = 3
#: hosts that fail so often in a row are set aside
FAILURES_TO_QUARANTINE = 3
#: a job that so many hosts declined, and that no other can take, has failed
DECLINES_PER_JOB = 5

MAX_SWEEP_CELLS = 64
MAX_WALL_S = 24 * 3600

LOG_CHUNK_BYTES = 1 << 20
LOG_TOTAL_BYTES = 64 << 20
ARTIFACT_CHUNK_BYTES = 8 << 20
#: a file up to this size comes with its announcement, several of them in one call of no more than that
ARTIFACT_INLINE_BYTES, ARTIFACT_BATCH_BYTES = 64 << 10, 512 << 10
ARTIFACT_TOTAL_BYTES = 1 << 30
MAX_ARTIFACTS = 200
TELEMETRY_BATCH = 600
EVENTS_BATCH = 1000


def for_agents() -> dict[str, int]:
    """What an agent is told at the start of its session."""
    return {
        "log_chunk": LOG_CHUNK_BYTES,
        "log_total": LOG_TOTAL_BYTES,
        "artifact_chunk": ARTIFACT_CHUNK_BYTES,
        "artifact_inline": ARTIFACT_INLINE_BYTES,
        "artifact_batch": ARTIFACT_BATCH_BYTES,
        "artifact_total": ARTIFACT_TOTAL_BYTES,
        "artifacts": MAX_ARTIFACTS,
        "telemetry_batch": TELEMETRY_BATCH,
        "events_batch": EVENTS_BATCH,
    }
