"""What each web process counts, for Prometheus (docs/adr/0022). What the database knows is read from it instead.

Labels have few values, and none that a visitor chooses.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("lemsite_http_requests", "Requests answered", ["route", "method", "status"])
REQUEST_DURATION = Histogram(
    "lemsite_http_request_duration_seconds",
    "From the arrival of a request to the end of its answer; event streams and sockets are not in it",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
UPLOADS = Counter("lemsite_uploads", "Uploads of results, by what became of them", ["outcome", "reason"])

INGEST_MESSAGES = Counter("lemsite_ingest_messages", "Live messages, by what became of them", ["outcome"])
INGEST_REFUSED = Counter("lemsite_ingest_refused", "Requests with live messages that were refused whole", ["reason"])
INGEST_COMMIT = Histogram(
    "lemsite_ingest_commit_seconds",
    "One transaction of the writer of live messages",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
STREAM_VIEWERS = Gauge(
    "lemsite_stream_viewers", "Open websockets and event streams", ["kind"], multiprocess_mode="livesum"
)
BROADCAST_LAG = Histogram(
    "lemsite_broadcast_lag_seconds",
    "From the commit of a live event to its hand-over to the viewers of a process",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
)

POOL_CONNECTIONS = Gauge(
    "lemsite_database_pool_connections",
    "Connections in the pools of the web processes",
    ["state"],
    multiprocess_mode="livesum",
)
POOL_WAITING = Gauge(
    "lemsite_database_pool_waiting", "Threads that wait for a connection of a pool", multiprocess_mode="livesum"
)

# Looking a child up by its labels costs more than counting.
ingest_accepted = INGEST_MESSAGES.labels("accepted")
ingest_malformed = INGEST_MESSAGES.labels("malformed")
ingest_unknown_run = INGEST_MESSAGES.labels("unknown_run")
#: status of a refused ingest request -> its reason
INGEST_REASONS = {
    400: "malformed", 401: "token", 404: "unknown_run", 405: "method", 413: "too_large", 429: "too_fast", 503: "busy",
}  # fmt: skip


def method_label(method: str) -> str:
    return method if method in METHODS else "other"


def count_refused_ingest(status: int) -> None:
    INGEST_REFUSED.labels(INGEST_REASONS.get(status, "other")).inc()
