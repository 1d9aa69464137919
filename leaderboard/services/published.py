"""Published figures carried over from named sources: the leaderboard's first rows."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from django.db import transaction

from leaderboard.models import (
    Provenance,
    RawFile,
    Result,
    ReviewAction,
    Submission,
    SubmissionStatus,
    Visibility,
)
from leaderboard.services.catalogue import CATALOGUE
from leaderboard.services.ranking import rank, unrank
from leaderboard.services.reading import read_upload
from leaderboard.services.settling import lapse_disputes
from leaderboard.services.storing import drop_unused_files
from leaderboard.services.submissions import move, store_reading
from lemsite.lib.archives import Entry

PUBLISHED_FILE = CATALOGUE / "published.json"


@transaction.atomic
def load_published(file: Path = PUBLISHED_FILE) -> int:
    """Store and rank the figures of `file`, replacing an earlier load of it; returns how many are ranked.

    Loading the same content again changes nothing.
    """
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if RawFile.objects.filter(original_sha256=digest, submission__provenance=Provenance.IMPORTED).exists():
        return Result.objects.ranked().filter(submission__provenance=Provenance.IMPORTED).count()
    _remove_earlier(file.name)
    reading = read_upload([Entry(path=file.name, content=content)], stated={}, provenance=Provenance.IMPORTED)
    submission = store_reading(
        reading=reading, owner=None, provenance=Provenance.IMPORTED, visibility=Visibility.PUBLIC
    )
    move(submission=submission, to=SubmissionStatus.PENDING, action=ReviewAction.SUBMIT, by=None)
    reason = "Carried over as facts; each row names its source."
    move(submission=submission, to=SubmissionStatus.PUBLISHED, action=ReviewAction.APPROVE, by=None, reason=reason)
    return rank(Result.objects.filter(submission=submission))


def _remove_earlier(name: str) -> None:
    earlier = Submission.objects.filter(provenance=Provenance.IMPORTED, raw_files__name=name)
    unrank(Result.objects.filter(submission__in=earlier))
    lapse_disputes(results=Result.objects.filter(submission__in=earlier), by=None)
    for submission in earlier:
        stored = [raw.storage_name for raw in submission.raw_files.all()]
        transaction.on_commit(partial(drop_unused_files, stored))
        submission.delete()
