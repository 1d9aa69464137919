"""After a refusal, a fault or a bomb there are 0 rows and 0 files more than before, on each way in."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.services.bans import Banned
from accounts.services.deletion import delete_account
from leaderboard import tasks
from leaderboard.models import (
    BatchState,
    Comment,
    Provenance,
    RawFile,
    ReviewEvent,
    Submission,
    UploadBatch,
    Visibility,
)
from leaderboard.services import batches, quotas, submissions
from leaderboard.services.batches import BatchOptions, open_batch
from leaderboard.services.comments import report_comment
from leaderboard.services.quotas import OverQuota
from leaderboard.services.reading import read_upload, stored_identity
from leaderboard.services.replacing import replace_files
from leaderboard.services.submissions import SubmissionRefused, new_submission, store_reading
from tests.factories import draft, normal_file, pending, published_result, read
from tests.leaderboard.api.clients import client_of
from tests.leaderboard.browsing import archive
from tests.security.invariants import assert_sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    return tmp_path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def packed(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(name, content)
    return stream.getvalue()


BOMBS = {
    "deep.json": b"[" * 100_000,
    "many.json": b"[" + b"0," * 60_000 + b"0]",
    "number.json": b'{"model": 1' + b"0" * 5000 + b"}",
    "aliases.yaml": b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "lines.jsonl": b'{"model": "a"}\n' * 60_000,
    "zeros.zip": packed("zeros.json", b"0" * (8 << 20)),
    "entries.zip": archive(*((f"{number}.json", b"") for number in range(2001))),
    "inner.zip": archive(("inner.zip", archive(("a.json", b"{}")))),
    "outside.zip": archive(("../../outside.json", b"{}")),
    "database.db": b"SQLite format 3\x00" + b"\xff" * 5000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("way", ["page", "pasted", "replace", "api", "api-files", "api-background"])
def test_a_bomb_is_refused_in_words_and_leaves_nothing(owner, folder, way, name):
    mine = draft(owner)
    rows = RawFile.objects.count()
    before = files(folder)
    browser = Client(raise_request_exception=True)
    browser.force_login(owner)
    upload = SimpleUploadedFile(name, BOMBS[name])
    text = BOMBS[name].decode("latin-1").replace("\x00", "?")

    response = {
        "page": lambda: browser.post("/submit/", {"files": [upload]}),
        "pasted": lambda: browser.post("/submit/", {"text": text}),
        "replace": lambda: browser.post(f"/submissions/{mine.pk}/replace/", {"files": [upload], "reason": "Why not."}),
        "api": lambda: client_of(owner).post("/api/benchmarks", {"file": upload}, format="multipart"),
        "api-files": lambda: client_of(owner).post(
            f"/api/submissions/{mine.pk}/files", {"file": upload, "reason": "Why not."}, format="multipart"
        ),
        "api-background": lambda: client_of(owner).post(
            "/api/benchmarks?background=1", {"file": upload}, format="multipart"
        ),
    }[way]()
    for batch in UploadBatch.objects.all():
        tasks.read_batch(str(batch.pk))

    assert response.status_code in {202, 302, 400, 413, 422}
    assert not UploadBatch.objects.exclude(state=BatchState.FAILED).exists()
    assert Submission.objects.get() == mine
    assert RawFile.objects.count() == rows
    assert set(files(folder)) - set(before) <= _of_waiting(folder)


def _of_waiting(folder: Path) -> set[Path]:
    """A test never commits, so what a batch lets go at its commit is still there."""
    return set((folder / "batches").rglob("*"))


def fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("a fault of ours")


def test_an_upload_that_cannot_be_handed_in_leaves_no_file(owner, stranger, folder):
    reading = read(normal_file())
    theirs = pending(stranger, normal_file("other.json", backend_version="1", duration_s=128.01))
    # As if the same measurement came from somebody else after it was read.
    theirs.results.update(identity=stored_identity(reading.results[0].parsed.identity))
    before = files(folder)

    with pytest.raises(SubmissionRefused):
        new_submission(
            reading=reading,
            owner=owner,
            provenance=Provenance.API,
            visibility=Visibility.PUBLIC,
        )

    assert files(folder) == before
    assert not Submission.objects.filter(owner=owner).exists()


def test_a_fault_half_way_leaves_nothing(owner, folder, monkeypatch):
    monkeypatch.setattr(submissions, "store_results", fail)

    with pytest.raises(RuntimeError):
        store_reading(reading=read(normal_file()), owner=owner, provenance=Provenance.API)

    assert files(folder) == []
    assert not Submission.objects.exists()


def test_a_fault_while_replacing_leaves_the_old_files_alone(owner, folder, monkeypatch):
    mine = draft(owner)
    before = files(folder)
    reading = read_upload([normal_file(duration_s=128.01)], stated={}, provenance=Provenance.UPLOAD, replacing=mine)
    monkeypatch.setattr("leaderboard.services.replacing.store_parts", fail)

    with pytest.raises(RuntimeError):
        replace_files(submission=mine, reading=reading, by=owner, reason="Wrong clock.")

    assert files(folder) == before
    assert_sound()


def opened(owner: Any) -> UploadBatch:
    content = archive(("result.json", normal_file().content))
    options = BatchOptions(provenance=Provenance.UPLOAD)
    return open_batch(owner=owner, uploads=[("many.zip", io.BytesIO(content))], files_total=1, options=options)


def test_a_batch_that_breaks_its_worker_is_not_tried_for_ever(owner, monkeypatch, folder):
    batch = opened(owner)
    monkeypatch.setattr(batches, "read_upload", fail)
    tries = 0
    began = batch.created_at
    while UploadBatch.objects.get().state != BatchState.FAILED:
        tries += 1
        assert tries < 30
        now = began + tries * timedelta(minutes=2)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        tasks.read_waiting_batches()

    assert not Submission.objects.exists()
    assert 1 < tries < 30


def test_what_is_queued_holds_nothing_but_an_id(owner, django_capture_on_commit_callbacks, monkeypatch):
    queued = []
    monkeypatch.setattr(batches, "async_task", lambda *args, **kwargs: queued.append((args, kwargs)))

    with django_capture_on_commit_callbacks(execute=True):
        batch = opened(owner)

    assert queued == [(("leaderboard.tasks.read_batch", str(batch.pk)), {})]


def test_who_has_left_gives_nothing_more(owner, folder):
    """A request that began before the account was deleted, and stores after it."""
    reading = read(normal_file())
    delete_account(user=owner, keep_published=False)

    with pytest.raises(Banned, match="closed"):
        store_reading(reading=reading, owner=owner, provenance=Provenance.API)

    assert files(folder) == []
    assert not Submission.objects.exists()


def test_over_the_share_nothing_is_kept(owner, folder, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.UPLOADS, 0)

    with pytest.raises(OverQuota):
        opened(owner)

    assert files(folder) == []
    assert not UploadBatch.objects.exists()


def test_the_log_keeps_its_lines_when_the_account_goes(owner, moderator):
    pending(owner)
    lines = list(ReviewEvent.objects.values("pk", "actor", "action", "reason"))

    delete_account(user=owner, keep_published=False)

    assert list(ReviewEvent.objects.values("pk", "actor", "action", "reason"))[: len(lines)] == lines
    assert ReviewEvent.objects.last().action == "delete"


def test_nobody_floods_the_moderators_with_reports(owner, stranger, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.REPORTS, 1)
    result = published_result()
    first, second = (Comment.objects.create(result=result, author=owner, text=text) for text in "ab")
    report_comment(comment=first, by=stranger, reason="Spam.")

    with pytest.raises(OverQuota, match="1 reports of comments"):
        report_comment(comment=second, by=stranger, reason="Spam.")
