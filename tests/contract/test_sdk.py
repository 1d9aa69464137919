"""The client against the real site: what it sends is taken, and what is answered is understood."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from gpuagent.client import BadRequest, Conflict, Forbidden, Gone, NotFound, Refused, Unauthorized
from gpuagent.client.live_shapes import LiveEvent, LiveRun, LiveScore
from gpuagent.client.models import Batch
from jobs.models import Job, JobState
from leaderboard.models import UploadBatch
from leaderboard.services import dumps
from runs.wire import EvalScore, ProgressEvent, RunBody
from tests import factories
from tests.client.sites import async_client, client
from tests.jobs.factories import AttemptFactory, GpuFactory, write_log
from tests.runs.factories import EvalScoreFactory, race

pytestmark = pytest.mark.django_db
CONFIG = {"model": "org/model-8b", "engine": "vllm", "precision": "bf16", "batch_sizes": [1, 8]}
JSON = factories.normal_file().content


@pytest.fixture
def result(small_catalogue):
    return factories.published_result(ttft_ms_p90=210.0)


def test_the_leaderboard_is_listed_filtered_and_paged(small_catalogue):
    made = [factories.published_result(tokens_per_joule=float(n), ttft_ms_p90=100.0 * n) for n in range(1, 6)]

    with client() as site:
        ranked = list(site.benchmarks.list(sort="-tokens_per_joule", ttft_ms_p90_max=450))
        paged = list(site.benchmarks.list(sort="-tokens_per_joule", view="all", limit=3))
        rows = list(site.benchmarks.rows(columns=["tokens_per_joule"], hardware=[made[0].hardware.slug], gpu_count=1))

    assert [one.tokens_per_joule for one in ranked] == [4, 3, 2, 1]
    assert [one.tokens_per_joule for one in paged] == [5, 4, 3]
    assert [row["tokens_per_joule"] for row in rows] == [1]
    assert "throughput_tokens_per_s" not in rows[0]


def test_pages_follow_each_other(small_catalogue, monkeypatch):
    monkeypatch.setattr("leaderboard.board.DEFAULT_LIMIT", 2)
    for _ in range(3):
        factories.LanguageModelFactory()

    with client() as site:
        page = site.models.list()
        assert len({one.name for one in page}) == 4


async def test_asyncio_programs_get_the_same(result):
    into = io.BytesIO()

    async with async_client() as site:
        listed = [one async for one in site.benchmarks.list(ttft_ms_p90_max=500)]
        one = await site.benchmarks.get(result.pk)
        saved = await site.benchmarks.export(into, file_format="json")
        with pytest.raises(Unauthorized):
            await site.users.me()

    assert [each.id for each in listed] == [result.pk] == [one.id]
    assert json.loads(into.getvalue())["rows"] == 1
    assert saved.sha256 == hashlib.sha256(into.getvalue()).hexdigest()


def test_one_result_is_read_for_the_readers_grid(result):
    with client() as site:
        plain, green = site.benchmarks.get(result.pk), site.benchmarks.get(result.pk, co2_g_per_kwh=100.0)

    assert plain.co2_g_per_million_tokens is None
    assert green.co2_g_per_million_tokens


@pytest.mark.parametrize(("kind", "begin"), [("csv", b"id,"), ("json", b"{"), ("parquet", b"PAR1")])
def test_the_leaderboard_is_saved_as_a_file(result, tmp_path, kind, begin):
    with client() as site:
        saved = site.benchmarks.export(tmp_path / "board", file_format=kind)

    assert saved.path.read_bytes().startswith(begin)
    assert saved.size_bytes == saved.path.stat().st_size


def test_a_mistyped_filter_is_answered_with_what_would_be_right(result):
    with client() as site, pytest.raises(BadRequest, match="perhaps ttft_ms_p90_max"):
        list(site.benchmarks.list(ttft_p90_max=5))  # type: ignore[call-arg]


def test_an_upload_is_previewed_stored_changed_and_deleted(small_catalogue, owner, stranger, stored_files, tmp_path):
    file = tmp_path / "result.json"
    file.write_bytes(JSON)
    with client(owner) as site:
        preview = site.benchmarks.preview(file, stated={"dataset": "sharegpt"})
        assert (preview.status, preview.results[0].dataset) == ("pending", "sharegpt")
        assert list(site.submissions.list()) == []

        done = site.benchmarks.upload(file, visibility="draft", note="mine", licence="CC0-1.0")
        submission = done.submission
        assert (submission.status, submission.note, submission.licence) == ("draft", "mine", "CC0-1.0")

        row = submission.results[0]
        assert site.benchmarks.update(str(row.id), stated={"dataset": "alpaca"}).dataset == "alpaca"
        assert site.submissions.update(submission.id, visibility="private").visibility == "private"
        assert site.submissions.share(submission.id, stranger.username).shared_with == [stranger.username]
        assert site.submissions.shares(submission.id).shared_with == [stranger.username]
        site.submissions.unshare(submission.id, stranger.username)
        assert site.submissions.shares(submission.id).shared_with == []
        replaced = site.submissions.replace_files(submission.id, {**factories.NORMAL, "runs": 2}, reason="again")
        assert replaced.version == 2

        raw = site.benchmarks.raw(str(replaced.results[0].id), tmp_path / "raw.json")
        assert raw.sha256 == replaced.files[0].sha256
        site.submissions.raw(submission.id, tmp_path / "raw.zip")
        with zipfile.ZipFile(tmp_path / "raw.zip") as archive:
            assert archive.namelist() == [replaced.files[0].name]
        assert [event.action for event in site.submissions.history(submission.id).results][-1] == "replace"

        assert [one.id for one in site.submissions.list()] == [submission.id]
        site.submissions.delete(submission.id, reason="done")
        with pytest.raises(NotFound):
            site.submissions.get(submission.id)


def test_what_was_handed_in_is_a_repeat_the_second_time(small_catalogue, owner, stored_files):
    with client(owner) as site:
        site.benchmarks.submit(JSON)
        with pytest.raises(Refused, match="already here") as refused:
            site.benchmarks.submit(JSON)

    assert refused.value.findings[0]["code"] == "DUP1"


def test_a_folder_is_one_submission(small_catalogue, owner, stored_files, tmp_path):
    for batch in (8, 16):
        path = tmp_path / "study" / f"batch-{batch}" / "result.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(factories.normal_file(batch_size=batch).content)

    with client(owner) as site:
        done = site.benchmarks.upload(tmp_path / "study", visibility="draft")

    assert {one.batch_size for one in done.submission.results} == {8, 16}


def test_many_files_become_a_batch(small_catalogue, owner, stored_files, monkeypatch):
    def read(seconds: float) -> None:
        UploadBatch.objects.update(state="failed", refused=[{"file": "a.json", "message": "not JSON"}])

    monkeypatch.setattr("gpuagent.client.transport.time.sleep", read)
    seen: list[Batch] = []

    with client(owner) as site:
        done = site.benchmarks.upload(dict(factories.NORMAL), background=True, on_progress=seen.append)

    assert (done.submission, [one.file for one in done.refused]) == (None, ["a.json"])
    assert [batch.state for batch in seen] == ["waiting", "failed"]


@pytest.fixture
def owners_client(owner):
    """Made before there is an event loop, in which no token could be stored."""
    return async_client(owner)


async def test_asyncio_programs_upload_too(small_catalogue, owners_client, stored_files, tmp_path):
    (tmp_path / "result.json").write_bytes(JSON)

    async with owners_client as site:
        done = await site.benchmarks.upload(tmp_path / "result.json", visibility="draft")
        await site.benchmarks.delete(str(done.submission.results[0].id))
        with pytest.raises((Gone, NotFound)):
            await site.benchmarks.get(str(done.submission.results[0].id))


def test_results_are_compared_and_the_comparison_is_kept(result, owner):
    other = factories.published_result()
    with client(owner) as site:
        told = site.compare.get(result=[result.pk, other.pk], metric=["tokens_per_joule"])
        saved = site.compare.save("two", results=[result.pk, other.pk])

    assert [one.id for one in told.results] == [result.pk, other.pk]
    assert saved.name == "two"


def test_a_question_is_answered(result):
    with client() as site:
        told = site.analysis.ask(goal="tokens_per_joule", ttft_ms_p90_max=500)

    assert told.answer.id == result.pk


def test_the_catalogue_is_read(result, tmp_path):
    with client() as site:
        assert site.models.get(result.model.name).results == 1
        assert {one.slug for one in site.hardware.list()} >= {result.hardware.slug}
        assert site.hardware.get(result.hardware.slug).usd_per_gpu_hour == 2.0
        assert "benchmarks" in json.dumps(site.root())


def test_a_dump_arrives_with_the_digest_that_was_told(result, tmp_path):
    dumps.make_dump()
    with client() as site:
        (dump,) = site.dumps.list()
        saved = site.dumps.download(dump, tmp_path / "dump.parquet")
        site.dumps.download(dump, tmp_path / "card", kind="card")

    assert saved.sha256 == dump.sha256
    assert (tmp_path / "card").stat().st_size > 0


def test_jobs_are_estimated_ordered_followed_and_cancelled(small_catalogue, owner, tmp_path):
    GpuFactory(memory_mib=80_000)
    with client(owner, "jobs") as site:
        assert site.jobs.estimate(CONFIG).configurations == 2
        ordered = site.jobs.order(CONFIG)
        assert (ordered.state, ordered.position) == ("queued", 1)
        assert [job.id for job in site.jobs.list(owner=owner.username, state="queued")] == [ordered.id]
        with pytest.raises(NotFound, match="no log yet"):
            site.jobs.log(ordered.id, io.BytesIO())
        assert site.jobs.cancel(ordered.id, reason="no more").state == "cancelled"
        assert site.jobs.wait(ordered.id).reason is not None
        with pytest.raises(Conflict):
            site.jobs.cancel(ordered.id)
        with pytest.raises(Refused, match="no such field"):
            site.jobs.order({**CONFIG, "trust_remote_code": True})
        with pytest.raises(Refused):
            site.jobs.order_race({"label": "x"})


def test_a_jobs_log_is_saved_and_followed(db, tmp_path):
    attempt = write_log(AttemptFactory(), b"one\n", b"two\n")
    estimate = dict.fromkeys(("minutes", "energy_kwh", "usd", "co2_g")) | {"basis": "a guess"}
    Job.objects.update(state=JobState.SUCCEEDED, estimate=estimate)
    with client() as site:
        saved = site.jobs.log(attempt.job_id, tmp_path / "log")
        rest = site.jobs.log(attempt.job_id, tmp_path / "rest", after=4)
        followed = "".join(site.jobs.follow_log(attempt.job_id, attempt=attempt.number))

    assert saved.path.read_text() == followed == "one\ntwo\n"
    assert rest.path.read_text() == "two\n"


def test_live_runs_are_read(db):
    run = race(seconds=3, label="nightly")
    EvalScoreFactory(run=run)
    with client() as site:
        (listed,) = site.runs.list()
        told = site.runs.get(run.key)
        events = site.runs.events(run.key, after=3, limit=2)

    assert (listed.id, listed.label, listed.gpus[0].vram_gb) == (run.key, "nightly", 80)
    assert told.scores[0].composite == 0.8
    assert len(events) == 2
    assert events[0].power_w


def test_what_is_read_of_a_run_is_what_the_site_serves():
    for shape, served in ((LiveRun, RunBody), (LiveEvent, ProgressEvent), (LiveScore, EvalScore)):
        names = {field.alias or name for name, field in shape.model_fields.items()}
        names = {"tokenPerSec" if name == "tokens_per_s" else name for name in names}
        assert names - {"status", "note", "stream_id"} == set(served.model_fields) - {"eventId"}


def test_results_are_talked_about(result, owner, stranger):
    with client(stranger) as site:
        comment = site.comments.create(result.pk, "Which driver?")
        assert site.comments.update(comment.id, "Which driver version?").text == "Which driver version?"
        assert [one.id for one in site.comments.list(result.pk)] == [comment.id]
        dispute = site.disputes.create(result.pk, "The power is that of the idle GPU.", evidence_url="https://x.org/a")
        assert [one.id for one in site.disputes.list(result.pk)] == [dispute.id]
        site.comments.delete(comment.id)


def test_people_and_what_they_are_told(result, owner):
    with client(owner, "read") as site:
        assert site.users.me().name == owner.username
        assert site.users.get(owner.username).name == owner.username
        assert list(site.users.submissions(owner.username)) == []
        assert list(site.notifications.list(unread=True)) == []
        assert site.notifications.mark_read(upto=3).marked == 0
        with pytest.raises(Forbidden):
            site.benchmarks.submit(Path(__file__))
