"""Which hosts could run a job, and where it stands or would stand in the queue."""

from __future__ import annotations

from datetime import datetime

from jobs.forecast import Place
from jobs.models import Agent, Job, JobState
from jobs.queries.hosts import hosts, is_connected
from jobs.queries.places import MAX_PLAYED, hosts_for, place_of, places_in_queue


def matching_agents(job: Job, now: datetime) -> list[Agent]:
    """Hosts that are there, take jobs and have what it needs, busy or not; the job need not be ordered yet."""
    return hosts_for(job, now)


def position_of(job: Job, now: datetime) -> Place | None:
    """None unless it waits."""
    return place_of(job, now)


def only_simulated_hosts(now: datetime) -> bool:
    """Whether hosts are there, and none of them has a GPU."""
    there = [agent for agent in hosts() if is_connected(agent, now)]
    return bool(there) and all(agent.is_simulated for agent in there)


def place_if_ordered(job: Job, now: datetime) -> Place:
    """Where a job that is not ordered yet would stand now."""
    waiting = Job.objects.filter(state=JobState.QUEUED).order_by("-priority", "pk")
    ahead = waiting.filter(priority__gte=job.priority).count()
    fitting = len(hosts_for(job, now))
    if ahead >= MAX_PLAYED:
        return Place(ahead + 1, ahead + 1, fitting, None)
    played = places_in_queue(now, [*waiting.filter(priority__gte=job.priority), job])
    return played[job.pk]
