"""Ordering a race: one live run, one job per host."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.services.bans import refuse_banned
from jobs.limits import QUEUED_PER_PERSON
from jobs.models import Agent, Job, JobEvent, JobKind, JobState, Race
from jobs.race_config import LEAD_S, MAX_DAYS_AHEAD, WALL_S, RaceOrder, lane_config, render
from jobs.services import clock
from jobs.services.cancelling import JobRefused, cancel_job
from jobs.services.fitting import usable_gpus
from jobs.services.tickets import issue_ticket
from leaderboard.models import LanguageModel, ModelAlias
from leaderboard.services.quotas import lock_person
from runs.models import Run

RACES_AT_ONCE = 2


class RaceRefused(ValueError):
    """This race cannot be ordered; `field` names what is wrong, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyRaces(RaceRefused):
    """This person has as many races or lanes under way as one may have."""


@transaction.atomic
def order_race(*, owner: User, order: RaceOrder) -> Race:
    """Raises Banned and RaceRefused."""
    refuse_banned(owner)
    lock_person(owner)
    now = clock.db_now()
    _refuse_over_quota(owner, len(order.agents))
    _refuse_time(order, now)
    agents = _agents(order)
    run = Run.objects.create(
        key=f"race-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        label=order.label,
        started_at=order.starts_at or now,
        models_named=[order.model],
        is_simulated=order.simulate,
        owner=owner,
    )
    race = Race.objects.create(
        owner=owner, run=run, label=order.label, starts_at=order.starts_at, is_simulated=order.simulate
    )
    for agent in agents:
        _order_lane(race, order, agent, now)
    return race


def cancel_race(*, race: Race, by: User, reason: str = "") -> int:
    """Cancel every lane that is not over; returns how many."""
    cancelled = 0
    for job in race.jobs.open().order_by("pk"):
        try:
            cancel_job(job=job, by=by, reason=reason or "The race was cancelled.")
            cancelled += 1
        except JobRefused:
            continue
    return cancelled


def _order_lane(race: Race, order: RaceOrder, agent: Agent, now: datetime) -> Job:
    config = lane_config(order, lane=agent.name)
    rendered = render(config)
    starts_at = order.starts_at
    job = Job.objects.create(
        owner=race.owner,
        kind=JobKind.RACE,
        title=f"{order.label}: lane {agent.name}",
        config=config,
        rendered=rendered,
        rendered_sha256=hashlib.sha256(rendered.encode()).hexdigest(),
        state=JobState.QUEUED,
        is_simulated=order.simulate,
        model=_language_model(order.model),
        agent_wanted=agent,
        # The model server is at home on the GPUs; one that is held gets no other job, and is sampled meanwhile.
        gpu_count=1,
        wall_s=WALL_S,
        available_at=starts_at - timedelta(seconds=LEAD_S) if starts_at else now,
        race=race,
    )
    JobEvent.objects.create(job=job, to_state=JobState.QUEUED, event="submitted", actor=race.owner)
    issue_ticket(job)
    return job


def _refuse_over_quota(owner: User, lanes: int) -> None:
    open_jobs = Job.objects.open().filter(owner=owner)
    races = Race.objects.filter(jobs__in=open_jobs).distinct().count()
    if races >= RACES_AT_ONCE:
        raise TooManyRaces("label", f"You have {races} races under way; one has to end first.")
    if open_jobs.count() + lanes > QUEUED_PER_PERSON:
        raise TooManyRaces("agents", f"You may have {QUEUED_PER_PERSON} jobs under way, each lane counting as one.")


def _refuse_time(order: RaceOrder, now: datetime) -> None:
    if order.starts_at is None:
        return
    ahead = order.starts_at - now
    if ahead < timedelta(0):
        raise RaceRefused("starts_at", "This moment has passed.")
    if ahead > timedelta(days=MAX_DAYS_AHEAD):
        raise RaceRefused("starts_at", f"A race starts within {MAX_DAYS_AHEAD} days.")


def _agents(order: RaceOrder) -> list[Agent]:
    """In the order of the lanes."""
    found = Agent.objects.filter(retired_at=None, quarantined_at=None, is_draining=False).in_bulk(order.agents)
    missing = [wanted for wanted in order.agents if wanted not in found]
    if missing:
        raise RaceRefused("agents", "One of these hosts takes no jobs at the moment.")
    agents = [found[wanted] for wanted in order.agents]
    if any(agent.is_simulated != order.simulate for agent in agents):
        raise RaceRefused("agents", "Simulated hosts race among themselves, and only in a simulated race.")
    without = [agent.name for agent in agents if not usable_gpus(agent).exists()]
    if without:
        raise RaceRefused("agents", f"{without[0]} reports no GPU that works, and takes no jobs without one.")
    return agents


def _language_model(name: str) -> LanguageModel | None:
    alias = ModelAlias.objects.filter(name=ModelAlias.fold(name)).select_related("target").first()
    return alias.target if alias else None
