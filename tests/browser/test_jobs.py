"""Pages of jobs and GPU hosts in Chromium: what moves by itself, the log, the charts, phones, and no scripts."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import expect

from jobs.models import AttemptEvent, AttemptState, Gpu, GpuHold, Job, JobState
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

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


@pytest.fixture
def running(transactional_db, owner):
    """A job of two GPUs that runs on the host `lab`, with a log, steps and samples."""
    agent = AgentFactory(name="lab", owner=owner, host={"agent_version": "1.4.0", "driver": "575.57.08"})
    job = JobFactory(owner=owner, title="Eight at once", state=JobState.RUNNING, started_at=ago(60), attempts_used=1)
    attempt = AttemptFactory(job=job, agent=agent, step="measure", step_index=3, step_count=6)
    for _ in range(2):
        GpuHold.objects.create(gpu=GpuFactory(agent=agent), attempt=attempt)
    for seq, state in enumerate(("start", "done"), 1):
        AttemptEvent.objects.create(attempt=attempt, seq=seq, t_s=seq, type="step", data={"id": "load", "state": state})
    JobEventFactory(job=job, actor=owner)
    JobEventFactory(job=job, event="accepted", from_state="offered", to_state="running", attempt=attempt)
    return attempt


def open_job(page, attempt):
    page.goto(f"/jobs/{attempt.job_id}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Eight at once")


def log_lines(page):
    return page.locator("[data-log-lines]")


def finish(attempt, state=JobState.FAILED, **fields):
    now = timezone.now()
    Job.objects.filter(pk=attempt.job_id).update(state=state, ended_at=now, **fields)
    attempt.state, attempt.outcome, attempt.verdict, attempt.ended_at = AttemptState.DONE, str(state), "accepted", now
    attempt.save()


def test_the_log_follows_in_its_colours(page, running):
    write_log(running, b"".join(b"\x1b[32mINFO\x1b[0m line %d\n" % number for number in range(200)))
    open_job(page, running)
    expect(log_lines(page)).to_contain_text("INFO line 199")

    write_log(running, b"\x1b[1;31mERROR\x1b[0m the la", b"st line\n")

    expect(log_lines(page)).to_contain_text("ERROR the last line")
    expect(page.locator(".ansi-red.ansi-bold")).to_have_text("ERROR")
    at_end = "element => element.scrollTop + element.clientHeight >= element.scrollHeight - 4"
    assert log_lines(page).evaluate(at_end)


def test_hostile_lines_are_text(page, running):
    line = b"<img src=x onerror=window.hurt=1></pre><script>window.hurt=1</script> \x1b]0;t\x07\x1b[2J\x00end\n"
    write_log(running, line)

    open_job(page, running)

    expect(log_lines(page).locator(".line")).to_have_text(
        "<img src=x onerror=window.hurt=1></pre><script>window.hurt=1</script> end\n", use_inner_text=False
    )
    assert page.evaluate("window.hurt") is None


def test_a_bar_that_draws_over_itself_shows_what_stood_last(page, running):
    write_log(running, "10 %\r50 %\r100 %\nzwölf".encode()[:-3])
    open_job(page, running)

    write_log(running, b"lf\n")

    expect(log_lines(page).locator(".line").first).to_have_text("100 %")
    expect(log_lines(page).locator(".line")).to_have_count(2)


def test_the_log_is_searched(page, running):
    write_log(running, b"".join(b"step %d\n" % number for number in range(100)))
    open_job(page, running)
    expect(log_lines(page)).to_contain_text("step 99")

    page.get_by_placeholder("search the log").fill("STEP 4")
    expect(page.locator("[data-log-found]")).to_have_text("11 of 11 lines")
    page.get_by_role("button", name="Previous match").click()

    expect(page.locator(".line.here")).to_have_text("step 48")
    expect(page.get_by_label("Follow")).not_to_be_checked()
    page.get_by_placeholder("search the log").fill("nothing like it")
    expect(page.locator("[data-log-found]")).to_have_text("0 lines")
    expect(page.get_by_role("button", name="Next match")).to_be_disabled()


def test_charts_come_with_the_first_samples_and_grow(page, running):
    open_job(page, running)
    expect(page.get_by_text("No sample has come yet.")).to_be_visible()

    write_telemetry(running, seconds=30, gpus=2)
    expect(page.locator(".u-wrap")).to_have_count(4)
    expect(page.locator(".u-legend").first.locator(".u-series")).to_have_count(3)
    write_telemetry(running, seconds=30, start=30, gpus=2)

    axis = page.locator("[data-chart=power_w]")
    expect(page.get_by_text("No sample has come yet.")).to_be_hidden()
    with page.expect_response(re.compile(r"series\.json\?after=61")):
        pass
    expect(axis.locator(".u-over")).to_be_visible()


def test_series_that_cannot_be_loaded_leave_the_tables(page, running, faults):
    write_telemetry(running, seconds=5)
    page.route("**/series.json*", lambda route: route.fulfill(status=503))

    open_job(page, running)

    expect(page.get_by_text("The series could not be loaded")).to_be_visible()
    page.locator(".charts summary").first.click()
    expect(page.locator(".charts table").first).to_contain_text("GPU 00000000")
    faults.clear()


def test_the_page_moves_by_itself_to_the_end(page, running):
    write_log(running, b"no CUDA device\n")
    open_job(page, running)
    expect(page.locator("#job-status")).to_contain_text("Step 3 of 6: measure")

    finish(running, reason="llem found no CUDA device.")
    JobEventFactory(job=running.job, event="finished", from_state="running", to_state="failed", attempt=running)

    expect(page.locator("#job-status")).to_contain_text("llem found no CUDA device.")
    expect(page.locator("#job-lists")).to_contain_text("Finished: running → failed")
    expect(page.locator("#job-lists")).to_contain_text("Failed")
    expect(page.locator("[data-job-announce]")).to_have_text("Failed")
    expect(page).to_have_title(re.compile(r"^Job \d+: Failed · "))
    expect(page.locator("[data-log-state]")).to_have_text("0.1 kB, complete")
    assert page.locator("#job-status").get_attribute("hx-get") is None


def test_the_next_attempt_takes_the_place_of_a_lost_one(page, running):
    write_log(running, b"of the first\n")
    open_job(page, running)
    expect(log_lines(page)).to_contain_text("of the first")

    running.state, running.lost_at = AttemptState.LOST, timezone.now()
    running.save()
    other = AttemptFactory(job=running.job, agent=AgentFactory(name="attic"))
    write_log(other, b"of the second\n")
    write_telemetry(other, seconds=5)

    expect(log_lines(page)).to_contain_text("of the second")
    expect(page.locator("#log-title")).to_contain_text("of attempt 2 on attic")
    expect(page.locator(".u-wrap")).to_have_count(4)
    expect(log_lines(page)).not_to_contain_text("of the first")


def test_a_job_that_waits_comes_alive_where_it_is_watched(page, transactional_db, owner):
    job = JobFactory(owner=owner, title="Eight at once")
    page.goto(f"/jobs/{job.pk}/")
    expect(page.locator("#job-status")).to_contain_text("1 of 1")

    Job.objects.update(state=JobState.RUNNING, started_at=timezone.now(), attempts_used=1)
    attempt = write_log(AttemptFactory(job=job, agent=AgentFactory(name="lab")), b"first line\n")
    write_telemetry(attempt, seconds=5)
    expect(log_lines(page)).to_contain_text("first line")
    expect(page.locator(".u-wrap").first).to_be_visible()
    with page.expect_response(re.compile(r"series\.json\?after=6")), page.expect_response(re.compile("after=11")):
        pass

    expect(page.locator(".u-wrap")).to_have_count(4)
    expect(log_lines(page).locator(".line")).to_have_count(1)


def test_a_job_is_cancelled_with_a_button(open_page, running, owner):
    page = open_page(owner, viewport=DESK)
    open_job(page, running)

    page.get_by_role("button", name="Cancel this job").click()

    expect(page.locator("#job-status")).to_contain_text("Cancelling")
    expect(page.get_by_role("button", name="Cancel this job")).to_have_count(0)


def test_the_queue_moves_by_itself(page, running):
    page.goto("/jobs/")
    expect(page.locator(".queue")).to_contain_text("Eight at once")

    JobFactory(title="Just ordered")

    expect(page.locator(".queue")).to_contain_text("Just ordered")


def test_without_scripts_everything_is_there(open_page, running, owner):
    write_log(running, b"\x1b[31mERROR\x1b[0m of the log\n")
    write_telemetry(running, seconds=5)
    page = open_page(owner, viewport=DESK, java_script_enabled=False)

    page.goto("/jobs/")
    page.locator(".queue").get_by_role("link", name="Eight at once").click()
    expect(log_lines(page)).to_contain_text("ERROR of the log")
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
    page.locator(".charts summary").first.click()
    expect(page.locator(".charts table").first).to_be_visible()
    page.get_by_role("button", name="Cancel this job").click()

    expect(page.locator("#job-status")).to_contain_text("Cancelling")


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone, dark", "desk, light"])
def test_no_page_of_jobs_has_an_accessibility_fault_or_scrolls_sideways(open_page, running, moderator, theme, size):
    moderator.user_permissions.add(Permission.objects.get(codename="operate"))
    colours = b"".join(b"\x1b[%dmcolour %d\x1b[0m " % (code, code) for code in (2, *range(30, 38), *range(90, 98)))
    write_log(running, colours + b"word " * 200 + b"\n")
    write_telemetry(running, seconds=30, gpus=2)
    Gpu.objects.update(nvml={"energy_counter": True, "power": "average_1s"})
    away = AttemptFactory(agent=AgentFactory(name="attic", quarantined_at=ago(9)), lease_until=ago(200))
    over = JobFactory(title="Trial " * 30, state=JobState.FAILED, reason="No CUDA " * 20, is_simulated=True)
    waits, held = JobFactory(hardware=None, priority=1), JobFactory(state=JobState.HELD)
    page = open_page(moderator, viewport=size, color_scheme=theme)
    paths = [f"/jobs/{pk}/" for pk in (running.job_id, away.job_id, over.pk, waits.pk, held.pk)]
    paths += ["/jobs/", "/jobs/?q=none", "/agents/", f"/agents/{running.agent_id}/", f"/agents/{away.agent_id}/"]
    found = []

    for path in [*paths, "/agents/enrol/"]:
        assert page.goto(path, wait_until="load").status == 200
        if path == paths[0]:
            expect(page.locator(".u-wrap")).to_have_count(4)
            expect(page.locator(".ansi-red").first).to_be_visible()
        faults = Axe().run(page, options={"preload": False}).response["violations"]
        found += [f"{path}: {fault['id']} {fault['nodes'][0]['html']}" for fault in faults]
        found += [f"{path} sideways"] * page.evaluate("document.documentElement.scrollWidth > innerWidth")

    assert found == []
