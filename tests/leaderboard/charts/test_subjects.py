"""What charts are about when the address says little, and what they leave out."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import Http404, QueryDict
from django.test import Client

from leaderboard.board import BoardQueryError
from leaderboard.models import Result, Submission, Trust
from leaderboard.presenting.charts import BY_SLUG
from leaderboard.services.ranking import unrank
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    published_result,
)
from tests.jobs.factories import AgentFactory, AttemptFactory, GpuFactory, JobFactory
from tests.leaderboard.browsing import text
from tests.leaderboard.charts.marks import column

pytestmark = pytest.mark.django_db


def made(slug, query=""):
    return BY_SLUG[slug].make(QueryDict(query))


def statistics(value, sd=0.05, n=3, name="tokens_per_joule"):
    return {name: {"n": n, "mean": value, "sd": sd, "ci95_low": value - 2 * sd, "ci95_high": value + 2 * sd}}


@pytest.fixture
def base():
    return {
        "model": LanguageModelFactory(name="org/one", title="One"),
        "hardware": HardwareFactory(slug="h100", name="H100"),
        "backend": BackendFactory(slug="vllm", name="vLLM"),
    }


def other():
    return {"model": LanguageModelFactory(name="org/two", title="Two"), "hardware": HardwareFactory(name="L4")}


# which model and GPU


def test_without_parameters_the_most_measured_pair_is_shown(base):
    for batch in (1, 8):
        published_result(**base, batch_size=batch)
    published_result(**other(), batch_size=4)

    chart = made("heatmap", "x=batch_size&y=precision")

    assert chart.summary.startswith("One on H100: ")
    assert any("1 other model and 1 other GPU can be chosen above" in note for note in chart.notes)


def test_the_model_of_the_address_is_shown_on_the_gpu_where_it_is_measured_most(base):
    for batch in (1, 8):
        published_result(**base, batch_size=batch)
    published_result(**other(), batch_size=4)

    assert made("heatmap", "model=org/two").summary.startswith("Two on L4: ")


def test_the_page_offers_the_models_and_gpus_that_have_results(base):
    published_result(**base)
    published_result(**{**base, **other()})

    page = Client().get("/charts/sweep/?model=org/two&batch_size=8").content.decode()

    assert '<option value="org/two" selected>Two (1)</option>' in page
    assert '<option value="h100">H100 (1)</option>' in page
    assert '<input type="hidden" name="batch_size" value="8">' in page


# what is left out


@pytest.mark.parametrize("slug", ["heatmap", "sweep", "scaling", "history", "bars"])
def test_only_one_energy_scope_is_drawn_and_the_others_are_counted(base, slug):
    for value in (1.0, 2.0):
        published_result(**base, tokens_per_joule=value, backend_version="1.0")
    published_result(**base, tokens_per_joule=50.0, energy_scope="wall", backend_version="1.0")

    chart = made(slug, "metric=tokens_per_joule")

    assert 50.0 not in column(chart, "tokens_per_joule")
    assert any("1 result of another energy scope left out" in note for note in chart.notes)


def test_two_chosen_scopes_are_not_mixed_either(base):
    published_result(**base, tokens_per_joule=2.0)
    published_result(**base, tokens_per_joule=50.0, energy_scope="wall")

    chart = made("sweep", "energy_scope=wall&energy_scope=gpu")

    assert column(chart, "tokens_per_joule") == [50.0]
    assert "Energy scope wall only; not comparable with gpu." in chart.notes


@pytest.mark.parametrize("slug", ["heatmap", "sweep", "roofline", "scaling"])
def test_hidden_results_are_counted_and_not_drawn(base, slug):
    published_result(**base, throughput_tokens_per_s=10.0)
    published_result(**base, throughput_tokens_per_s=99.0, trust=Trust.SELF_REPORTED)

    chart = made(slug, "metric=throughput_tokens_per_s")

    assert 99.0 not in [value for row in chart.table.rows for value in row]
    assert "1 result hidden by the trust filter." in chart.notes


@pytest.mark.parametrize("slug", ["heatmap", "sweep", "roofline", "coverage", "history", "scaling", "bars"])
def test_what_is_not_ranked_is_never_drawn(base, slug):
    result = published_result(**base, backend_version="1.0")
    unrank(Result.objects.filter(pk=result.pk))

    chart = made(slug)

    assert all(state != "measured" for state in (row[0] for row in chart.table.rows))
    assert chart.is_empty or slug == "coverage"


# sweep, scaling, heatmap, history


def test_a_sweep_draws_the_best_at_each_value_with_its_own_interval(base):
    published_result(**base, batch_size=1, tokens_per_joule=1.0)
    published_result(**base, batch_size=8, tokens_per_joule=3.0)
    published_result(**base, batch_size=8, tokens_per_joule=4.0, statistics=statistics(4.0))

    chart = made("sweep")

    assert column(chart, "parameter") == [1, 8]
    assert column(chart, "tokens_per_joule") == [1.0, 4.0]
    assert column(chart, "ci95_high") == [None, pytest.approx(4.1)]
    assert column(chart, "results") == [1, 2]


def test_the_lines_of_a_sweep_are_named_by_what_differs(base):
    for precision in ("bf16", "fp8"):
        for batch in (1, 8):
            published_result(**base, batch_size=batch, precision=precision)

    chart = made("sweep")

    assert sorted(set(column(chart, "configuration"))) == ["bf16", "fp8"]
    assert "All lines: One, 1 x H100, vLLM." in chart.notes


def test_a_chosen_model_is_swept_on_every_gpu_with_two_values(base):
    l4, t4 = HardwareFactory(name="L4"), HardwareFactory(name="T4")
    for batch in (1, 8):
        published_result(**base, batch_size=batch)
        published_result(**{**base, "hardware": l4}, batch_size=batch)
    published_result(**{**base, "hardware": t4}, batch_size=1)

    chart = made("sweep", "model=org/one")

    assert sorted(set(column(chart, "configuration"))) == ["1 x H100", "1 x L4"]
    assert "1 configuration with one value left out." in chart.notes


def test_own_prices_are_those_of_the_figure(base):
    """1,000 tok/s on one GPU at 3.6 $ an hour: 10^6 tokens take 1,000 s and 1 $."""
    for batch in (1, 8):
        published_result(**base, batch_size=batch, gpu_seconds_per_million_tokens=1000.0)

    chart = made("sweep", "metric=cost_per_million_tokens_usd&usd_per_gpu_hour=3.6")

    assert column(chart, "cost_per_million_tokens_usd") == pytest.approx([1.0, 1.0])


def test_scaling_holds_the_batch_size_unless_asked_otherwise(base):
    for gpus, batch, rate in ((1, 8, 100.0), (2, 8, 180.0), (2, 64, 500.0)):
        published_result(**base, gpu_count=gpus, batch_size=batch, throughput_tokens_per_s=rate)

    assert column(made("scaling"), "efficiency_percent") == pytest.approx([100, 90])
    assert column(made("scaling", "batch=best"), "efficiency_percent") == pytest.approx([100, 250])


def test_the_mean_of_a_cell_is_over_all_its_results(base):
    for value in (1.0, 3.0):
        published_result(**base, tokens_per_joule=value)

    query = "x=batch_size&y=precision"
    assert column(made("heatmap", query), "tokens_per_joule") == [3.0]
    assert column(made("heatmap", f"{query}&show=mean"), "tokens_per_joule") == [2.0]


def test_a_heatmap_takes_the_two_settings_that_vary_most(base):
    for batch in (1, 2, 4):
        for precision in ("bf16", "fp8"):
            published_result(**base, batch_size=batch, precision=precision)

    assert made("heatmap").title == "Tokens/J by precision and batch size"


def test_an_empty_cell_orders_its_own_settings(base):
    published_result(**base, batch_size=1, precision="bf16")
    published_result(**base, batch_size=8, precision="fp8")

    chart = made("heatmap", "x=batch_size&y=precision")

    empty = column(chart, "state").index("request this run")
    address = urlsplit(chart.table.urls[empty])
    assert address.path == "/jobs/new/"
    assert parse_qs(address.query) == {
        "model": ["org/one"], "hardware": ["h100"], "gpu_count": ["1"], "batch_size": ["8"], "precision": ["bf16"]
    }  # fmt: skip


def test_cells_are_of_one_number_of_gpus(base):
    for gpus, rate in ((1, 100.0), (1, 120.0), (8, 900.0)):
        published_result(**base, gpu_count=gpus, throughput_tokens_per_s=rate)

    query = "x=batch_size&y=precision&metric=throughput_tokens_per_s"
    chart = made("heatmap", query)

    assert column(chart, "throughput_tokens_per_s") == [120.0]
    assert chart.notes[0] == "On 1 GPU, as most results; 1 result on other numbers left out."
    assert column(made("heatmap", f"{query}&gpu_count=8"), "throughput_tokens_per_s") == [900.0]


def test_one_setting_cannot_be_both_axes():
    with pytest.raises(BoardQueryError, match="batch_size is across already"):
        made("heatmap", "x=batch_size&y=batch_size")


def test_a_history_is_of_the_configuration_with_most_versions(base):
    for version, value in (("0.9.0", 2.0), ("0.10.0", 3.0)):
        published_result(
            **base, batch_size=8, backend_version=version, tokens_per_joule=value, statistics=statistics(value), runs=3
        )
    published_result(**base, batch_size=64, backend_version="0.10.0")

    chart = made("history")

    assert column(chart, "version") == ["0.9.0", "0.10.0"]
    assert "clear changes: +50.0 % with 0.10.0" in chart.summary
    assert "1 other configuration of this model and GPU left out" in chart.notes[0]


# bars


def test_bars_are_the_results_of_the_address(base):
    first = published_result(**base, tokens_per_joule=2.0, precision="bf16", statistics=statistics(2.0), runs=3)
    second = published_result(**base, tokens_per_joule=3.0, precision="fp8", statistics=statistics(3.0), runs=3)
    published_result(**base, tokens_per_joule=9.0)

    chart = made("bars", f"result={first.pk}&result={second.pk}")

    assert column(chart, "result") == ["fp8", "bf16"]
    assert column(chart, "finding") == ["best", "different"]
    assert chart.table.urls == [f"/results/{second.pk}/", f"/results/{first.pk}/"]


def test_bars_of_a_result_that_the_public_does_not_see_are_404(base):
    hidden = ResultFactory(**base)
    Submission.objects.filter(pk=hidden.submission_id).update(visibility="private")

    with pytest.raises(Http404):
        made("bars", f"result={hidden.pk}")


def test_carbon_needs_the_readers_grid(base):
    published_result(**base)

    with pytest.raises(BoardQueryError, match="co2_g_per_kwh"):
        made("bars", "metric=co2_g_per_million_tokens")


def test_a_ninth_result_is_left_out_and_the_chart_says_so(base):
    results = [published_result(**base, tokens_per_joule=float(n + 1)) for n in range(9)]

    chart = made("bars", "&".join(f"result={result.pk}" for result in results))

    assert len(chart.table.rows) == 8
    assert any("At most 8" in note for note in chart.notes)


# roofline, coverage


def test_the_load_of_a_result_is_the_smaller_of_batch_and_concurrency(base):
    published_result(**base, batch_size=256, concurrency=16)
    published_result(**base, batch_size=None, concurrency=4)

    assert sorted(column(made("roofline"), "sequences")) == [4, 16]


def test_coverage_counts_results_and_has_the_best(base):
    for value in (1.0, 3.0):
        published_result(**base, tokens_per_joule=value)
    LanguageModelFactory(name="org/unmeasured", title="Unmeasured")

    chart = made("coverage")

    assert chart.table.rows[0] == ("measured", "One", "H100", 2, 3.0, 0, 1)
    assert chart.table.rows[1] == ("request this run", "Unmeasured", "H100", 0, None, 0, 1)
    assert parse_qs(urlsplit(chart.table.urls[0]).query) == {"model": ["org/one"], "hardware": ["h100"]}
    assert urlsplit(chart.table.urls[1]).path == "/jobs/new/"


def test_the_filters_of_the_leaderboard_narrow_coverage(base):
    published_result(**base)
    LanguageModelFactory(name="org/unmeasured", family="Other")

    assert column(made("coverage", "family=Other"), "model") != column(made("coverage"), "model")
    assert column(made("coverage", "model=org/one"), "model") == ["One"]


def test_more_models_than_a_page_holds_are_counted(base):
    published_result(**base)
    for n in range(30):
        LanguageModelFactory(name=f"org/more-{n}")

    chart = made("coverage")

    assert len(chart.table.rows) == 24
    assert any("7 models more by filters" in note for note in chart.notes)


def test_a_job_that_failed_marks_its_pair(base):
    JobFactory(model=base["model"], hardware=base["hardware"], state="failed")
    newest = JobFactory(model=base["model"], hardware=base["hardware"], state="timed_out")

    chart = made("coverage")

    assert chart.table.rows[0] == ("failed", "One", "H100", 0, None, 2, 1)
    assert chart.table.urls[0] == f"/jobs/{newest.pk}/"


def test_a_job_that_any_gpu_would_do_for_failed_where_it_ran(base):
    agent = AgentFactory()
    gpu = GpuFactory(agent=agent, hardware=base["hardware"])
    job = JobFactory(model=base["model"], state="failed")
    AttemptFactory(job=job, agent=agent, gpu_uuids=[gpu.uuid])

    assert column(made("coverage"), "failed_jobs") == [1]


def test_a_simulated_job_fails_nothing(base):
    JobFactory(model=base["model"], hardware=base["hardware"], state="failed", is_simulated=True)
    JobFactory(model=base["model"], hardware=base["hardware"], state="cancelled")

    assert column(made("coverage"), "state") == ["request this run"]


@pytest.mark.parametrize("slug", ["bars", "heatmap", "sweep", "scaling", "history", "roofline", "coverage"])
def test_queries_do_not_grow_with_the_results(base, slug, django_assert_max_num_queries):
    for n in range(12):
        published_result(
            **base, batch_size=2**n, gpu_count=n % 3 + 1, backend_version=f"0.{n}", precision=("bf16", "fp8")[n % 2]
        )

    with django_assert_max_num_queries(22):
        page = Client().get(f"/charts/{slug}/")

    assert BY_SLUG[slug].question in text(page)


@pytest.mark.parametrize("path", ["/charts/coverage/", "/charts/coverage.json", "/embed/charts/coverage/"])
def test_a_page_that_is_kept_is_sent_again_when_another_job_has_failed(base, path):
    etag = Client().get(path)["ETag"]
    assert Client().get(path, headers={"If-None-Match": etag}).status_code == 304

    JobFactory(model=base["model"], hardware=base["hardware"], state="failed")

    assert Client().get(path, headers={"If-None-Match": etag}).status_code == 200


def test_more_values_than_have_room_across_are_counted(base):
    for n in range(9):
        published_result(**base, batch_size=n + 1)
    published_result(**base, batch_size=9)

    chart = made("heatmap", "x=batch_size&y=precision")

    assert column(chart, "batch_size") == ["1", "2", "3", "4", "5", "9"]
    assert chart.notes[1] == "3 values of batch size with fewer results left out; upwards 16 have room."
