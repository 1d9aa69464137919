"""The answer of /api/analysis: its schema and its body."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from leaderboard.api.parameters import BOARD_PARAMETERS
from leaderboard.api.schema import BOARD_PARAMETERS as DESCRIBED
from leaderboard.metrics import BY_NAME, RANKED
from leaderboard.models import Result, Trust
from leaderboard.presenting import answer_none
from leaderboard.presenting.analysis import columns_of, question_words
from leaderboard.presenting.answer_changes import changes
from leaderboard.presenting.answer_words import bounds, goal_unit, goal_value, named
from leaderboard.presenting.assumptions import assumptions
from leaderboard.presenting.board import cell_value
from leaderboard.queries.analysis import Answer
from leaderboard.question import GOALS, NOT_ASKED, countries

OWN_PARAMETERS = ("goal", "country", "against")
PARAMETERS = (*(name for name in BOARD_PARAMETERS if name not in NOT_ASKED), *OWN_PARAMETERS)


def _query(name: str, words: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.QUERY, description=words, **more)


ANALYSIS_PARAMETERS = [
    *(parameter for parameter in DESCRIBED if parameter.name not in NOT_ASKED),
    _query("goal", "what the answer is the best by", enum=GOALS, default=GOALS[0]),
    _query("country", "whose grid factor counts, ISO 3166-1 alpha-3; a typed co2_g_per_kwh goes first",
           enum=tuple(countries())),
    _query("against", "the metric that the frontier is drawn against; without it the limit that holds back most",
           enum=tuple(name for name in BY_NAME if name in RANKED)),
]  # fmt: skip


class ConfigurationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.URLField()
    model = serializers.CharField()
    hardware = serializers.CharField()
    gpu_count = serializers.IntegerField(allow_null=True)
    backend = serializers.CharField()
    backend_version = serializers.CharField()
    precision = serializers.CharField()
    batch_size = serializers.IntegerField(allow_null=True)
    concurrency = serializers.IntegerField(allow_null=True)
    energy_scope = serializers.CharField()
    trust = serializers.CharField()
    runs = serializers.IntegerField(allow_null=True)
    value = serializers.FloatField(allow_null=True, help_text="the goal's figure, in the unit of `figure`")
    ci95_low = serializers.FloatField(allow_null=True)
    ci95_high = serializers.FloatField(allow_null=True)
    figures = serializers.DictField(
        child=serializers.FloatField(allow_null=True), help_text="limited metrics and the frontier's axis"
    )
    sentence = serializers.CharField()


class LimitSerializer(serializers.Serializer[Any]):
    column = serializers.CharField()
    edge = serializers.ChoiceField(choices=("min", "max"))
    limit = serializers.FloatField()
    stated = serializers.IntegerField(help_text="results considered that state this figure")
    met = serializers.IntegerField(help_text="of these, those within this limit")
    reached = serializers.FloatField(allow_null=True, help_text="the best of them")


class CountsSerializer(serializers.Serializer[Any]):
    considered = serializers.IntegerField(help_text="results that pass the filters, whatever the limits")
    with_figure = serializers.IntegerField(help_text="of these, those that have the goal's figure")
    energy_scope = serializers.CharField(allow_null=True, help_text="the one compared, null where it means nothing")
    other_scopes = serializers.IntegerField()
    hidden_by_trust = serializers.IntegerField()
    models = serializers.IntegerField(help_text="models with a result within the limits")
    limits = LimitSerializer(many=True)


class FrontierSerializer(serializers.Serializer[Any]):
    x = serializers.CharField(allow_null=True, help_text="a metric")
    y = serializers.CharField(help_text="the goal's figure")
    points = ConfigurationSerializer(many=True)


class ChangeSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    url = serializers.CharField(help_text="this question with the other limit; empty where it changes nothing")


class InsteadSerializer(serializers.Serializer[Any]):
    unstated = serializers.CharField(help_text="the limited metric that no result states")
    nearest = serializers.CharField(help_text="the one that answer, frontier and models are about")
    words = serializers.CharField()


class AnalysisSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(help_text="goal and limits in words")
    page = serializers.URLField()
    figure = serializers.CharField(help_text="the metric that the answer is the best by")
    unit = serializers.CharField()
    answer = ConfigurationSerializer(allow_null=True)
    why_none = serializers.ListField(child=serializers.CharField())
    instead = InsteadSerializer(allow_null=True)
    frontier = FrontierSerializer()
    models = ConfigurationSerializer(many=True)
    changes = ChangeSerializer(many=True)
    assumptions = serializers.ListField(child=serializers.CharField())
    counts = CountsSerializer()


def analysis_body(found: Answer, path: str, request: Request) -> dict[str, Any]:
    """`path` is that of the page, which the links of the answer lead to."""
    shown, asked = found.instead or found, found.question

    def configuration(result: Result) -> dict[str, Any]:
        return _configuration(result, shown, request)

    instead = {"unstated": found.unstated, "nearest": found.nearest, "words": answer_none.instead_words(found)}
    return {
        "question": question_words(asked),
        "page": request.build_absolute_uri(asked.url(path)),
        "figure": asked.metric.name,
        "unit": goal_unit(asked),
        "answer": configuration(shown.best) if shown.best else None,
        "why_none": list(answer_none.why_none(found)),
        "instead": instead if found.instead else None,
        "frontier": {
            "x": shown.axis or None,
            "y": shown.question.metric.name,
            "points": [configuration(result) for result in shown.frontier],
        },
        "models": [configuration(result) for result in shown.of_models],
        "changes": [{"text": change.text, "url": change.url} for change in changes(shown, path)],
        "assumptions": list(assumptions(shown.best, asked)),
        "counts": _counts(found, shown),
    }


def _configuration(result: Result, found: Answer, request: Request) -> dict[str, Any]:
    question, around = found.question, bounds(result, found.question)
    prices, words = question.ranked.prices, named(result, question, columns_of(found))
    return {
        "id": result.pk,
        "url": request.build_absolute_uri(words.url),
        "model": result.model.name if result.model else result.model_name,
        "hardware": result.hardware.slug if result.hardware else result.hardware_name,
        "gpu_count": result.gpu_count,
        "backend": result.backend.slug if result.backend else result.backend_name,
        "backend_version": result.backend_version,
        "precision": result.precision,
        "batch_size": result.batch_size,
        "concurrency": result.concurrency,
        "energy_scope": result.energy_scope,
        "trust": Trust(result.trust).code,
        "runs": result.runs,
        "value": goal_value(result, question),
        "ci95_low": around[0] if around else None,
        "ci95_high": around[1] if around else None,
        "figures": {column: cell_value(result, BY_NAME[column], prices) for column in columns_of(found)},
        "sentence": words.sentence,
    }


def _counts(found: Answer, shown: Answer) -> dict[str, Any]:
    considered = found.considered
    return {
        "considered": considered.results,
        "with_figure": considered.with_goal,
        "energy_scope": considered.scope,
        "other_scopes": considered.other_scopes,
        "hidden_by_trust": considered.hidden_by_trust,
        "models": shown.models,
        "limits": [
            {name: getattr(count, name) for name in ("column", "edge", "limit", "stated", "met", "reached")}
            for count in dict.fromkeys([*found.limits, *shown.limits])
        ],
    }
