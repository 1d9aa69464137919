"""Races as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import User
from jobs.models import ACTIVE, Agent, Attempt, Job, Race, RaceState
from jobs.queries.hosts import hosts

PAGE = 50


def visible_to(user: User | AnonymousUser) -> QuerySet[Race]:
    """Races are public, like the runs that they stream into."""
    return Race.objects.all()


def changeable_by(user: User | AnonymousUser) -> QuerySet[Race]:
    """One's own; all of them for moderators."""
    if not user.is_authenticated:
        return Race.objects.none()
    return Race.objects.all() if user.is_moderator else Race.objects.filter(owner=user)


def with_lanes(races: QuerySet[Race]) -> QuerySet[Race]:
    """With their jobs in the order of the lanes, and the attempt that each has in hand."""
    attempts = Attempt.objects.filter(state__in=ACTIVE).select_related("agent")
    in_hand = Prefetch("attempts", attempts, to_attr="in_hand")
    jobs = Job.objects.select_related("agent_wanted").prefetch_related(in_hand).order_by("pk")
    return races.select_related("owner", "run").prefetch_related(Prefetch("jobs", jobs))


def ahead(now: datetime) -> QuerySet[Race]:
    """Races that have not started, the next one first; those that wait for nothing but their hosts come last."""
    waits = Q(state=RaceState.WAITING) | Q(state=RaceState.STARTED, go_at__gt=now)
    return Race.objects.filter(waits).order_by(Coalesce("go_at", "starts_at").asc(nulls_last=True), "pk")


def next_race(now: datetime) -> Race | None:
    return with_lanes(ahead(now)).first()


def newest_races() -> Sequence[Race]:
    races = Race.objects.select_related("owner", "run").annotate(lanes=Count("jobs"))
    return list(races.order_by("-created_at", "-pk")[:PAGE])


def ids_of_hosts(names: Sequence[str]) -> dict[str, UUID]:
    """name -> id, of those hosts that there are."""
    return dict(Agent.objects.filter(name__in=names).values_list("name", "pk")) if names else {}


def racing_hosts() -> Sequence[Agent]:
    """Hosts that may be given a lane, by name."""
    return list(hosts().filter(quarantined_at=None, is_draining=False).order_by("is_simulated", "name"))
