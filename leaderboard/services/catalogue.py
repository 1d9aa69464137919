"""The catalogue: loading it, finding what a name means, and mapping names it does not know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import User
from leaderboard.models import (
    Backend,
    BackendAlias,
    Hardware,
    HardwareAlias,
    LanguageModel,
    ModelAlias,
    Result,
    ReviewAction,
    ReviewEvent,
    Submission,
    UnknownName,
)
from leaderboard.services.ranking import bump_data_version, rank, unrank
from leaderboard.services.rescoring import judge_mapped
from leaderboard.services.scoring import Targets

CATALOGUE = Path(__file__).resolve().parent.parent / "catalogue"
Kind = UnknownName.Kind
ALIASES: dict[str, type[ModelAlias] | type[HardwareAlias] | type[BackendAlias]] = {
    Kind.MODEL: ModelAlias,
    Kind.HARDWARE: HardwareAlias,
    Kind.BACKEND: BackendAlias,
}
HARDWARE_FIELDS = (
    "name", "vendor", "architecture", "memory_gb", "bandwidth_gb_per_s", "fp16_dense_tflops", "bf16_dense_tflops",
    "fp8_dense_tflops", "fp4_dense_tflops", "tdp_w", "usd_per_gpu_hour", "price_source", "price_date", "note",
)  # fmt: skip
MODEL_FIELDS = ("title", "organisation", "family", "parameters_total_b", "parameters_active_b", "licence")


class MappingRefused(ValueError):
    """The name cannot be mapped so."""


def find_targets(*, model: str | None, hardware: str | None, backend: str | None) -> Targets:
    return find_all_targets([(model, hardware, backend)])[0]


def find_all_targets(names: Sequence[tuple[str | None, str | None, str | None]]) -> list[Targets]:
    """What each model, hardware and backend means; three queries, however many there are."""
    models = _meant(ModelAlias, [model for model, _, _ in names])
    hardware = _meant(HardwareAlias, [gpu for _, gpu, _ in names])
    backends = _meant(BackendAlias, [backend for _, _, backend in names])
    return [Targets(models.get(model), hardware.get(gpu), backends.get(backend)) for model, gpu, backend in names]


def queue_unknown_names(results: Iterable[Result]) -> None:
    """Note every name without a target, so that a moderator can say what it is."""
    unknown = {
        (kind, ALIASES[kind].fold(written)[:200]): written
        for result in results
        for kind in Kind.values
        if (written := getattr(result, f"{kind}_name")) and getattr(result, f"{kind}_id") is None
    }
    UnknownName.objects.bulk_create(
        (UnknownName(kind=kind, name=name, written_as=written) for (kind, name), written in unknown.items()),
        ignore_conflicts=True,
    )


@transaction.atomic
def map_name(*, unknown: UnknownName, by: User | None) -> int:
    """Make the unknown name an alias of the target chosen on it and attach every waiting result.

    Returns the number of results attached. What was ranked under another meaning keeps its badge until a moderator
    has judged the new findings. Raises MappingRefused when no target of its kind is chosen.
    """
    target = getattr(unknown, unknown.kind)
    if target is None:
        raise MappingRefused(f"Choose the {unknown.kind} that {unknown.written_as!r} means.")
    aliases = ALIASES[unknown.kind]
    alias, _ = aliases.objects.get_or_create(name=aliases.fold(unknown.name), defaults={"target": target})
    candidates = Result.objects.filter(**{f"{unknown.kind}__isnull": True})
    if alias.target_id != target.pk:
        # Mapped before, to something else: what was attached then moves, too.
        candidates |= Result.objects.filter(**{unknown.kind: alias.target_id})
        alias.target = target
        alias.save(update_fields=["target"])
    waiting = [
        result.pk
        for result in candidates.only("pk", f"{unknown.kind}_name")
        if aliases.fold(getattr(result, f"{unknown.kind}_name")) == alias.name
    ]
    attached = Result.objects.filter(pk__in=waiting)
    _lock_submissions(attached)
    had_badge = set(attached.filter(is_ranked=True).values_list("pk", flat=True))
    unrank(attached)
    attached.update(**{unknown.kind: target})
    judge_mapped(results=attached, had_badge=had_badge)
    UnknownName.objects.filter(pk=unknown.pk).update(mapped_at=timezone.now())
    _note_mapping(waiting, unknown, str(target), by)
    rank(attached)
    return len(waiting)


@transaction.atomic
def load_catalogue() -> dict[str, int]:
    """Bring the catalogue's rows up to its data files; returns how many of each there are."""
    prices = dict(Hardware.objects.values_list("pk", "usd_per_gpu_hour"))
    hardware = _read("hardware.json")
    for row in hardware["hardware"]:
        sources = [{"key": key, **hardware["sources"][key]} for key in row["sources"]]
        fields = {name: _filled(row.get(name), name) for name in HARDWARE_FIELDS}
        gpu, _ = Hardware.objects.update_or_create(slug=row["slug"], defaults={**fields, "sources": sources})
        _load_aliases(HardwareAlias, gpu, [row["slug"], row["name"], *row["aliases"]])
    for row in _read("models.json")["models"]:
        fields = {name: _filled(row.get(name), name) for name in MODEL_FIELDS}
        model, _ = LanguageModel.objects.update_or_create(
            name=row["name"], defaults={**fields, "source_url": row.get("source") or ""}
        )
        _load_aliases(ModelAlias, model, [row["name"], *row["aliases"]])
    for row in _read("backends.json")["backends"]:
        backend, _ = Backend.objects.update_or_create(
            slug=row["slug"], defaults={"name": row["name"], "url": row.get("url") or ""}
        )
        _load_aliases(BackendAlias, backend, [row["slug"], row["name"], *row["aliases"]])
    for gpu in Hardware.objects.filter(pk__in=prices):
        if gpu.usd_per_gpu_hour != prices[gpu.pk]:
            reprice(gpu)
    bump_data_version()
    return {
        "hardware": Hardware.objects.count(),
        "models": LanguageModel.objects.count(),
        "backends": Backend.objects.count(),
    }


@transaction.atomic
def reprice(gpu: Hardware) -> None:
    """Give the results on this hardware the cost that its price makes, and their places by it."""
    results = Result.objects.filter(hardware=gpu)
    ranked = list(results.filter(is_ranked=True).values_list("pk", flat=True))
    unrank(results)
    cost = None if gpu.usd_per_gpu_hour is None else F("gpu_seconds_per_million_tokens") / 3600 * gpu.usd_per_gpu_hour
    results.update(cost_per_million_tokens_usd=cost)
    rank(Result.objects.filter(pk__in=ranked))


def _lock_submissions(results: QuerySet[Result]) -> None:
    """Always in one order, and before the data version, as where moderators decide."""
    submissions = Submission.objects.filter(pk__in=results.values("submission"))
    list(submissions.select_for_update().order_by("pk").values_list("pk", flat=True))


def _meant(aliases: type[Any], names: Iterable[str | None]) -> dict[str | None, Any]:
    """name as given -> the row that it means"""
    folded = {name: aliases.fold(name) for name in names if name}
    rows = aliases.objects.filter(name__in=set(folded.values())).select_related("target")
    targets = {alias.name: alias.target for alias in rows}
    return {name: targets[alias] for name, alias in folded.items() if alias in targets}


def _load_aliases(alias_model: type[Any], target: Any, names: Iterable[str]) -> None:
    """Add what is missing. A name that already means something else stays: a moderator mapped it so."""
    for name in {alias_model.fold(name) for name in names}:
        alias_model.objects.get_or_create(name=name, defaults={"target": target})


def _note_mapping(result_ids: list[Any], unknown: UnknownName, target: str, by: User | None) -> None:
    submissions = Submission.objects.filter(results__in=result_ids).distinct()
    ReviewEvent.objects.bulk_create(
        ReviewEvent(
            submission=submission,
            actor=by,
            action=ReviewAction.MAP,
            from_status=submission.status,
            to_status=submission.status,
            reason=f"The {unknown.kind} {unknown.written_as!r} is {target}.",
        )
        for submission in submissions
    )


def _filled(value: Any, name: str) -> Any:
    """Text columns hold "" for what the data file leaves out; numbers stay unknown."""
    is_number = name.endswith(("_gb", "_gb_per_s", "_tflops", "_w", "_hour", "_b"))
    return value if value is not None or is_number else ""


def _read(name: str) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads((CATALOGUE / name).read_text(encoding="utf-8"))
    return data
