"""What keeps the leaderboard fast: the best result per configuration group and metric, and a data version."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from leaderboard.models.catalogue import Backend, Hardware, LanguageModel
from leaderboard.models.result import Result, Trust

#: copied from the result, whose own keys the database checks already
COPIED: dict[str, Any] = {"on_delete": models.CASCADE, "db_index": False, "db_constraint": False}
CELL_COLUMNS = ("model", "hardware", "gpu_count", "energy_scope", "backend", "precision", "trust")
CELL_ORDERS = {"best_by_score": (), "best_of_model": ("model",), "best_of_hardware": ("hardware",)}


class BestResult(models.Model):
    """The best ranked result of one cell for one metric, kept by services/ranking.py.

    A cell is (model, hardware, GPU count, energy scope, backend, precision, trust). The leaderboard shows the
    best cell of each (model, hardware, GPU count, energy scope) within the reader's filters.
    """

    metric = models.CharField(max_length=40)
    #: the metric's value, negated where lower is better: the greatest score is the best
    score = models.FloatField()
    result = models.ForeignKey(Result, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(LanguageModel, related_name="+", **COPIED)
    hardware = models.ForeignKey(Hardware, related_name="+", **COPIED)
    #: 0 where the file does not say
    gpu_count = models.PositiveIntegerField()
    energy_scope = models.CharField(max_length=10, blank=True)
    backend = models.ForeignKey(Backend, related_name="+", **COPIED)
    precision = models.CharField(max_length=10, blank=True)
    trust = models.PositiveSmallIntegerField(choices=Trust)

    class Meta:
        indexes: ClassVar = [
            # All cells, those of one model and those of one GPU, best first. The facets are in each, so that a filter
            # which few cells meet is a walk through the index alone.
            *(
                models.Index(
                    fields=list(dict.fromkeys(["metric", *first, "score", "result", *CELL_COLUMNS])), name=name
                )
                for name, first in CELL_ORDERS.items()
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["metric", *CELL_COLUMNS], name="one_best_result_per_cell")
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.score}"


class DataVersion(models.Model):
    """One row whose number grows with every change of what readers see; caches and ETags carry it."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class FacetCounts(models.Model):
    """The facet counts of one state of the filters, as counted at one data version."""

    signature = models.CharField(max_length=64, primary_key=True)
    version = models.PositiveBigIntegerField()
    counts: models.JSONField[Any, Any] = models.JSONField()
    counted_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return self.signature
