"""The pages of jobs, as people and htmx get them."""

import pytest
from django.utils import timezone

from jobs.models import AttemptState, Job, JobState
from tests.factories import ResultFactory, SubmissionFactory, published_result
from tests.jobs.factories import (
    AgentFactory,
    AttemptFactory,
    GpuFactory,
    JobEventFactory,
    JobFactory,
    ago,
    write_log,
    write_telemetry,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def body(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def running(owner):
    """A job that runs on the host `lab`."""
    agent = AgentFactory(name="lab")
    GpuFactory(agent=agent)
    job = JobFactory(owner=owner, title="Eight at once", state=JobState.RUNNING, started_at=ago(60), attempts_used=1)
    return AttemptFactory(job=job, agent=agent, step="measure", step_index=3, step_count=6)


def test_the_queue_shows_what_runs_then_what_waits_in_its_order(client, running):
    JobFactory(title="Later")
    JobFactory(title="Sooner", priority=5)
    JobFactory(title="Kept back", state=JobState.HELD)

    text = body(client.get("/jobs/"))

    places = [text.index(f">{title}<") for title in ("Eight at once", "Sooner", "Later", "Kept back")]
    assert places == sorted(places)
    assert "2 jobs wait, 1 runs; 1 of 1 host is connected" in text
    assert "step 3 of 6: measure" in text


def test_a_job_that_waits_says_what_it_waits_for(client):
    GpuFactory(agent=AgentFactory(name="lab"))
    JobFactory(title="Possible")
    JobFactory(title="Too big", gpu_count=8)

    text = body(client.get("/jobs/"))

    assert "1 host fits; may start at once" in text
    assert "no host that fits is there now" in text


def test_an_empty_site_says_so(client):
    text = body(client.get("/jobs/"))

    assert "No GPU host is connected" in text
    assert "Nothing waits and nothing runs." in text
    assert "No job has been ordered yet." in text


def test_htmx_gets_the_queue_alone(client, running):
    answer = client.get("/jobs/", headers=HTMX)

    assert body(answer).startswith('<div id="queue"')
    assert "All jobs" not in body(answer)
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=llama", {"Llama"}),
        ("state=failed", {"Qwen"}),
        ("state=open", {"Llama", "Faked"}),
        ("owner=owner", {"Llama"}),
        ("measured=on", {"Llama", "Qwen"}),
        ("host=attic", {"Qwen"}),
        ("q=%00", {"Llama", "Qwen", "Faked"}),
        ("state=nonsense&before=x", {"Llama", "Qwen", "Faked"}),
    ],
)
def test_the_history_is_filtered(client, owner, query, shown):
    JobFactory(title="Llama", owner=owner)
    AttemptFactory(job=JobFactory(title="Qwen", state=JobState.FAILED), agent=AgentFactory(name="attic"))
    JobFactory(title="Faked", is_simulated=True)

    answer = client.get(f"/jobs/?{query}")

    assert {row.link.label for row in answer.context["history"].rows} == shown


def test_the_history_has_pages(client, monkeypatch):
    monkeypatch.setattr("jobs.queries.jobs.PAGE_SIZE", 2)
    jobs = [JobFactory(state=JobState.CANCELLED) for _ in range(3)]

    first = client.get("/jobs/").context["history"]
    second = client.get(first.next_url).context["history"]

    assert [row.number for row in second.rows] == [str(jobs[0].pk)]
    assert (first.first_url, second.next_url) == ("", "")


def test_the_list_asks_as_often_for_many_jobs_as_for_few(client, owner, django_assert_max_num_queries):
    for _ in range(12):
        agent = AgentFactory()
        GpuFactory(agent=agent)
        AttemptFactory(job=JobFactory(state=JobState.RUNNING, owner=owner), agent=agent)
        JobFactory()

    with django_assert_max_num_queries(16):
        client.get("/jobs/")


def test_one_links_the_result_that_one_may_see(client, owner):
    result = published_result()
    JobFactory(state=JobState.SUCCEEDED, submission=result.submission)
    JobFactory(state=JobState.SUCCEEDED, submission=ResultFactory(submission=SubmissionFactory(owner=owner)).submission)

    rows = client.get("/jobs/").context["history"].rows

    assert [row.result.url for row in rows] == ["", f"/results/{result.pk}/"]


def test_a_jobs_page_shows_where_it_stands_and_what_it_did(client, running):
    write_log(running, b"\x1b[32mINFO\x1b[0m <b>loading</b>\n")
    write_telemetry(running, seconds=5)
    JobEventFactory(job=running.job)

    text = body(client.get(f"/jobs/{running.job_id}/"))

    assert "<b>Running</b>" in text
    assert "Step 3 of 6: measure" in text
    assert "INFO &lt;b&gt;loading&lt;/b&gt;" in text
    assert text.count('data-chart="') == 4
    assert "<b>Ordered</b>" in text


def test_a_simulated_job_says_so_on_every_page(client):
    job = JobFactory(is_simulated=True)

    assert "This job is simulated" in body(client.get(f"/jobs/{job.pk}/"))
    assert "simulated</span>" in body(client.get("/jobs/"))


def test_a_missing_job_is_not_found(client):
    assert client.get("/jobs/4711/").status_code == 404
    assert client.get("/jobs/4711/status/").status_code == 404


def test_an_earlier_attempt_can_be_looked_at(client, running):
    lost = running.job.attempts.create(
        number=2, agent=running.agent, claim_id="x", state=AttemptState.LOST, offered_at=ago(9), offer_until=ago(8)
    )

    assert client.get(f"/jobs/{running.job_id}/?attempt=1").context["page"].record.number == 1
    assert client.get(f"/jobs/{running.job_id}/?attempt={lost.number}").status_code == 404


def test_the_status_asks_for_itself_until_the_job_is_over(client, running):
    going_on = client.get(f"/jobs/{running.job_id}/status/", headers=HTMX)
    Job.objects.update(state=JobState.FAILED, ended_at=timezone.now(), reason="No CUDA.")
    over = client.get(f"/jobs/{running.job_id}/status/", headers=HTMX)

    assert (going_on.status_code, over.status_code) == (200, 286)
    assert "every 2s" in body(going_on)
    assert "every 2s" not in body(over)
    assert "No CUDA." in body(over)


def test_the_status_brings_the_rest_only_where_something_happened(client, running):
    page = client.get(f"/jobs/{running.job_id}/").context["page"]
    path, at = f"/jobs/{running.job_id}/status/", page.status.version

    same = body(client.get(path, {"at": at, "attempt": 1}))
    other = body(client.get(path, {"at": "older", "attempt": 0}))

    assert "hx-swap-oob" not in same
    assert all(f'id="{part}"' in other for part in ("job-actions", "job-steps", "job-lists", "job-record"))


def test_who_looks_at_an_earlier_attempt_keeps_it(client, running):
    Job.objects.update(state=JobState.QUEUED)
    running.job.attempts.update(state=AttemptState.LOST)
    AttemptFactory(job=running.job, agent=AgentFactory())

    answer = body(client.get(f"/jobs/{running.job_id}/status/", {"at": "x", "attempt": 1, "pinned": 1}))

    assert "job-record" not in answer


def test_a_job_waits_for_its_result(client):
    job = JobFactory(state=JobState.SUCCEEDED, ended_at=ago(3))

    waits = client.get(f"/jobs/{job.pk}/status/")
    Job.objects.update(import_problem="The bundle has no result.json.")
    over = client.get(f"/jobs/{job.pk}/status/")

    assert (waits.status_code, over.status_code) == (200, 286)
    assert "being read into a result" in body(waits)
    assert "No result was made of it: The bundle has no result.json." in body(over)


def test_a_log_is_read_in_stretches(client, running):
    write_log(running, b"0123", b"456789")
    path = f"/jobs/{running.job_id}/attempts/1/log.txt"

    answer = client.get(path, {"after": 2})

    assert answer.content == b"23456789"
    assert (answer["X-Log-Next"], answer["X-Log-Over"]) == ("10", "0")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_log_says_when_it_is_whole(client, running):
    write_log(running, b"end\n")
    running.job.attempts.update(state=AttemptState.DONE)

    assert client.get(f"/jobs/{running.job_id}/attempts/1/log.txt?after=4")["X-Log-Over"] == "1"


def test_a_lost_attempt_is_followed_until_its_job_goes_on_without_it(client, running):
    running.job.attempts.update(state=AttemptState.LOST)
    path = f"/jobs/{running.job_id}/attempts/1/series.json"

    may_come_back = client.get(path).json()["over"]
    AttemptFactory(job=running.job, agent=running.agent)

    assert (may_come_back, client.get(path).json()["over"]) == (False, True)


def test_a_log_is_downloaded_whole(client, running):
    write_log(running, b"0123", b"456789")

    answer = client.get(f"/jobs/{running.job_id}/attempts/1/log.txt")

    assert b"".join(answer.streaming_content) == b"0123456789"
    assert answer["Content-Disposition"] == f'attachment; filename="job-{running.job_id}-attempt-1.log"'


@pytest.mark.parametrize("number", [0, 2, 99999999])
@pytest.mark.parametrize("name", ["log.txt", "series.json"])
def test_an_attempt_that_is_not_there_has_no_record(client, running, name, number):
    assert client.get(f"/jobs/{running.job_id}/attempts/{number}/{name}").status_code == 404


def test_series_go_on_from_a_sample(client, running):
    write_telemetry(running, seconds=4)
    write_telemetry(running, seconds=1, start=4)

    whole = client.get(f"/jobs/{running.job_id}/attempts/1/series.json").json()
    rest = client.get(f"/jobs/{running.job_id}/attempts/1/series.json?after=5").json()

    assert (whole["next"], whole["over"], len(whole["x"])) == (6, False, 5)
    assert rest["x"] == [4]


def test_the_owner_cancels_and_reads_what_follows(client, owner, running):
    client.force_login(owner)

    page = client.post(f"/jobs/{running.job_id}/cancel/", follow=True)

    assert Job.objects.get().cancel_requested_at is not None
    assert "<b>Cancelling</b>" in body(page)
    assert "Cancel this job" not in body(page)


def test_a_job_that_waits_is_cancelled_at_once(client, owner):
    job = JobFactory(owner=owner)
    client.force_login(owner)

    client.post(f"/jobs/{job.pk}/cancel/")

    assert Job.objects.get().state == JobState.CANCELLED


def test_a_job_that_is_over_cannot_be_cancelled(client, owner):
    job = JobFactory(owner=owner, state=JobState.FAILED, ended_at=ago(5))
    client.force_login(owner)

    answer = client.post(f"/jobs/{job.pk}/cancel/")

    assert answer.status_code == 422
    assert "It is over: failed." in body(answer)


def test_a_stranger_cancels_nothing(client, stranger, running):
    client.force_login(stranger)

    assert client.post(f"/jobs/{running.job_id}/cancel/").status_code == 404
    assert "Cancel this job" not in body(client.get(f"/jobs/{running.job_id}/"))
    assert Job.objects.get().cancel_requested_at is None


def test_whoever_is_not_signed_in_is_led_to_the_door(client, running):
    assert "/accounts/login/" in client.post(f"/jobs/{running.job_id}/cancel/")["Location"]


def test_a_moderator_holds_releases_and_moves_a_job(client, moderator):
    job = JobFactory()
    client.force_login(moderator)

    client.post(f"/jobs/{job.pk}/hold/", {"reason": "Is this meant?"})
    held = client.get(f"/jobs/{job.pk}/")
    client.post(f"/jobs/{job.pk}/priority/", {"priority": "7"})
    client.post(f"/jobs/{job.pk}/release/")
    job.refresh_from_db()

    assert "Is this meant?" in body(held)
    assert (job.state, job.priority) == (JobState.QUEUED, 7)


@pytest.mark.parametrize("step", ["hold", "release", "priority"])
def test_only_moderators_decide_about_the_queue(client, owner, step):
    job = JobFactory(owner=owner)
    client.force_login(owner)

    assert client.post(f"/jobs/{job.pk}/{step}/", {"priority": 3}).status_code == 404
    assert f"/{step}/" not in body(client.get(f"/jobs/{job.pk}/"))


@pytest.mark.parametrize("priority", ["", "x", "101", "1.5"])
def test_a_priority_is_a_small_whole_number(client, moderator, priority):
    job = JobFactory()
    client.force_login(moderator)

    answer = client.post(f"/jobs/{job.pk}/priority/", {"priority": priority})

    assert answer.status_code == 422
    assert "from -100 to 100" in body(answer)


@pytest.mark.parametrize("step", ["cancel", "hold", "release", "priority"])
def test_steps_are_posted(client, moderator, step):
    job = JobFactory()
    client.force_login(moderator)

    assert client.get(f"/jobs/{job.pk}/{step}/").status_code == 405


def test_the_energy_that_the_host_measured_stands_beside_its_attempt(client, running):
    running.job.attempts.update(
        state=AttemptState.DONE,
        outcome="succeeded",
        verdict="accepted",
        finish={"energy": [{"uuid": "GPU-3f2a91c0-1", "counter_j": 345.1, "integral_j": 347.9}, "odd", {}]},
    )

    assert "3f2a91c0: 345.1 J by its counter, 347.9 J by power over time" in body(
        client.get(f"/jobs/{running.job_id}/")
    )
