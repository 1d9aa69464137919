"""What begins, describes and ends a run. Called by the writer, inside its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from leaderboard.models import Hardware, HardwareAlias
from runs.models import EvalScore, Lane, Run, RunStatus
from runs.wire import EvalScore as EvalScoreBody
from runs.wire import GpuConfig, Parsed, ProgressEvent, RunBody, RunEnd, RunStart

#: the words that senders use, in ours
STATUSES = {
    None: RunStatus.FINISHED,
    "running": RunStatus.FINISHED,
    "finished": RunStatus.FINISHED,
    "completed": RunStatus.FINISHED,
    "failed": RunStatus.FAILED,
    "stopped": RunStatus.STOPPED,
    "cancelled": RunStatus.STOPPED,
}


class RunNotKnown(ValueError):
    """The end of a run that nobody has seen."""


def ensure_runs(unknown: Mapping[str, tuple[Parsed, int | None]]) -> tuple[dict[str, int], set[str]]:
    """Give every key a row, from the first message that names it; returns row ids, and the keys that are new."""
    ids = _ids_of(unknown)
    new = [key for key in unknown if key not in ids]
    if not new:
        return ids, set()
    Run.objects.bulk_create((_new_run(key, *unknown[key]) for key in sorted(new)), ignore_conflicts=True)
    ids |= _ids_of(new)
    for key in new:
        body = unknown[key][0].run
        if body is not None:
            _set_lanes(ids[key], body.gpus)
    return ids, set(new)


def start_run(*, run_id: int, body: RunStart) -> None:
    """Describe a run that may exist already as a stub."""
    changes: dict[str, object] = {"is_simulated": body.simulated}
    if body.startedAt is not None:
        changes["started_at"] = body.startedAt
    if body.promptLabel:
        changes["label"] = body.promptLabel
    if body.note:
        changes["note"] = body.note
    if body.models:
        changes["models_named"] = body.models
    Run.objects.filter(pk=run_id).update(**changes)
    _set_lanes(run_id, body.gpus)


def end_run(*, body: RunEnd) -> None:
    """Close a run. Raises RunNotKnown; ending it twice keeps the first end."""
    runs = Run.objects.filter(key=body.runId)
    if not runs.exists():
        raise RunNotKnown(f"There is no run {body.runId!r}.")
    changes: dict[str, object] = {"ended_at": body.endedAt or timezone.now(), "status": STATUSES[body.status]}
    if body.note:
        changes["note"] = body.note
    runs.filter(ended_at=None).update(**changes)


def end_silent_runs(*, before: datetime) -> int:
    """Close the runs whose last sign of life is older than `before`; returns how many."""
    silent = Q(last_event_at__lt=before) | Q(last_event_at=None, created_at__lt=before, started_at__lt=before)
    ended = Coalesce("last_event_at", F("started_at"))
    return Run.objects.open().filter(silent).update(ended_at=ended, status=RunStatus.STOPPED)


def store_scores(*, run_id: int, scores: Sequence[EvalScoreBody]) -> None:
    """A score sent again replaces the earlier one."""
    latest = {(score.model, score.useCase, score.testCaseId): score for score in scores}
    EvalScore.objects.bulk_create(
        (
            EvalScore(
                run_id=run_id,
                model=score.model,
                use_case=score.useCase,
                test_case_id=score.testCaseId,
                composite=score.composite,
                correctness=score.dimensions.correctness,
                completeness=score.dimensions.completeness,
                format_quality=score.dimensions.formatQuality,
                conciseness=score.dimensions.conciseness,
                tok_per_s=score.tokPerSec,
            )
            for score in latest.values()
        ),
        update_conflicts=True,
        unique_fields=["run", "model", "use_case", "test_case_id"],
        update_fields=["composite", "correctness", "completeness", "format_quality", "conciseness", "tok_per_s"],
    )


def _ids_of(keys: Mapping[str, object] | Sequence[str]) -> dict[str, int]:
    return dict(Run.objects.filter(key__in=list(keys)).values_list("key", "pk"))


def _new_run(key: str, parsed: Parsed, owner_id: int | None) -> Run:
    run, payload = parsed.run, parsed.payload
    if run is not None and run.id == key:
        return _described_run(run, owner_id)
    started_at = payload.ts if isinstance(payload, ProgressEvent) else timezone.now()
    return Run(key=key, started_at=started_at, owner_id=owner_id)


def _described_run(body: RunBody, owner_id: int | None) -> Run:
    return Run(
        key=body.id,
        label=body.label or "",
        started_at=body.startedAt,
        ended_at=body.endedAt,
        status=RunStatus.FINISHED if body.endedAt else RunStatus.RUNNING,
        models_named=body.models,
        is_simulated=body.simulated,
        owner_id=owner_id,
    )


def _set_lanes(run_id: int, gpus: Sequence[GpuConfig]) -> None:
    Lane.objects.bulk_create(
        (
            Lane(
                run_id=run_id,
                name=gpu.name,
                type=gpu.type,
                vram_gb=gpu.vramGB,
                cost_per_hour_usd=gpu.costPerHour,
                position=position,
                hardware=_hardware_of(gpu),
            )
            for position, gpu in enumerate({gpu.name: gpu for gpu in gpus}.values())
        ),
        update_conflicts=True,
        unique_fields=["run", "name"],
        update_fields=["type", "vram_gb", "cost_per_hour_usd", "position", "hardware"],
    )


def _hardware_of(gpu: GpuConfig) -> Hardware | None:
    names = [HardwareAlias.fold(name) for name in (gpu.type, gpu.name) if name]
    alias = HardwareAlias.objects.filter(name__in=names).select_related("target").first()
    return alias.target if alias else None
