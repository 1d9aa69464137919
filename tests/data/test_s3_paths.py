"""What people do, with the files in a bucket that is behind HTTP: nothing relies on a folder of this machine."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from django.conf import settings as site
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from jobs.models import Artifact
from jobs.queries.audit import audit
from jobs.services import artifacts
from jobs.services.results import import_result
from leaderboard import tasks
from leaderboard.models import Dump, RawFile, Submission, UploadBatch
from leaderboard.services import dumps as dump_service
from leaderboard.services.batches import BatchOptions, open_batch
from leaderboard.services.submissions import delete
from runs.models import ProgressEvent
from runs.sealing import newest_sealed_events, seal, sweep
from tests.factories import normal_file, published_result
from tests.jobs.brought import BEGAN, FOLDER, header, packed, samples, succeeded
from tests.jobs.calling import Host
from tests.jobs.factories import AttemptFactory
from tests.leaderboard.browsing import archive, upload
from tests.leaderboard.importers.samples import bundle_entries
from tests.runs.records import ended_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("s3_storage")]


def body(response) -> bytes:
    return b"".join(response) if response.streaming else response.content


def local_files() -> list:
    """What lies in this machine's own folder of files."""
    return [path for path in (site.LEMSITE_HOME / "files").rglob("*") if path.is_file()]


def test_an_upload_is_downloaded_raw_as_a_file_to_save(client, owner, small_catalogue, s3_storage):
    before = local_files()
    client.force_login(owner)

    upload(client, ("result.json", normal_file().content))
    raw = RawFile.objects.get()
    answer = client.get(reverse("leaderboard:raw_file", args=[raw.submission_id, raw.pk]))

    found = body(answer)
    assert hashlib.sha256(found).hexdigest() == raw.sha256
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert s3_storage.exists(raw.storage_name)
    assert local_files() == before


def test_all_files_of_a_submission_come_as_one_zip(client, owner, small_catalogue):
    from tests.leaderboard.api.clients import client_of

    client.force_login(owner)
    members = [("a.json", normal_file().content), ("b.json", normal_file(batch_size=4).content)]
    upload(client, ("many.zip", archive(*members)))
    submission = Submission.objects.get()

    answer = client_of(owner).get(f"/api/submissions/{submission.pk}/raw")

    with zipfile.ZipFile(io.BytesIO(body(answer))) as found:
        assert len(found.namelist()) == 2
        assert b'"batch_size": 4' in b"".join(found.read(name) for name in found.namelist())


def test_a_deleted_submission_takes_its_files_along(
    client, owner, small_catalogue, s3_storage, django_capture_on_commit_callbacks
):
    client.force_login(owner)
    upload(client, ("result.json", normal_file().content))
    raw = RawFile.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        delete(submission=raw.submission, by=owner)

    assert not s3_storage.exists(raw.storage_name)


def test_a_batch_is_read_in_the_background_and_its_upload_goes(
    owner, small_catalogue, s3_storage, django_capture_on_commit_callbacks
):
    members = [(f"{n}/result.json", normal_file(duration_s=128.0 + n / 1000).content) for n in range(3)]
    batch = open_batch(
        owner=owner,
        uploads=[("many.zip", io.BytesIO(archive(*members)))],
        files_total=3,
        options=BatchOptions(provenance="upload"),
    )
    assert s3_storage.listdir(f"batches/{batch.pk}")[1] == ["0"]

    with django_capture_on_commit_callbacks(execute=True):
        tasks.read_batch(str(batch.pk))

    batch = UploadBatch.objects.get()
    assert (batch.state, batch.submission.results.count()) == ("done", 3)
    assert s3_storage.listdir(f"batches/{batch.pk}")[1] == []


def send(host, attempt, name, content, pieces=2):
    """As an agent does: announce, then the pieces, one of them lost on its way and asked for again."""
    told = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    known = host.call("POST", f"/attempts/{attempt.pk}/artifacts", told).json()["id"]
    step = -(-len(content) // pieces)
    for offset in range(0, len(content), step):
        part = content[offset : offset + step]
        answer = host.send("PATCH", f"/artifacts/{known}", part, **{"Upload-Offset": str(offset)})
    assert answer.status_code == 204
    return known


def test_artifacts_that_come_in_pieces_become_a_submission(catalogue, s3_storage):
    job = succeeded(bundle=False, joules=0)
    host = Host(job.attempts.get().agent)
    attempt = AttemptFactory(agent=host.agent, job=job, number=2)
    trace = packed([header(), *samples(143.0, power_w=15_917.0 / 123, begin=BEGAN.timestamp() - 10)])
    for entry in bundle_entries(FOLDER):
        send(host, attempt, entry.path, entry.content)
    send(host, attempt, "telemetry.ndjson.gz", trace, pieces=5)
    job.attempts.filter(number=1).update(verdict="")
    job.attempts.filter(number=2).update(state="done", verdict="accepted", outcome="succeeded")

    import_result(job.pk)

    job.refresh_from_db()
    assert (job.import_problem, job.submission.results.get().host_energy_j) == ("", pytest.approx(15_917.0, rel=1e-3))
    assert s3_storage.listdir("artifacts/pieces") == ([], [])


def test_an_artifact_goes_on_where_it_was_cut(s3_storage):
    host = Host()
    attempt = AttemptFactory(agent=host.agent)
    content = b"0123456789" * 100
    told = {"name": "a.bin", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    known = host.call("POST", f"/attempts/{attempt.pk}/artifacts", told).json()["id"]
    host.send("PATCH", f"/artifacts/{known}", content[:400], **{"Upload-Offset": "0"})

    there = host.call("POST", f"/attempts/{attempt.pk}/artifacts", told).json()["offset"]
    host.send("PATCH", f"/artifacts/{known}", content[there:], **{"Upload-Offset": str(there)})

    assert there == 400
    with artifacts.open_artifact(Artifact.objects.get()) as stream:
        assert stream.read() == content


def test_what_never_came_whole_is_forgotten_with_its_pieces(s3_storage):
    host = Host()
    attempt = AttemptFactory(agent=host.agent)
    told = {"name": "a.bin", "size": 10, "sha256": "0" * 64}
    known = host.call("POST", f"/attempts/{attempt.pk}/artifacts", told).json()["id"]
    host.send("PATCH", f"/artifacts/{known}", b"01234", **{"Upload-Offset": "0"})

    assert artifacts.drop_stale(before=timezone.now() + timedelta(hours=1)) == 1

    assert s3_storage.listdir(f"artifacts/pieces/{known}")[1] == []


def test_the_deep_audit_reads_a_bucket(s3_storage):
    host = Host()
    attempt = AttemptFactory(agent=host.agent)
    send(host, attempt, "a.bin", b"content of a file")
    s3_storage.save(f"artifacts/00/{'0' * 64}", ContentFile(b"of nobody"))

    broken = {rule.code: rule.broken for rule in audit(deep=True) if not rule.holds}

    assert "I10b" not in broken
    assert broken["I10c"] == [f"the storage has {'0' * 12}…, which is of no attempt"]


def test_a_sealed_run_is_shown_replayed_and_downloaded(client, s3_storage):
    run = ended_run(60)
    sent = list(ProgressEvent.objects.order_by("seq").values_list("body", flat=True))

    assert seal(run)
    run.refresh_from_db()
    sweep(run)

    assert not ProgressEvent.objects.exists()
    assert client.get("/runs/race/").status_code == client.get("/runs/race/replay/").status_code == 200
    assert len(client.get("/runs/race/series.json").json()["lanes"]) == 2
    assert [text for _, text in newest_sealed_events(run, 60)] == sent
    answer = client.get("/runs/race/events.parquet")
    assert pq.read_table(io.BytesIO(body(answer)))["body"].to_pylist() == sent
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in answer["Content-Disposition"]


def test_a_run_that_is_sealed_again_leaves_one_pair_of_files(s3_storage):
    from tests.runs.records import add_events, event_body

    run = ended_run(5)
    seal(run)
    add_events(run, [event_body(number) for number in range(5, 9)])
    run.refresh_from_db()

    seal(run)
    run.refresh_from_db()
    sweep(run)

    assert len(s3_storage.listdir(f"runs/{run.pk}")[1]) == 2
    assert [len(newest_sealed_events(run, 60)), ProgressEvent.objects.count()] == [9, 0]


def test_the_nightly_dump_is_downloaded_whole_and_in_parts(client, small_catalogue, s3_storage):
    published_result()
    dump = dump_service.make_dump()

    whole = body(client.get(f"/data/{dump.version}.parquet"))
    part = client.get(f"/data/{dump.version}.parquet", headers={"Range": "bytes=4-11"})

    assert hashlib.sha256(whole).hexdigest() == dump.sha256
    assert (part.status_code, body(part)) == (206, whole[4:12])
    assert client.get(f"/data/{dump.version}.md").status_code == 200
    assert client.get(f"/data/{dump.version}.schema.json").json()["title"]


def test_a_dump_that_goes_takes_its_files_along(small_catalogue, s3_storage):
    published_result()
    for _ in range(2):
        dump_service.make_dump()

    dump_service.prune_dumps(timezone.now(), keep=1)

    assert Dump.objects.count() == 1
    assert len(s3_storage.listdir("dumps")[1]) == 3
