"""The daily tidying of the whole site: rows by the rules of each app, tasks that are over, files that nobody names."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import Task

from accounts import retention as accounts
from jobs import retention as jobs
from jobs.models import Artifact
from leaderboard import retention as leaderboard
from leaderboard.models import RawFile, UploadBatch
from lemsite.lib import file_storage
from lemsite.lib.held import Held, hold
from lemsite.lib.pruning import Rule, older_than
from runs import retention as runs
from runs.models import Run

logger = logging.getLogger(__name__)

#: of one background task, which django-q ends after Q_CLUSTER's timeout
WORK_FOR_S = 120.0
#: a file is stored before its row: only what has had no row for so long belongs to nobody
LEFT_BEHIND = timedelta(days=1)
FILES_AT_ONCE = 200


@dataclass(slots=True)
class Pruned:
    """What went, or with a dry run would go: name of the rule -> how many."""

    counts: dict[str, int] = field(default_factory=dict)
    #: whether time ran out
    is_unfinished: bool = False


def ended_tasks(now: datetime) -> QuerySet[Task]:
    """Outcomes of background tasks; django-q itself keeps failures for ever."""
    before = older_than(settings.KEEP_TASKS_DAYS, now)
    tasks: QuerySet[Task] = Task.objects.filter(stopped__lt=before) if before else Task.objects.none()
    return tasks


RULES: tuple[Rule, ...] = (
    *runs.RULES,
    *jobs.RULES,
    *leaderboard.RULES,
    *accounts.RULES,
    Rule("outcomes of background tasks", ended_tasks),
)


def prune(*, now: datetime | None = None, work_for_s: float = math.inf, dry_run: bool = False) -> Pruned:
    """Let go what is due. Twice, or by two processes at once, it does no harm; a rule that fails stops no other."""
    now, until, done = now or timezone.now(), time.monotonic() + work_for_s, Pruned()
    for rule in RULES:
        try:
            rows = rule.due(now)
            done.counts[rule.name] = rows.count() if dry_run else rule.drop(rows, until)
        except Exception:
            logger.exception("Retention of %s failed", rule.name)
            done.counts[rule.name] = 0
    for kind in KINDS:
        done.counts[f"files of nobody in {kind.folder}/"] = _prune_files(kind, now, until, dry_run=dry_run)
    done.is_unfinished = time.monotonic() > until
    return done


@dataclass(frozen=True, slots=True)
class Kind:
    """One folder of the storage, whose files are named by rows."""

    folder: str
    #: of these names, each in a folder below `folder`, those that a row needs
    named: Callable[[str, list[str]], set[str]]


def _raw(folder: str, names: list[str]) -> set[str]:
    return set(RawFile.objects.filter(sha256__in=names).values_list("sha256", flat=True))


def _artifacts(folder: str, names: list[str]) -> set[str]:
    return set(Artifact.objects.filter(sha256__in=names).values_list("sha256", flat=True))


def _batches(folder: str, names: list[str]) -> set[str]:
    uploads = UploadBatch.objects.filter(pk=folder).values_list("uploads", flat=True)
    return {upload["stored_as"].rpartition("/")[2] for files in uploads for upload in files}


def _runs(folder: str, names: list[str]) -> set[str]:
    return set(names) if Run.objects.filter(pk=folder).exists() else set()


def _unfinished(folder: str, names: list[str]) -> set[str]:
    return set()


KINDS = (
    Kind("raw", _raw),
    Kind("artifacts", _artifacts),
    Kind("batches", _batches),
    Kind("runs", _runs),
    Kind(file_storage.UNFINISHED, _unfinished),
)


def _prune_files(kind: Kind, now: datetime, until: float, *, dry_run: bool) -> int:
    count = 0
    for folder, names in _folders(kind):
        if time.monotonic() > until:
            break
        for place in range(0, len(names), FILES_AT_ONCE):
            some = names[place : place + FILES_AT_ONCE]
            old = [name for name in _unnamed(kind, folder, some) if _is_old(name, now)]
            count += len(old) if dry_run else _delete(kind, folder, old)
    return count


def _folders(kind: Kind) -> Iterator[tuple[str, list[str]]]:
    """Each folder below that of the kind, with the names in it; pieces of artifacts have a retention of their own."""
    for folder in ["", *_listed(kind.folder)[0]]:
        if folder != "pieces":
            names = _listed(f"{kind.folder}/{folder}".rstrip("/"))[1]
            yield folder, sorted(names)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        found: tuple[list[str], list[str]] = default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []
    return found


def _unnamed(kind: Kind, folder: str, names: list[str]) -> list[str]:
    try:
        named = kind.named(folder, names)
    except (ValueError, ValidationError):  # a folder that is no number, or no UUID
        named = set()
    base = f"{kind.folder}/{folder}".rstrip("/")
    return [f"{base}/{name}" for name in names if name not in named]


def _is_old(name: str, now: datetime) -> bool:
    try:
        changed: datetime = default_storage.get_modified_time(name)
    except FileNotFoundError:
        return False
    return changed < now - LEFT_BEHIND


@transaction.atomic
def _delete(kind: Kind, folder: str, names: list[str]) -> int:
    """While nobody stores a file: one that was just found to be there already would go."""
    hold(Held.FILES)
    unnamed = set(_unnamed(kind, folder, [name.rpartition("/")[2] for name in names]))
    for name in unnamed:
        logger.info("%s belongs to nobody and goes", name)
        default_storage.delete(name)
    return len(unnamed)
