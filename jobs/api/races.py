"""Races in /api/jobs: the shapes of an order and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.urls import reverse
from pydantic import ValidationError
from rest_framework import serializers
from rest_framework.request import Request

from jobs.api.serializers import config_fields, not_right, read_frame
from jobs.config import errors_of
from jobs.models import JobState, Race, RaceState
from jobs.queries.races import ids_of_hosts
from jobs.race_config import RaceOrder
from jobs.services.race_ordering import RaceRefused, TooManyRaces
from leaderboard.services.quotas import OverQuota

RETRY_AFTER_S = 60
RACE_EXAMPLE = {
    "kind": "race",
    "config": {
        "label": "Evening race",
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "use_cases": ["question-answering", "extraction"],
        "agents": ["host-a", "host-b"],
        "max_tokens": 256,
        "concurrency": 4,
        "starts_at": "2026-12-01T20:00:00Z",
    },
    "simulate": False,
}


class LaneSerializer(serializers.Serializer[Any]):
    """One lane of a race that was just ordered: a job for its host."""

    job = serializers.IntegerField()
    host = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    url = serializers.URLField()


class OrderedRaceSerializer(serializers.Serializer[Any]):
    """A race that was just ordered."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(RaceState.choices)
    starts_at = serializers.DateTimeField(allow_null=True, help_text="null is as soon as all hosts are ready")
    lanes = LaneSerializer(many=True)
    url = serializers.URLField(help_text="its page")


def read_race(data: Any) -> RaceOrder:
    """Raises ApiError 422 that names each field which is not right."""
    fields, config, simulate = read_frame(data)
    if "simulate" in config:
        fields["config.simulate"] = "there is no such field: it stands beside config"
    config, unknown = _with_ids(config)
    if unknown:
        fields["config.agents"] = f"no host is called {unknown[0][:80]!r}"
    order = None
    try:
        order = RaceOrder.model_validate({**config, "simulate": simulate})
    except ValidationError as error:
        fields = {**config_fields(errors_of(error)), **fields}
    if fields or order is None:
        raise not_right(fields)
    return order


def _with_ids(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The configuration with the ids of hosts in place of their names, and the names that no host has."""
    agents = config.get("agents")
    if not isinstance(agents, list):
        return config, []
    names = [one for one in agents if isinstance(one, str) and not _is_id(one)]
    known = ids_of_hosts(names)
    told = [known.get(one, one) if isinstance(one, str) else one for one in agents]
    return {**config, "agents": told}, [name for name in names if name not in known]


def ordered_race_body(race: Race, request: Request) -> dict[str, Any]:
    """`race` comes with its lanes fetched."""
    return {
        "id": race.pk,
        "state": race.state,
        "starts_at": race.starts_at,
        "lanes": [
            {
                "job": job.pk,
                "host": job.agent_wanted.name if job.agent_wanted else "",
                "state": job.state,
                "url": request.build_absolute_uri(reverse("jobs:detail", args=[job.pk])),
            }
            for job in race.jobs.all()
        ],
        "url": request.build_absolute_uri(reverse("jobs:race", args=[race.pk])),
    }


@contextmanager
def refuse_race() -> Iterator[None]:
    """429 for one race too many, 422 for what cannot be raced."""
    try:
        yield
    except TooManyRaces as error:
        raise OverQuota(str(error), retry_after_s=RETRY_AFTER_S) from None
    except RaceRefused as error:
        raise not_right(config_fields({error.field: str(error)})) from None


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
