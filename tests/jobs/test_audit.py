"""Each invariant holds of what is right, and names what breaks it."""

import hashlib
import shutil
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from jobs.models import Artifact, Attempt, AttemptEvent, GpuHold, LogChunk
from jobs.queries.audit import audit
from jobs.services.tickets import issue_ticket
from tests.jobs.factories import (
    AgentFactory,
    AttemptFactory,
    GpuFactory,
    JobEventFactory,
    JobFactory,
    write_log,
    write_telemetry,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    """What other tests left in the storage is of no attempt here."""
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "artifacts", ignore_errors=True)


def broken():
    return {invariant.code for invariant in audit(deep=True) if not invariant.holds}


@pytest.fixture
def queued():
    job = JobFactory()
    issue_ticket(job)
    return job


@pytest.fixture
def running():
    """A running attempt on one GPU, with a log, events and telemetry."""
    gpu = GpuFactory()
    job = JobFactory(state="running", started_at=timezone.now())
    issue_ticket(job)
    attempt = AttemptFactory(job=job, agent=gpu.agent, gpu_uuids=[gpu.uuid])
    GpuHold.objects.create(gpu=gpu, attempt=attempt)
    write_log(attempt, b"first\n", b"second\n")
    write_telemetry(attempt, seconds=3)
    AttemptEvent.objects.create(attempt=attempt, seq=1, t_s=0.5, type="step")
    Attempt.objects.filter(pk=attempt.pk).update(next_event=2)
    return attempt


@pytest.fixture
def finished():
    """A job that succeeded, with its log and one file."""
    job = JobFactory(state="succeeded")
    log, content = b"all of it\n", b'{"energy_j": 1}'
    report = {
        "log": {"size": len(log), "sha256": hashlib.sha256(log).hexdigest()},
        "events": {"last_seq": 0},
        "artifacts": [{"name": "out/x.json"}],
    }
    attempt = AttemptFactory(
        job=job, state="done", outcome="succeeded", verdict="accepted", ended_at=timezone.now(), finish=report
    )
    write_log(attempt, log)
    artifact = Artifact.objects.create(
        attempt=attempt,
        name="out/x.json",
        size_bytes=len(content),
        received_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        completed_at=timezone.now(),
    )
    default_storage.save(artifact.storage_name, ContentFile(content))
    yield attempt
    default_storage.delete(artifact.storage_name)


def change(row, **changes):
    type(row).objects.filter(pk=row.pk).update(**changes)


def test_what_is_right_breaks_nothing(queued, running, finished):
    JobFactory(state="held")
    JobFactory(state="cancelled")

    assert broken() == set()


def test_a_queued_job_without_a_ticket_is_found(queued):
    OrmQ.objects.all().delete()

    assert broken() == {"I1"}


def test_a_ticket_of_no_job_is_found(queued):
    change(queued, ticket_id=None, state="cancelled")

    assert broken() == {"I1b"}


def test_a_running_job_without_an_attempt_is_found(running):
    change(running, state="lost", lost_at=timezone.now())

    assert broken() == {"I1", "I9"}


def test_a_success_without_a_report_is_found():
    JobFactory(state="succeeded")

    assert broken() == {"I2"}


def test_a_report_that_counts_for_an_open_job_is_found(queued):
    AttemptFactory(job=queued, state="done", outcome="failed", verdict="accepted")

    assert broken() == {"I2"}


def test_an_attempt_that_was_never_accepted_is_found(running):
    change(running, accepted_at=None)

    assert broken() == {"I3"}


def test_a_missing_attempt_is_found(running):
    change(running, number=3)

    assert broken() == {"I5"}


def test_a_hole_in_a_log_is_found(running):
    LogChunk.objects.filter(start=6).update(start=7)

    assert broken() == {"I6"}


def test_lost_bytes_at_the_end_of_a_log_are_found(running):
    LogChunk.objects.filter(start=6).delete()

    assert broken() == {"I6"}


def test_a_log_that_is_not_the_hosts_is_found(finished):
    LogChunk.objects.update(content=b"All of it\n")

    assert broken() == {"I6b"}


@pytest.mark.parametrize("field", ["next_event", "next_telemetry"])
def test_a_hole_in_what_came_in_is_found(running, field):
    change(running, **{field: 9})

    assert broken() == {"I7"}


def test_what_the_host_reported_and_is_not_here_is_found(finished):
    change(finished, finish=finished.finish | {"telemetry": {"last_seq": 5}})

    assert broken() == {"I7"}


def test_a_job_that_was_reopened_is_found(queued):
    JobEventFactory(job=queued, from_state="failed", to_state="queued", event="reopened")

    assert broken() == {"I8"}


def test_a_state_without_its_line_in_the_history_is_found(queued):
    JobEventFactory(job=queued, from_state="queued", to_state="running", event="accepted")

    assert broken() == {"I8"}


def test_a_gpu_that_is_held_after_the_end_is_found(finished):
    GpuHold.objects.create(gpu=GpuFactory(), attempt=finished)

    assert broken() == {"I9"}


def test_an_attempt_without_its_gpu_is_found(running):
    GpuHold.objects.all().delete()

    assert broken() == {"I9"}


def test_two_attempts_on_one_gpu_at_a_time_are_found():
    agent, now = AgentFactory(), timezone.now()
    times = {"accepted_at": now - timedelta(minutes=2), "ended_at": now}
    for _ in range(2):
        job = JobFactory(state="failed")
        AttemptFactory(job=job, agent=agent, state="done", outcome="failed", gpu_uuids=["GPU-1"], **times)

    assert broken() == {"I9b"}


def test_a_file_that_did_not_come_is_found(finished):
    Artifact.objects.update(completed_at=None)

    assert broken() == {"I10"}


def test_a_file_that_is_gone_is_found(finished):
    default_storage.delete(Artifact.objects.get().storage_name)

    assert broken() == {"I10b"}


def test_a_file_that_changed_is_found(finished):
    name = Artifact.objects.get().storage_name
    default_storage.delete(name)
    default_storage.save(name, ContentFile(b"something else"))

    assert broken() == {"I10b"}


def test_a_file_of_nobody_is_found(finished):
    Artifact.objects.all().delete()
    change(finished, finish={"log": finished.finish["log"]})

    assert broken() == {"I10c"}


def test_the_command_fails_when_something_is_broken(queued, capsys):
    call_command("audit")
    OrmQ.objects.all().delete()

    with pytest.raises(CommandError, match="I1"):
        call_command("audit", "--quick")

    assert f"job {queued.pk} is queued with no ticket" in capsys.readouterr().out


def test_everyone_may_read_whether_all_holds(client, queued):
    assert b"Everything holds" in client.get("/status/").content


def test_what_is_broken_is_said_openly(client, queued):
    OrmQ.objects.all().delete()

    page = client.get("/status/").content.decode()

    assert "Something is wrong" in page
    assert f"job {queued.pk} is queued with no ticket" in page


def test_readers_share_one_check(client, queued, django_assert_num_queries):
    client.get("/status/")

    with django_assert_num_queries(0):
        client.get("/status/")
