"""The shapes of what /api/jobs takes and answers, and the answers themselves."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from pydantic import ValidationError
from rest_framework import serializers
from rest_framework import status as http
from rest_framework.request import Request

from jobs.config import LlemOrder, errors_of
from jobs.forecast import Place
from jobs.models import Attempt, Job, JobKind, JobState
from lemsite.lib.api_errors import ApiError

ORDER_EXAMPLE = {
    "kind": "llem",
    "config": {
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "engine": "vllm",
        "precision": "bf16",
        "batch_sizes": [1, 16],
        "n_prompts": 100,
        "max_output_tokens": 256,
        "n_cycles": 3,
    },
    "simulate": False,
}
_KEYS = ("kind", "config", "simulate")
_UNKNOWN: dict[str, Any] = {"minutes": None, "energy_kwh": None, "usd": None, "co2_g": None, "basis": ""}


class EstimateSerializer(serializers.Serializer[Any]):
    """What a job takes; null is what cannot be said."""

    minutes = serializers.FloatField(allow_null=True)
    energy_kwh = serializers.FloatField(allow_null=True, help_text="of the GPUs")
    usd = serializers.FloatField(allow_null=True, help_text="at the catalogue's price of a GPU-hour")
    co2_g = serializers.FloatField(allow_null=True)
    basis = serializers.CharField(help_text="what the estimate rests on")


class OrderSerializer(serializers.Serializer[Any]):
    """An order. Describes the body; jobs.config decides."""

    kind = serializers.ChoiceField(["llem"], default="llem", help_text="a benchmark")
    config = serializers.DictField(help_text="fields of the builder; any other name is refused with 422")
    simulate = serializers.BooleanField(default=False, help_text="no GPU takes part; never ranked")


class OrderOrRaceSerializer(OrderSerializer):
    """A benchmark, or a race of several hosts."""

    kind = serializers.ChoiceField(["llem", "race"], default="llem")
    config = serializers.DictField(
        help_text="fields of the builder, or of the form for races; any other name is refused with 422"
    )


class OrderedSerializer(serializers.Serializer[Any]):
    """A job that was just ordered."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(JobState.choices)
    position = serializers.IntegerField(allow_null=True, help_text="in the queue, from 1")
    estimate = EstimateSerializer()
    url = serializers.URLField(help_text="its page")


class EstimatedSerializer(serializers.Serializer[Any]):
    """What an order would come to."""

    estimate = EstimateSerializer()
    configurations = serializers.IntegerField()
    runs = serializers.IntegerField(help_text="configurations times cycles")
    position = serializers.IntegerField(help_text="in the queue, were it ordered now")
    starts_in_s = serializers.FloatField(allow_null=True)
    hosts = serializers.ListField(child=serializers.CharField(), help_text="connected ones that fit")
    config_yaml = serializers.CharField(help_text="what llem would be given")


class AttemptSerializer(serializers.Serializer[Any]):
    """One physical execution."""

    number = serializers.IntegerField()
    host = serializers.CharField()
    state = serializers.CharField()
    outcome = serializers.CharField(allow_null=True)
    verdict = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    offered_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class JobSerializer(serializers.Serializer[Any]):
    """A job as it stands."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(JobKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    reason_code = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    simulate = serializers.BooleanField()
    config = serializers.DictField()
    priority = serializers.IntegerField()
    position = serializers.IntegerField(allow_null=True, help_text="null unless it waits, and in lists")
    starts_in_s = serializers.FloatField(allow_null=True)
    estimate = EstimateSerializer()
    seed = serializers.IntegerField()
    wall_s = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True)
    submission = serializers.UUIDField(allow_null=True, help_text="what its result became")
    url = serializers.URLField()


class CancelSerializer(serializers.Serializer[Any]):
    """Why a job is cancelled."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - {"reason"}):
            raise serializers.ValidationError(dict.fromkeys(sorted(map(str, unknown)), "there is no such field"))
        return super().to_internal_value(data)


def read_order(data: Any) -> tuple[LlemOrder, bool]:
    """(order, simulate); raises ApiError 422 that names each field which is not right."""
    fields, config, simulate = read_frame(data)
    if data.get("kind", JobKind.LLEM) != JobKind.LLEM:
        fields["kind"] = "must be llem"
    order = None
    try:
        order = LlemOrder.model_validate(config)
    except ValidationError as error:
        fields |= config_fields(errors_of(error))
    if fields or order is None:
        raise not_right(fields)
    return order, simulate


def read_frame(data: Any) -> tuple[dict[str, str], dict[str, Any], bool]:
    """What stands around the configuration of an order: (what is wrong with it, config, simulate)."""
    if not isinstance(data, dict):
        raise ApiError(http.HTTP_422_UNPROCESSABLE_ENTITY, "The body must be a JSON object.", {"body": "an object"})
    fields = {str(name)[:80]: "there is no such field" for name in data if name not in _KEYS}
    simulate, config = data.get("simulate", False), data.get("config")
    if not isinstance(simulate, bool):
        fields["simulate"], simulate = "true or false", False
    if not isinstance(config, dict):
        raise not_right({**fields, "config": "an object with the fields of the order"})
    return fields, config, simulate


def config_fields(fields: dict[str, str]) -> dict[str, str]:
    return {f"config.{name}"[:120] if name else "config": words for name, words in fields.items()}


def not_right(fields: dict[str, str]) -> ApiError:
    return ApiError(http.HTTP_422_UNPROCESSABLE_ENTITY, f"Not right: {', '.join(fields)}.", fields)


def _estimate_of(job: Job) -> dict[str, Any]:
    """Lanes of a race have none: nothing can be said of them."""
    return {**_UNKNOWN, **job.estimate}


def ordered_body(job: Job, place: Place | None, request: Request) -> dict[str, Any]:
    return {
        "id": job.pk,
        "state": job.state,
        "position": place.position if place else None,
        "estimate": _estimate_of(job),
        "url": _page_of(job, request),
    }


def job_body(job: Job, request: Request, place: Place | None = None) -> dict[str, Any]:
    """`job` comes with its owner and attempts fetched."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "reason_code": job.reason_code or None,
        "reason": job.reason or None,
        "owner": job.owner.username if job.owner and job.owner.deleted_at is None else None,
        "simulate": job.is_simulated,
        "config": job.config,
        "priority": job.priority,
        "position": place.position if place else None,
        "starts_in_s": place.starts_in_s if place else None,
        "estimate": _estimate_of(job),
        "seed": job.seed,
        "wall_s": job.wall_s,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "cancel_requested_at": job.cancel_requested_at,
        "attempts": [_attempt_body(attempt) for attempt in job.attempts.all()],
        "submission": job.submission_id,
        "url": _page_of(job, request),
    }


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "host": attempt.agent.name,
        "state": attempt.state,
        "outcome": attempt.outcome or None,
        "verdict": attempt.verdict or None,
        "reason": attempt.reason or None,
        "offered_at": attempt.offered_at,
        "ended_at": attempt.ended_at,
    }


def _page_of(job: Job, request: Request) -> str:
    return request.build_absolute_uri(reverse("jobs:detail", args=[job.pk]))
