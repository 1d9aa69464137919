"""Races that are ordered and hosts that run their lanes, through the services."""

from __future__ import annotations

from typing import Any

from jobs.models import Attempt, Job, Race
from jobs.race_config import RaceOrder
from jobs.services import claiming, race_settling
from jobs.services.race_ordering import order_race
from jobs.services.racing import lane_ready
from tests.factories import UserFactory
from tests.jobs.queueing import claim, host

MODEL = "Qwen/Qwen2.5-7B-Instruct"
DIMENSIONS = {"correctness": 1.0, "completeness": 0.5, "formatQuality": 1.0, "conciseness": 1.0}


def racing_host(**fields: Any) -> Any:
    return host(executors=("race",), **fields)


def order_of(hosts: list[Any], **fields: Any) -> RaceOrder:
    given = {
        "label": "Evening race",
        "model": MODEL,
        "use_cases": ["extraction"],
        "agents": [str(one.agent.pk) for one in hosts],
    }
    return RaceOrder.model_validate(given | fields)


def ordered(hosts: list[Any], **fields: Any) -> Race:
    return order_race(owner=fields.pop("owner", None) or UserFactory(), order=order_of(hosts, **fields))


def begun(race: Race, hosts: list[Any]) -> list[Attempt]:
    """The lanes as attempts that run, in the order of the hosts."""
    attempts = []
    for one in hosts:
        attempt = claim(one)
        assert attempt is not None
        assert attempt.job.race_id == race.pk
        attempts.append(claiming.accept(attempt=attempt))
    return attempts


def started(hosts: list[Any], **fields: Any) -> tuple[Race, list[Attempt]]:
    """A race whose lanes are all ready."""
    race = ordered(hosts, **fields)
    attempts = begun(race, hosts)
    for attempt in attempts:
        lane_ready(attempt)
    race.refresh_from_db()
    return race, [Attempt.objects.select_related("job").get(pk=attempt.pk) for attempt in attempts]


def lanes(race: Race) -> list[Job]:
    return list(race.jobs.order_by("pk"))


def settle(race: Race) -> Race:
    """As often as the task would run: a lane that is cancelled brings the next one about."""
    for _ in range(3):
        race_settling.settle_race(race.pk)
    race.refresh_from_db()
    return race


def tick(seq: int = 1, **data: Any) -> dict[str, Any]:
    told = {
        "t_s": 1.25,
        "useCase": "extraction",
        "tokenPerSec": 101.5,
        "latencyMs": 800.0,
        "evalProgressIdx": 3,
        "evalTotal": 12,
        "outputTokens": 40,
        "powerW": 301.0,
        "vramUsedMB": 60_000.0,
    }
    return {"seq": seq, "t": 9.0, "type": "tick", "data": told | data}


def score(seq: int = 2, **data: Any) -> dict[str, Any]:
    told = {"useCase": "extraction", "testCaseId": "extraction-01", "composite": 0.9, "dimensions": DIMENSIONS}
    return {"seq": seq, "t": 9.0, "type": "score", "data": told | data}
