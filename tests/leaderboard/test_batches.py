"""Uploads of many files: read in the background, one bad file does not spoil the rest, safe to run twice."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from accounts.models import Notification
from accounts.services.bans import Banned, ban
from leaderboard import tasks
from leaderboard.importers import ImportRefused
from leaderboard.models import BatchState, Provenance, Submission, SubmissionStatus, UploadBatch, Visibility
from leaderboard.services import batches, quotas
from leaderboard.services.batches import BatchOptions, open_batch
from leaderboard.services.reading import read_upload
from leaderboard.services.submissions import SubmissionRefused, restate, submit
from tests.factories import normal_file, pending
from tests.leaderboard.browsing import archive
from tests.leaderboard.importers import samples

S = BatchState
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]
BAD = [
    ("bad/cut.json", b'{"model": "org/mod'),
    ("bad/empty.json", b""),
    ("bad/list.json", b"[]"),
    ("bad/other.json", b'{"weather": "fine"}'),
    ("bad/number.json", normal_file(gpu_count="several").content),
    ("bad/power.json", normal_file(avg_power_w=5000.0).content),
    ("bad/binary.json", b"\x00\x01\x02"),
]
BAD_NAMES = {name for name, _ in BAD}


def good(number: int, **fields: Any) -> tuple[str, bytes]:
    """Each is a measurement of its own."""
    return f"run-{number:04}/result.json", normal_file(duration_s=128.0 + number / 10_000, **fields).content


def opened(owner: Any, *members: tuple[str, bytes], **options: Any) -> UploadBatch:
    uploads = [("many.zip", io.BytesIO(archive(*members)))]
    wanted = BatchOptions(provenance=Provenance.UPLOAD, **options)
    return open_batch(owner=owner, uploads=uploads, files_total=len(members), options=wanted)


def read(batch: UploadBatch) -> UploadBatch:
    tasks.read_batch(str(batch.pk))
    batch.refresh_from_db()
    return batch


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files of a test lie."""
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    return tmp_path


def kept_uploads(folder: Path) -> list[Path]:
    return [path for path in (folder / "batches").rglob("*") if path.is_file()]


def test_of_a_thousand_files_with_seven_bad_ones_the_good_become_one_draft(owner):
    members = [good(number) for number in range(993)]
    members[500:500] = BAD

    batch = read(opened(owner, *members))

    assert (batch.state, batch.files_done, batch.files_total) == (S.DONE, 1000, 1000)
    assert batch.submission.results.count() == 993
    assert batch.submission.raw_files.count() == 993
    assert {row["file"] for row in batch.refused} == BAD_NAMES
    assert all(row["message"].startswith(row["file"]) for row in batch.refused)


def test_a_large_draft_is_stated_and_handed_in_with_few_queries(owner):
    few, many = (
        read(opened(owner, *(good(number + start, batch_size=None) for number in range(size)))).submission
        for start, size in ((0, 60), (1000, 120))
    )
    counts = []
    for submission in (few, many):
        assert submission is not None
        with CaptureQueriesContext(
            connection,
        ) as queries:
            restate(submission=submission, stated={"batch_size": 8}, by=owner)
            submit(submission=submission, by=owner, visibility=Visibility.PUBLIC)
        counts.append(len(queries))

    assert set(many.results.values_list("batch_size", flat=True)) == {8}
    assert counts[1] - counts[0] < 20


def test_a_bad_cycle_does_not_spoil_the_other_configurations_of_a_study(owner):
    cycles = [samples.entry(cycle, f"a/{n}.json") for n, cycle in enumerate(samples.cycles_of_result_2((220.0, 230.0)))]
    members = [(entry.path, entry.content) for entry in cycles]

    batch = read(opened(owner, *members, ("b/broken.json", b"{"), good(1)))

    assert sorted(batch.submission.results.values_list("runs", flat=True)) == [1, 2]
    assert [row["file"] for row in batch.refused] == ["b/broken.json"]


def test_of_a_file_with_many_results_only_the_bad_one_is_left_out(owner):
    rows = b",".join(normal_file(batch_size=size).content for size in (8, 16))
    bad = normal_file(gpu_count="several").content

    batch = read(opened(owner, ("many.json", b"[" + rows + b"," + bad + b"]"), good(1)))

    assert batch.submission.results.count() == 3
    assert [row["file"] for row in batch.refused] == ["many.json[2]"]
    assert set(batch.submission.raw_files.values_list("name", flat=True)) == {"many.json", "run-0001/result.json"}


def test_what_was_given_before_is_refused_one_by_one(owner, stranger):
    pending(stranger)

    batch = read(opened(owner, ("again.json", normal_file().content), good(1)))

    assert [row["file"] for row in batch.refused] == ["again.json"]
    assert batch.submission.results.count() == 1


def test_when_nothing_can_be_used_nothing_is_stored_and_it_says_why(owner):
    batch = read(opened(owner, *BAD))

    assert (batch.state, batch.submission) == (S.FAILED, None)
    assert {row["file"] for row in batch.refused} >= BAD_NAMES
    assert not Submission.objects.exists()


def test_a_damaged_archive_fails_with_a_sentence(owner):
    uploads = [("many.zip", io.BytesIO(b"PK\x03\x04 and then nothing"))]
    batch = open_batch(owner=owner, uploads=uploads, files_total=0, options=BatchOptions(provenance="upload"))

    read(batch)

    assert batch.state == S.FAILED
    assert "many.zip is damaged or cut off" in batch.refused[0]["message"]


def test_its_owner_is_told_when_it_has_been_read(owner):
    batch = read(opened(owner, good(1), good(2), BAD[0]))

    news = Notification.objects.get(user=owner)
    assert (news.title, news.text) == ("Your upload has been read: 2 results", "1 could not be used.")
    assert news.url == f"/batches/{batch.pk}/"


def test_the_upload_leaves_the_storage_once_it_has_been_read(owner, folder, django_capture_on_commit_callbacks):
    batch = opened(owner, good(1))
    assert len(kept_uploads(folder)) == 1

    with django_capture_on_commit_callbacks(execute=True):
        read(batch)

    assert kept_uploads(folder) == []


def test_a_batch_is_queued_as_it_is_stored(owner, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        batch = opened(owner, good(1))

    task = OrmQ.objects.get().task
    assert (task["func"], task["args"]) == ("leaderboard.tasks.read_batch", (str(batch.pk),))


def test_a_schedule_looks_for_batches_that_nobody_reads():
    Schedule.objects.all().delete()

    for _ in range(2):
        tasks.ensure_schedules()

    assert Schedule.objects.filter(func="leaderboard.tasks.read_waiting_batches", minutes=1).count() == 1


def test_reading_twice_gives_one_draft(owner):
    batch = read(opened(owner, good(1)))

    read(batch)

    assert Submission.objects.count() == 1
    assert Notification.objects.count() == 1


def test_what_another_task_reads_is_left_to_it(owner):
    batch = opened(owner, good(1))
    UploadBatch.objects.filter(pk=batch.pk).update(state=S.READING, touched_at=timezone.now())

    assert read(batch).state == S.READING
    assert not Submission.objects.exists()


def test_what_a_dead_task_left_is_taken_up_by_the_schedule(owner):
    batch = opened(owner, good(1))
    long_ago = timezone.now() - 2 * batches.LEASE
    UploadBatch.objects.filter(pk=batch.pk).update(state=S.READING, touched_at=long_ago)

    tasks.read_waiting_batches()

    batch.refresh_from_db()
    assert batch.state == S.DONE


def test_a_task_that_lost_its_batch_stores_nothing(owner, monkeypatch):
    batch = opened(owner, good(1))
    reading = read_upload

    def slow(*args: Any, **options: Any) -> Any:
        UploadBatch.objects.filter(pk=batch.pk).update(touched_at=timezone.now() + timedelta(seconds=1))
        return reading(*args, **options)

    monkeypatch.setattr(batches, "read_upload", slow)

    assert read(batch).state == S.READING
    assert not Submission.objects.exists()


def test_what_could_not_be_read_in_time_is_given_up(owner):
    batch = opened(owner, good(1))
    UploadBatch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - 2 * batches.GIVE_UP)

    assert read(batch).state == S.FAILED
    assert "split it" in batch.refused[0]["message"]


def test_a_public_batch_is_handed_in(owner):
    batch = read(opened(owner, good(1), visibility=Visibility.PUBLIC, licence="CC0-1.0", note="From the lab."))

    submission = batch.submission
    assert (submission.status, submission.licence, submission.note) == (
        SubmissionStatus.PENDING,
        "CC0-1.0",
        "From the lab.",
    )


def test_a_statement_that_is_not_right_is_refused_before_anything_is_kept(owner, folder):
    with pytest.raises(ImportRefused, match="gpu_count"):
        opened(owner, good(1), stated={"gpu_count": "several"})

    assert not UploadBatch.objects.exists()
    assert kept_uploads(folder) == []


def test_who_is_banned_uploads_nothing(owner, moderator):
    ban(user=owner, by=moderator, reason="Spam.")

    with pytest.raises(Banned, match=r"Spam\."):
        opened(owner, good(1))


def test_who_is_banned_meanwhile_gets_no_draft(owner, moderator):
    batch = opened(owner, good(1))
    ban(user=owner, by=moderator, reason="Spam.")

    assert read(batch).state == S.FAILED
    assert not Submission.objects.exists()


def test_a_batch_counts_once_towards_the_days_uploads(owner, monkeypatch):
    monkeypatch.setitem(quotas.LIMITS, quotas.Quota.UPLOADS, 1)

    assert read(opened(owner, good(1))).state == S.DONE
    with pytest.raises(quotas.OverQuota, match="At most 1 uploads"):
        opened(owner, good(2))


def test_only_a_few_batches_of_one_person_wait_at_a_time(owner):
    for number in range(batches.MAX_WAITING):
        opened(owner, good(number))

    with pytest.raises(SubmissionRefused, match="still being read"):
        opened(owner, good(99))
