"""Reports of GuideLLM: three layouts, one result per benchmark, and names that mean something else here."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.importers import ImportRefused, import_files
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import load_samples, samples
from tests.leaderboard.importers.load_samples import guidellm_benchmark
from tests.leaderboard.importers.samples import changed
from tests.leaderboard.importers.test_import_files import FUZZ, JUNK, gives_result_or_refusal, places, put

LAYOUTS = {
    "before version 1": load_samples.guidellm_old,
    "version 1": load_samples.guidellm_1,
    "version 2": load_samples.guidellm_2,
}


def read(report):
    return import_files([samples.entry(report)]).results


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_same_figures(layout):
    (result,) = read(LAYOUTS[layout]())
    values = result.values

    assert values.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert (values.output_tokens, values.input_tokens, values.duration_s) == (25600, 102400, 20.0)
    assert values.throughput_tokens_per_s == 1280.0
    assert (values.ttft_ms_mean, values.ttft_ms_p50, values.ttft_ms_p99) == (100.0, 98.0, 180.0)
    assert values.started_at.isoformat() == "2026-03-14T09:30:00+00:00"


@pytest.mark.parametrize(
    ("layout", "shape", "version", "concurrency"),
    [
        ("before version 1", "guidellm_1", None, 1),
        ("version 1", "guidellm_1", "0.5.4", 32),
        ("version 2", "guidellm_2", "0.7.3", 32),
    ],
)
def test_each_layout_is_told_by_its_keys(layout, shape, version, concurrency):
    imported = import_files([samples.entry(LAYOUTS[layout]())])

    assert imported.shape == shape
    assert imported.results[0].values.tool_version == version
    assert imported.results[0].values.concurrency == concurrency


def test_every_benchmark_is_a_result_of_its_own():
    report = load_samples.guidellm_2(
        guidellm_benchmark({"type_": "synchronous"}),
        guidellm_benchmark({"type_": "throughput", "max_concurrency": 512}),
        guidellm_benchmark({"type_": "constant", "rate": 4.0, "max_concurrency": 10240}),
    )

    found = [(result.values.concurrency, result.values.request_rate_per_s) for result in read(report)]

    assert found == [(1, None), (512, None), (None, 4.0)]


def test_at_a_rate_the_concurrency_is_asked_for_with_what_was_in_flight():
    (result,) = read(load_samples.guidellm_2(guidellm_benchmark({"type_": "poisson", "rate": 10.0})))

    assert "28.9 requests were in flight" in result.notes["concurrency"]


def test_the_request_latency_is_in_seconds_beside_milliseconds():
    (result,) = read(load_samples.guidellm_2())

    assert (result.values.e2e_ms_mean, result.values.e2e_ms_p99) == (2894.0, 3500.0)


def test_the_mean_gap_of_a_request_stands_under_tpot_and_its_mean_under_itl():
    (result,) = read(load_samples.guidellm_2())
    values = result.values

    assert (values.tpot_ms_mean, values.tpot_ms_p50, values.tpot_ms_p99) == (22.0, 21.8, 27.0)
    assert (values.itl_ms_mean, values.itl_ms_p50) == (22.0, None)


def test_the_time_per_token_that_holds_the_first_one_is_not_taken():
    (result,) = read(load_samples.guidellm_2())

    assert 22.6 not in result.values.model_dump().values()


def test_unfinished_requests_are_neither_answered_nor_failed():
    (result,) = read(
        load_samples.guidellm_2(
            changed(guidellm_benchmark(), metrics__request_totals={"successful": 180, "errored": 20, "incomplete": 7})
        )
    )

    assert (result.values.requests, result.values.success_rate) == (200, 0.9)
    assert "7 more" in result.notes["requests"]


def test_a_rate_of_another_window_is_warned_of():
    report = changed(
        load_samples.guidellm_2(), benchmarks__0__metrics__output_tokens_per_second__successful__mean=2560.0
    )

    (result,) = read(report)

    assert result.values.throughput_tokens_per_s == 1280.0
    assert "2560" in result.warnings[0]


@pytest.mark.parametrize("name", ["hardware", "gpu_count", "backend", "precision"])
def test_what_the_client_cannot_see_is_asked_for(name):
    (result,) = read(load_samples.guidellm_2())

    assert "please state it" in result.notes[name]


def test_the_data_set_is_named():
    (one,), (two,) = read(load_samples.guidellm_1()), read(load_samples.guidellm_2())

    assert (one.values.dataset, two.values.dataset) == ("prompt_tokens=512,output_tokens=128", "synthetic_text")


def test_a_report_without_benchmarks_is_refused():
    with pytest.raises(ImportRefused, match="benchmarks is empty"):
        read(load_samples.guidellm_2(benchmarks=[]))


def test_an_end_before_the_start_is_refused_by_name():
    with pytest.raises(ImportRefused, match=r"benchmarks\[0\].end_time is before start_time"):
        read(load_samples.guidellm_2(guidellm_benchmark(end_time=1773480599.0)))


def test_the_real_report_of_a_mock_server_is_read(shared_data):
    content = (shared_data / "other-tools/llm-d-benchmark/guidellm_report_v2.json").read_bytes()

    results = import_files([Entry("benchmarks.json", content)]).results

    assert [(result.values.request_rate_per_s, result.values.output_tokens) for result in results] == [
        (2.0, 16),
        (4.0, 16),
    ]


@FUZZ
@given(st.data())
def test_any_mutation_of_the_oldest_layout_gives_a_result_or_a_refusal(data):
    report = load_samples.guidellm_old()
    path = data.draw(st.sampled_from([place for place in places(report) if place]))
    put(report, path, data.draw(JUNK), drop=data.draw(st.booleans()))

    gives_result_or_refusal([Entry("benchmarks.json", json.dumps(report).encode())])
