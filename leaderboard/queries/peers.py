"""The results that one is compared with: ranked ones, and those of its own submission."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from leaderboard.checks.surroundings import WORKLOAD_FIELDS, Crowd, Key, Standing, Surroundings, standing, surround
from leaderboard.models import Result, Trust
from leaderboard.normal import NormalResult

#: the newest of each configuration and load: enough for a median, and memory stays small
MOST_OF_ONE_LOAD = 25
CONFIGURATION = ("model_id", "hardware_id", "backend_id", "gpu_count", "precision", "energy_scope")
VALUES = (
    "gpu_count", "precision", "energy_scope", "batch_size", "concurrency", "throughput_tokens_per_s",
    "energy_per_output_token_j", "tokens_per_joule", "output_tokens", "requests", "success_rate", *WORKLOAD_FIELDS,
)  # fmt: skip
COLUMNS = ("pk", "submission_id", "submission__owner_id", "trust", "model_id", "hardware_id", "backend_id", *VALUES)


def surroundings_of(own: Sequence[Standing], *, apart_from: UUID | None = None) -> list[Surroundings]:
    """What each of `own` is held against, in one query however many they are.

    They are of one upload, and so on each other's curve. `apart_from` is a submission that is being replaced, and
    tells nothing.
    """
    ranked = [one for one in _ranked_like(own) if apart_from is None or one.submission != apart_from]
    known = {one.pk for one in ranked}
    crowds = Crowd(ranked), Crowd(one for one in own if one.pk not in known)
    return [surround(one, *crowds) for one in own]


def standings_of(results: Sequence[Result]) -> list[Standing]:
    """How stored results stand, in their order and in one query."""
    rows = Result.objects.filter(pk__in=[result.pk for result in results]).values(*COLUMNS)
    found = {row["pk"]: _standing(row) for row in rows}
    return [found[result.pk] for result in results]


def peers_of(result: Result) -> Sequence[Result]:
    """The ranked results of other people that OUT1 and OUT2 hold this one against."""
    (own,) = standings_of([result])
    return _results(one.pk for one in Crowd(_ranked_like([own])).peers_of(own)) if own.is_comparable else []


def curve_of(result: Result) -> Sequence[Result]:
    """This configuration at all loads, of its submission and ranked, itself among them; the smallest load first."""
    (own,) = standings_of([result])
    if not own.is_comparable:
        return []
    beside = map(_standing, Result.objects.filter(submission=result.submission_id).values(*COLUMNS))
    found = {one.pk: one.load or 0 for one in (*_ranked_like([own]), *beside) if one.curve_key == own.curve_key}
    return sorted(_results(pk for pk, load in found.items() if load), key=lambda row: (found[row.pk], row.pk))


def _ranked_like(own: Iterable[Standing]) -> list[Standing]:
    """Ranked results of the configurations of `own`, the newest of each load."""
    wanted = {one.configuration for one in own if one.is_comparable}
    if not wanted:
        return []
    rows = _newest(Result.objects.ranked().filter(_about(wanted))).values(*COLUMNS)
    return [one for row in rows if (one := _standing(row)).configuration in wanted]


def _about(configurations: Iterable[Key]) -> Q:
    """Each column is one of those asked for: wider than the configurations themselves, and short for any number."""
    condition = Q()
    for name, values in zip(CONFIGURATION, zip(*configurations, strict=True), strict=True):
        known = Q(**{f"{name}__in": {value for value in values if value is not None}})
        condition &= known | Q(**{f"{name}__isnull": True}) if None in values else known
    return condition


def _newest(results: QuerySet[Result]) -> QuerySet[Result]:
    load = [*CONFIGURATION, "batch_size", "concurrency"]
    place = Window(RowNumber(), partition_by=load, order_by=[F("created_at").desc(), F("pk").asc()])
    return results.order_by().annotate(place=place).filter(place__lte=MOST_OF_ONE_LOAD)


def _standing(row: Mapping[str, Any]) -> Standing:
    return standing(
        # What is stored was validated when it was read.
        NormalResult.model_construct(**{name: row[name] for name in VALUES}),
        targets=(row["model_id"], row["hardware_id"], row["backend_id"]),
        name=str(row["pk"]),
        pk=row["pk"],
        submission=row["submission_id"],
        owner=row["submission__owner_id"],
        is_verified=row["trust"] >= Trust.RUN_HERE,
    )


def _results(pks: Iterable[Hashable]) -> list[Result]:
    rows = Result.objects.filter(pk__in=list(pks)).select_related("model", "hardware", "backend", "submission")
    return list(rows.order_by("pk"))
