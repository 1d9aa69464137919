"""The connection pool of this process, as it is every few seconds."""

from __future__ import annotations

import time

from django.db import connection

from lemsite.lib import metrics

EVERY_S = 5.0
_sampled_at = 0.0


def sample_now_and_then() -> None:
    global _sampled_at
    now = time.monotonic()
    if now - _sampled_at >= EVERY_S:
        _sampled_at = now
        sample()


def sample() -> None:
    """Only PostgreSQL has a pool, and only once it was used."""
    pool = getattr(connection, "_connection_pools", {}).get(connection.alias)
    if pool is None:
        return
    stats = pool.get_stats()
    size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
    metrics.POOL_CONNECTIONS.labels("idle").set(idle)
    metrics.POOL_CONNECTIONS.labels("used").set(size - idle)
    metrics.POOL_WAITING.set(stats.get("requests_waiting", 0))
