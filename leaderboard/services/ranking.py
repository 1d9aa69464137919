"""Keeps what the leaderboard reads: which results are ranked, the best of each cell, and the data version.

Every function runs inside the caller's transaction and first takes the data version's row lock, so that two
publications never race for a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet

from leaderboard.metrics import RANKED, Better
from leaderboard.models import BestResult, DataVersion, Finding, Result, SubmissionStatus, Visibility

CELL = ("model_id", "hardware_id", "gpu_count", "energy_scope", "backend_id", "precision", "trust")
UPSERT = """
INSERT INTO leaderboard_bestresult (metric, score, result_id, {columns})
VALUES (%s, %s, %s, {holes})
ON CONFLICT (metric, model_id, hardware_id, gpu_count, energy_scope, backend_id, precision, trust)
DO UPDATE SET score = excluded.score, result_id = excluded.result_id
WHERE (excluded.score, excluded.result_id) > (leaderboard_bestresult.score, leaderboard_bestresult.result_id)
""".format(columns=", ".join(CELL), holes=", ".join(["%s"] * len(CELL)))
REBUILD = """
INSERT INTO leaderboard_bestresult (metric, score, result_id, {columns})
SELECT %s, score, id, {columns} FROM (
    SELECT id, {sign}{metric} AS score, model_id, hardware_id, COALESCE(gpu_count, 0) AS gpu_count, energy_scope,
           backend_id, precision, trust,
           ROW_NUMBER() OVER (PARTITION BY model_id, hardware_id, COALESCE(gpu_count, 0), energy_scope,
                                           backend_id, precision, trust
                              ORDER BY {sign}{metric} DESC, id DESC) AS place
    FROM leaderboard_result WHERE is_ranked AND {metric} IS NOT NULL
) AS placed WHERE place = 1
"""


def rankable(results: QuerySet[Result]) -> QuerySet[Result]:
    """Those that a table may rank: measured, public, published, mapped, and nothing blocks them."""
    return results.filter(
        submission__status=SubmissionStatus.PUBLISHED,
        submission__visibility=Visibility.PUBLIC,
        submission__deleted_at=None,
        submission__is_simulated=False,
        model__isnull=False,
        hardware__isnull=False,
        backend__isnull=False,
    ).exclude(findings__severity=Finding.Severity.BLOCK)


@transaction.atomic
def rank(results: QuerySet[Result]) -> int:
    """Put those of `results` that may be ranked into the tables; returns how many."""
    bump_data_version()
    ids = list(rankable(results).values_list("pk", flat=True))
    Result.objects.filter(pk__in=ids).update(is_ranked=True)
    _raise_best(Result.objects.filter(pk__in=ids))
    return len(ids)


@transaction.atomic
def unrank(results: QuerySet[Result]) -> int:
    """Take `results` out of the tables and let the next best stand in; returns how many were ranked."""
    bump_data_version()
    ids = list(results.filter(is_ranked=True).values_list("pk", flat=True))
    Result.objects.filter(pk__in=ids).update(is_ranked=False)
    orphaned = list(BestResult.objects.filter(result__in=ids).values("metric", *CELL))
    BestResult.objects.filter(result__in=ids).delete()
    _write_best(row for cell in orphaned if (row := _best_of_cell(cell)) is not None)
    return len(ids)


@transaction.atomic
def rebuild_best_results() -> None:
    """Make the whole table anew, one statement a metric: after a bulk load, or when in doubt."""
    bump_data_version()
    BestResult.objects.all().delete()
    with connection.cursor() as cursor:
        for metric, better in RANKED.items():
            sign = "" if better == Better.HIGHER else "-"
            cursor.execute(REBUILD.format(columns=", ".join(CELL), sign=sign, metric=metric), [metric])


def bump_data_version() -> None:
    """Readers' caches and ETags are stale from the end of this transaction on."""
    if not DataVersion.objects.filter(pk=1).update(number=F("number") + 1):
        DataVersion.objects.update_or_create(pk=1, defaults={"number": 1})


def score(metric: str, value: float) -> float:
    """Larger is better."""
    return value if RANKED[metric] == Better.HIGHER else -value


Row = tuple[str, float, UUID, tuple[Any, ...]]


def _raise_best(results: QuerySet[Result]) -> None:
    rows = results.values("pk", *CELL, *RANKED)
    _write_best(
        (metric, score(metric, row[metric]), row["pk"], tuple(row[name] for name in CELL))
        for row in rows
        for metric in RANKED
        if row[metric] is not None
    )


def _best_of_cell(cell: dict[str, Any]) -> Row | None:
    metric = cell["metric"]
    where = {name: cell[name] for name in CELL}
    if where["gpu_count"] == 0:
        where["gpu_count"] = None
    order = f"-{metric}" if RANKED[metric] == Better.HIGHER else metric
    matching = Result.objects.ranked().filter(**{k: v for k, v in where.items() if v is not None})
    if where["gpu_count"] is None:
        matching = matching.filter(gpu_count=None)
    best = matching.exclude(**{metric: None}).order_by(order, "-pk").values("pk", metric).first()
    if best is None:
        return None
    return metric, score(metric, best[metric]), best["pk"], tuple(cell[name] for name in CELL)


def _write_best(rows: Iterable[Row]) -> None:
    result_field = BestResult._meta.get_field("result")
    parameters: Sequence[tuple[Any, ...]] = [
        (metric, value, result_field.get_db_prep_save(result, connection), *(0 if v is None else v for v in cell))
        for metric, value, result, cell in rows
    ]
    if parameters:
        with connection.cursor() as cursor:
            cursor.executemany(UPSERT, parameters)
