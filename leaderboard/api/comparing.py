"""Comparisons as the API takes and answers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from leaderboard.analysis.comparing import Verdict, differences
from leaderboard.api.schema import BOARD_PARAMETERS
from leaderboard.api.serializers import NormalSerializer, StatisticsSerializer, StrictSerializer
from leaderboard.comparing_pages import ComparisonPage, SettingRow
from leaderboard.metrics import BY_NAME, SORTABLE, Better
from leaderboard.presenting.common import result_url
from leaderboard.presenting.comparing import Chosen
from leaderboard.presenting.comparing_figures import compared_metrics, figures_of
from leaderboard.presenting.comparing_words import LETTERS, statement
from leaderboard.result_values import PRICED, flat_values
from leaderboard.selection import MAX_COMPARED, MAX_METRICS
from leaderboard.services.comparisons import MAX_NAME

#: the board's, less what a comparison has in its own way
_OWN = ("model", "view", "columns", "limit", "cursor")
COMPARE_PARAMETERS = [
    OpenApiParameter("result", OpenApiTypes.UUID, many=True, description="a result; repeat it, up to 8 in all"),
    OpenApiParameter("model", many=True, description="org/name: its best configuration within the filters, by `sort`"),
    OpenApiParameter(
        "metric", many=True, enum=[metric.name for metric in SORTABLE], description=f"up to {MAX_METRICS} figures"
    ),
    *(parameter for parameter in BOARD_PARAMETERS if parameter.name not in _OWN),
]


class ComparedSerializer(NormalSerializer):
    """One result of a comparison."""

    letter = serializers.CharField(help_text="A to H, as the sentences call it")
    id = serializers.UUIDField()
    url = serializers.URLField(help_text="its page")
    best_of = serializers.CharField(allow_null=True, help_text="the model that it stands for; null where chosen itself")
    trust = serializers.CharField()
    statistics = serializers.DictField(child=StatisticsSerializer(), help_text="metric -> figures over the cycles")

    def get_fields(self) -> dict[str, Any]:
        priced = {name: serializers.FloatField(allow_null=True, help_text=BY_NAME[name].meaning) for name in PRICED}
        return {**super().get_fields(), **priced}


class AspectSerializer(serializers.Serializer[Any]):
    """One thing that the results share or not."""

    kind = serializers.ChoiceField(["same", "different", "warning", "unknown"])
    words = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # `label` is the name of an attribute of every serializer.
        return {"label": serializers.CharField(), **super().get_fields()}


class DifferenceSerializer(serializers.Serializer[Any]):
    """The best figure beside another one of the same energy scope."""

    metric = serializers.ChoiceField([metric.name for metric in SORTABLE])
    best = serializers.CharField(help_text="a letter")
    other = serializers.CharField(help_text="a letter")
    factor = serializers.FloatField(allow_null=True, help_text="how many times better the best is")
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    p = serializers.FloatField(allow_null=True, help_text="two-sided, of Welch's test; null without enough repeats")
    words = serializers.CharField()


class SettingSerializer(serializers.Serializer[Any]):
    """One setting of the configurations; "" is not stated."""

    unit = serializers.CharField(allow_blank=True)
    values = serializers.ListField(
        child=serializers.CharField(allow_blank=True), help_text="in the order of the letters"
    )

    def get_fields(self) -> dict[str, Any]:
        return {"label": serializers.CharField(), **super().get_fields()}


class CitationSerializer(serializers.Serializer[Any]):
    """How to cite it, with data version, address and today's date."""

    bibtex = serializers.CharField()
    apa = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {"label": serializers.CharField(), **super().get_fields()}


class ComparisonSerializer(serializers.Serializer[Any]):
    """Results side by side."""

    url = serializers.URLField(help_text="the page of this comparison")
    verdict = serializers.CharField(help_text="whether the figures are like for like")
    is_like_for_like = serializers.BooleanField()
    results = ComparedSerializer(many=True)
    differences = DifferenceSerializer(many=True)
    differs = SettingSerializer(many=True, help_text="the settings that differ")
    same = SettingSerializer(many=True, help_text="the settings that are the same for all, with one value")
    citations = CitationSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        # `context` is the name of an attribute of every serializer.
        return {**super().get_fields(), "context": AspectSerializer(many=True)}


class NewComparisonSerializer(StrictSerializer):
    """A comparison to keep: two to eight results and models."""

    name = serializers.CharField(max_length=MAX_NAME, help_text="yours alone; one of each name")
    results = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MAX_COMPARED)
    models = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=MAX_COMPARED, help_text="org/name"
    )


class SavedComparisonSerializer(serializers.Serializer[Any]):
    """A comparison that is kept on one's account."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.URLField()
    short_url = serializers.URLField(help_text="leads to the same, for anyone")
    created_at = serializers.DateTimeField()


def comparison_body(chosen: Chosen, page: ComparisonPage, request: Request) -> dict[str, Any]:
    return {
        "url": request.build_absolute_uri(page.save_url),
        "verdict": page.verdict,
        "is_like_for_like": page.is_like_for_like,
        "context": [{"label": one.label, "kind": one.kind, "words": one.words} for one in page.context],
        "results": [_result(place, chosen, request) for place in range(len(chosen.rows))],
        "differences": list(_differences(chosen)),
        "differs": _settings(page.differ),
        "same": _settings(page.same),
        "citations": [{"label": one.label, "bibtex": one.bibtex, "apa": one.apa} for one in page.citations],
    }


def _result(place: int, chosen: Chosen, request: Request) -> dict[str, Any]:
    result, model = chosen.rows[place]
    return {
        "letter": LETTERS[place],
        **flat_values(result, chosen.selection.filters.prices),
        "url": request.build_absolute_uri(result_url(result)),
        "best_of": model or None,
        "statistics": result.statistics,
    }


def _differences(chosen: Chosen) -> Iterator[dict[str, Any]]:
    results, prices = chosen.results, chosen.selection.filters.prices
    for metric in compared_metrics(chosen.selection, results):
        figures = figures_of(metric, results, prices)
        for one in differences(figures, metric.better == Better.HIGHER):
            yield {
                "metric": metric.name,
                "best": LETTERS[one.best],
                "other": LETTERS[one.other],
                "factor": one.factor,
                "verdict": one.verdict.value,
                "p": one.p,
                "words": statement(one, figures, metric).words,
            }


def _settings(rows: Sequence[SettingRow]) -> list[dict[str, Any]]:
    return [{"label": row.label, "unit": row.unit, "values": list(row.values)} for row in rows]
