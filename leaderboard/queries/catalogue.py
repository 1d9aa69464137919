"""Reads of the catalogue: lists with how many ranked results each entry has."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Prefetch, Q, QuerySet

from leaderboard.models import Hardware, LanguageModel, Measurement, Result
from leaderboard.models.result import ResultQuerySet


def models_matching(q: str) -> QuerySet[LanguageModel]:
    models = LanguageModel.objects.order_by("family", "parameters_total_b", "name")
    for word in q.split():
        models = models.filter(Q(name__icontains=word) | Q(family__icontains=word) | Q(title__icontains=word))
    return models


def hardware_matching(q: str) -> QuerySet[Hardware]:
    hardware = Hardware.objects.order_by("vendor", "name")
    for word in q.split():
        hardware = hardware.filter(Q(name__icontains=word) | Q(architecture__icontains=word) | Q(vendor__iexact=word))
    return hardware


def ranked_results_by(column: str) -> Mapping[int, int]:
    """id of the model or hardware -> its ranked results."""
    return dict(Result.objects.ranked().order_by().values_list(column).annotate(n=Count("pk")))


def results_with_everything() -> ResultQuerySet:
    """For the page of one result: names, findings, cycles, files and history in a handful of queries."""
    return Result.objects.select_related(
        "model", "hardware", "backend", "submission", "submission__owner"
    ).prefetch_related(
        "findings",
        Prefetch("measurements", queryset=Measurement.objects.order_by("cycle")),
        "submission__raw_files",
        "submission__events__actor",
    )
