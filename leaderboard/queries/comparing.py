"""What a comparison is made of: results by id, and the best configuration of a model within filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import User
from leaderboard.board import BoardQuery
from leaderboard.metrics import PRIMARY, RANKED, Better
from leaderboard.models import BestResult, LanguageModel, Result, SavedComparison
from leaderboard.queries.board import HEAVY, filtered_results


def compared_results(ids: Sequence[UUID], reader: User | AnonymousUser) -> dict[UUID, Result]:
    """Those that this reader may see, in one statement; simulated ones are no measurements."""
    if not ids:
        return {}
    results = Result.objects.visible_to(reader).filter(pk__in=ids, submission__is_simulated=False)
    return {result.pk: result for result in _with_names(results)}


def best_of_models(names: Sequence[str], filters: BoardQuery) -> Mapping[str, Result | None]:
    """model -> its best ranked result within `filters`, None where none fits; unknown models are left out."""
    if not names:
        return {}
    sign = "-" if RANKED[filters.ranking] == Better.HIGHER else ""
    fitting = filtered_results(filters).filter(**{f"{filters.ranking}__isnull": False})
    best = fitting.filter(model=OuterRef("pk")).order_by(f"{sign}{filters.ranking}", f"{sign}pk").values("pk")[:1]
    found = dict(LanguageModel.objects.filter(name__in=names).annotate(best=Subquery(best)).values_list("name", "best"))
    rows = {result.pk: result for result in _with_names(Result.objects.filter(pk__in=filter(None, found.values())))}
    return {name: rows.get(pk) if pk else None for name, pk in found.items()}


def measured_models() -> QuerySet[LanguageModel]:
    """Those that a table ranks, for the suggestions of a form."""
    ranked = BestResult.objects.filter(metric=PRIMARY, model=OuterRef("pk"))
    return LanguageModel.objects.filter(Exists(ranked)).order_by("name")


def saved_comparisons(of: User) -> QuerySet[SavedComparison]:
    return SavedComparison.objects.filter(owner=of).select_related("link")


def _with_names(results: QuerySet[Result]) -> QuerySet[Result]:
    return results.select_related("model", "hardware", "backend", "submission__owner").defer(
        *HEAVY, "submission__stated", "submission__note", "submission__redacted"
    )
