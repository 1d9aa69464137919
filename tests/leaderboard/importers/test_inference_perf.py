"""Lifecycle reports of inference-perf: seconds, stages, chunked streaming, and what repeats them."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from tests.leaderboard.importers import load_samples, samples
from tests.leaderboard.importers.samples import changed


def read(sample):
    (result,) = import_files([samples.entry(sample)]).results
    return result


def stage(**changes):
    return changed(load_samples.inference_perf(), **changes)


@pytest.mark.parametrize("family", ["ttft", "tpot", "itl", "e2e"])
def test_seconds_become_milliseconds(family):
    values = read(stage()).values

    found = [getattr(values, f"{family}_ms_{part}") for part in ("mean", "p50", "p90", "p95", "p99")]
    assert found == pytest.approx(load_samples.MS[family])


def test_load_and_throughput_are_read():
    values = read(stage()).values

    assert (values.requests, values.success_rate) == (200, 1.0)
    assert (values.request_rate_per_s, values.requests_per_s) == (10.0, 10.0)
    assert (values.throughput_tokens_per_s, values.output_tokens, values.input_tokens) == (1280.0, 25600, 102400)


def test_without_the_time_it_follows_from_the_number_of_answers():
    sample = stage()
    del sample["benchmark_time_seconds"]

    result = read(sample)

    assert result.values.duration_s == pytest.approx(20.0)
    assert "requests_per_sec" in result.notes["duration_s"]


def test_failures_lower_the_success_rate():
    values = read(stage(successes__count=190, failures__count=10)).values

    assert (values.requests, values.success_rate) == (200, 0.95)


def test_a_stage_at_a_concurrency_has_no_rate():
    sample = stage()
    sample["load_summary"]["concurrency"] = 16

    values = read(sample).values

    assert (values.concurrency, values.request_rate_per_s) == (16, None)


@pytest.mark.parametrize("median", [0.0000363, 0.0004, 0.002])
def test_the_median_gap_inside_a_chunk_is_left_out_with_a_note(median):
    result = read(stage(successes__latency__inter_token_latency__median=median))

    assert result.values.itl_ms_p50 is None
    assert "inside a chunk" in result.notes["itl_ms_p50"]
    assert result.values.itl_ms_p90 is not None


def test_an_even_stream_keeps_its_median_gap():
    assert read(stage()).values.itl_ms_p50 == pytest.approx(21.5)


def test_answers_in_one_piece_have_no_first_token():
    result = read(stage(successes__latency__time_to_first_token=None))

    assert result.values.ttft_ms_mean is None
    assert "not streamed" in result.notes["ttft_ms_mean"]


def test_the_model_is_asked_for():
    assert "please state it" in read(stage()).notes["model"]


def test_stages_are_results_of_their_own_and_their_summary_is_left_out():
    summary = stage()
    for name in ("requested_rate", "achieved_rate", "send_duration"):
        del summary["load_summary"][name]
    entries = [
        samples.entry(stage(), "stage_0_lifecycle_metrics.json"),
        samples.entry(stage(load_summary__requested_rate=20.0), "stage_1_lifecycle_metrics.json"),
        samples.entry(summary, "summary_lifecycle_metrics.json"),
        samples.entry(load_samples.prometheus(), "stage_0_prometheus_metrics.json"),
        samples.entry([{"start_time": 1.0, "request": "x"}], "per_request_lifecycle_metrics.json"),
    ]

    imported = import_files(entries)

    assert [result.values.request_rate_per_s for result in imported.results] == [10.0, 20.0]
    assert sorted(path for path, _ in imported.ignored) == [
        "per_request_lifecycle_metrics.json",
        "stage_0_prometheus_metrics.json",
        "summary_lifecycle_metrics.json",
    ]


def test_a_summary_alone_is_a_result():
    summary = stage()
    del summary["load_summary"]["requested_rate"]

    assert read(summary).values.requests == 200


def test_metrics_of_the_server_alone_are_refused():
    with pytest.raises(ImportRefused, match="lifecycle files hold the figures"):
        read(load_samples.prometheus())


def test_a_stage_without_answers_is_refused():
    with pytest.raises(ImportRefused, match="none of its requests was answered"):
        read(stage(successes__count=0, failures__count=200))
