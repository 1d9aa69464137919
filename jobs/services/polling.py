"""How long a host that got nothing waits before it asks again: the longer the more hosts there are.

Each question takes the site about as long as a page. Asked every three seconds, ten thousand idle hosts would need more
machines than all readers; with so many hosts, the first of them to ask comes soon all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache

from jobs.models import AgentSession
from jobs.times import times

#: of all hosts together
IDLE_CLAIMS_PER_S = 100
#: longer, and the last free host would leave a job of its own kind waiting for minutes
MOST_S = 120.0
COUNT_IS_OLD_S = 30
KEY = "jobs:living-hosts"


def next_claim_s(now: datetime) -> float:
    """Seconds until the next question of a host; `times().poll_s` for some hundreds of hosts."""
    hosts: int | None = cache.get(KEY)
    if hosts is None:
        since = now - timedelta(seconds=times().lease_s)
        hosts = AgentSession.objects.filter(ended_at=None, last_seen_at__gte=since).count()
        cache.set(KEY, hosts, COUNT_IS_OLD_S)
    return max(times().poll_s, min(hosts / IDLE_CLAIMS_PER_S, MOST_S))
