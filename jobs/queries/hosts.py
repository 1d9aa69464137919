"""GPU hosts as the pages show them, and who may operate them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, Q, QuerySet

from accounts.models import User
from jobs.models import ACTIVE, Agent, AgentToken, Attempt, Gpu
from jobs.times import times

OPERATE = "jobs.operate"
MAX_RECENT = 20


def connects(user: User | AnonymousUser) -> bool:
    """Whether someone may connect hosts."""
    return user.is_authenticated and user.has_perm(OPERATE)


def operable_by(user: User | AnonymousUser) -> QuerySet[Agent]:
    """All hosts for operators and moderators, one's own for everyone else."""
    if not user.is_authenticated:
        return Agent.objects.none()
    return Agent.objects.all() if connects(user) or user.is_moderator else Agent.objects.filter(owner=user)


def hosts(*, with_retired: bool = False) -> QuerySet[Agent]:
    """With their GPUs, who holds each, and the attempts that they have in hand."""
    active = Attempt.objects.filter(state__in=ACTIVE).select_related("job").order_by("offered_at")
    gpus = Gpu.objects.select_related("hardware", "hold").order_by("pk")
    agents = Agent.objects.select_related("owner").prefetch_related(
        Prefetch("gpus", gpus), Prefetch("attempts", active, to_attr="in_hand")
    )
    return agents if with_retired else agents.filter(retired_at=None)


def is_connected(agent: Agent, now: datetime) -> bool:
    """Whether it was heard within the time that a lease lasts."""
    return agent.last_seen_at is not None and now - agent.last_seen_at <= timedelta(seconds=times().lease_s)


def recent_attempts(agent: Agent) -> Sequence[Attempt]:
    return list(agent.attempts.select_related("job").order_by("-offered_at")[:MAX_RECENT])


def tokens_in_force(agent: Agent, now: datetime) -> Sequence[AgentToken]:
    usable = Q(replaced_at=None) | Q(replaced_at__gt=now)
    return list(agent.tokens.filter(usable, revoked_at=None, expires_at__gt=now))
