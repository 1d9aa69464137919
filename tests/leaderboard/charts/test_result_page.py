"""The charts on the page of one result."""

import pytest
from django.test import Client

from leaderboard.models import Measurement
from tests.factories import ResultFactory, SubmissionFactory, draft, published_result
from tests.jobs.factories import AttemptFactory, JobFactory, write_telemetry
from tests.leaderboard.browsing import text
from tests.leaderboard.charts.test_pages import rows_of
from tests.leaderboard.importers import power_samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def result():
    return published_result()


def give_cycles(result):
    for cycle, value in enumerate((2.0, 3.0, 4.0), start=1):
        Measurement.objects.create(result=result, cycle=cycle, tokens_per_joule=value)


def give_telemetry(result, **fields):
    write_telemetry(AttemptFactory(job=JobFactory(submission=result.submission)), seconds=10, **fields)


def page_of(result):
    return Client().get(f"/results/{result.pk}/")


def test_a_result_with_cycles_shows_them(result):
    give_cycles(result)

    assert "mean 3.0000 tok/J over 3 cycles" in text(page_of(result))


def test_a_result_that_a_job_measured_shows_power_and_temperature(result):
    give_telemetry(result, gpus=2, power_w=[400.0] * 10, temp_c=[60] * 10)

    assert "800.0 W on average over 2 GPUs, one GPU at most 400.0 W, at most 60.0 °C" in text(page_of(result))


def test_plotly_is_loaded_only_where_a_chart_is(result):
    assert b"plotly" not in page_of(result).content
    give_cycles(result)
    assert b"plotly-cartesian" in page_of(result).content


def test_the_samples_of_a_job_are_those_of_the_file(result):
    give_telemetry(result, power_w=[100.0 + second for second in range(10)])

    rows = rows_of(Client().get(f"/charts/power.csv?result={result.pk}"))

    assert [row["power_w"] for row in rows] == [f"{100.0 + second}" for second in range(10)]


@pytest.mark.usefixtures("catalogue", "stored_files")
def test_the_readings_that_came_with_an_upload_are_a_recording(owner, client):
    rows = [power_samples.reading(second, watts=100.0 + second) for second in range(-2, 23)]
    for row in rows:
        row["telemetry_data"]["gpu_temperature"] = 55.0
    submission = draft(owner, *power_samples.aiperf_entries(rows))
    client.force_login(owner)

    page = text(client.get(f"/results/{submission.results.get().pk}/"))

    assert "110.0 W on average over 1 GPU, one GPU at most 122.0 W, at most 55.0 °C, in 24.00 s" in page


def test_without_a_recording_the_chart_says_why(result):
    page = Client().get(f"/charts/power/?result={result.pk}")

    assert "Nothing was recorded over time for it" in text(page)


def test_nobody_knows_which_of_several_results_a_recording_belongs_to(result):
    give_telemetry(result)
    ResultFactory(submission=result.submission)

    assert rows_of(Client().get(f"/charts/power.csv?result={result.pk}")) == []


def test_the_owner_of_a_private_result_sees_its_cycles_without_public_addresses(owner):
    private = ResultFactory(submission=SubmissionFactory(owner=owner, visibility="private", status="draft"))
    give_cycles(private)
    browser = Client()
    browser.force_login(owner)

    page = browser.get(f"/results/{private.pk}/")

    assert "over 3 cycles" in text(page)
    assert b"/charts/cycles" not in page.content
    assert b"/embed/" not in page.content


def test_a_simulation_has_no_chart(owner):
    simulated = ResultFactory(submission=SubmissionFactory(owner=owner, is_simulated=True))
    give_cycles(simulated)
    browser = Client()
    browser.force_login(owner)

    assert b"chart-place" not in browser.get(f"/results/{simulated.pk}/").content
