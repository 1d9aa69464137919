"""Results of vLLM's `bench serve`: what its words mean, what is asked for, and what is left alone."""

import json

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import load_samples, samples


def read(**changes):
    (result,) = import_files([samples.entry(load_samples.vllm_bench(**changes))]).results
    return result


def test_a_run_is_read_in_every_figure():
    values = read().values

    assert values.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert (values.output_tokens, values.input_tokens, values.duration_s) == (25600, 102400, 20.0)
    assert (values.throughput_tokens_per_s, values.total_throughput_tokens_per_s) == (1280.0, 6400.0)
    assert (values.requests, values.success_rate, values.requests_per_s) == (200, 1.0, 10.0)
    assert values.concurrency == 32
    assert values.tool == "vllm bench serve"


@pytest.mark.parametrize("family", ["ttft", "tpot", "itl", "e2e"])
def test_each_latency_has_its_own_column_in_milliseconds(family):
    values = read().values

    found = tuple(getattr(values, f"{family}_ms_{part}") for part in ("mean", "p50", "p90", "p95", "p99"))
    assert found == load_samples.MS[family]


def test_a_latency_of_zero_was_not_measured():
    assert read(mean_ttft_ms=0.0, median_ttft_ms=0.0).values.ttft_ms_mean is None


def test_an_unlimited_request_rate_is_no_rate():
    result = read(request_rate="inf")

    assert result.values.request_rate_per_s is None
    assert "at once" in result.notes["request_rate_per_s"]


def test_a_request_rate_is_a_rate():
    assert read(request_rate=10.5).values.request_rate_per_s == 10.5


def test_another_word_for_a_rate_is_refused_by_name():
    with pytest.raises(ImportRefused, match=r"request_rate must be a number, not the text 'fast'"):
        read(request_rate="fast")


@pytest.mark.parametrize("bare", ["Infinity", "NaN"])
def test_numbers_that_json_does_not_have_are_refused_in_words(bare):
    text = json.dumps(load_samples.vllm_bench()).replace('"inf"', bare)

    with pytest.raises(ImportRefused, match=f"holds {bare}, which is not a number in JSON"):
        import_files([Entry("result.json", text.encode())])


def test_without_a_limit_the_concurrency_is_asked_for():
    result = read(max_concurrency=None)

    assert result.values.concurrency is None
    assert "set no limit" in result.notes["concurrency"]


@pytest.mark.parametrize(
    ("protocol", "engine"),
    [("vllm", "vllm"), ("sglang-oai", "sglang"), ("tensorrt-llm", "tensorrt-llm"), ("openai-chat", None), ("x", None)],
)
def test_the_backend_is_the_protocol_and_names_an_engine_only_where_it_is_of_one(protocol, engine):
    result = read(backend=protocol, endpoint_type=protocol)

    assert result.values.backend == engine
    assert engine or f"{protocol!r}, which several engines do" in result.notes["backend"]


def test_the_tokenizer_is_not_the_model():
    assert read(model_id="served-name").values.model == "served-name"


@pytest.mark.parametrize("name", ["hardware", "gpu_count", "precision"])
def test_what_the_client_cannot_see_is_asked_for(name):
    result = read()

    assert result.origins[name] == Origin.MISSING
    assert "please state it" in result.notes[name]


def test_failed_requests_lower_the_success_rate():
    values = read(completed=190, failed=10).values

    assert (values.requests, values.success_rate) == (200, 0.95)


def test_older_files_count_what_was_asked_for_and_not_answered():
    sample = load_samples.vllm_bench(completed=150)
    del sample["failed"]
    (result,) = import_files([samples.entry(sample)]).results

    assert (result.values.requests, result.values.success_rate) == (200, 0.75)


def test_a_run_without_answers_is_refused():
    with pytest.raises(ImportRefused, match="none of its requests was answered"):
        read(completed=0)


def test_the_date_is_the_end_in_an_unknown_zone():
    result = read()

    assert result.values.ended_at.isoformat() == "2026-03-14T09:30:00+00:00"
    assert result.values.started_at.isoformat() == "2026-03-14T09:29:40+00:00"
    assert "without a zone" in result.notes["started_at"]


def test_another_form_of_date_is_refused_by_name():
    with pytest.raises(ImportRefused, match=r"date is '2026-03-14', but must be like 20260314-093000"):
        read(date="2026-03-14")


def test_raw_values_of_each_request_are_left_alone():
    detailed = read(ttfts=[0.1] * 200, itls=[[0.02] * 127] * 200, generated_texts=["x"] * 200, errors=[""] * 200)

    assert detailed.values == read().values
    assert "ttfts" not in detailed.config


def test_accepted_draft_tokens_mean_speculative_decoding():
    assert read(spec_decode_acceptance_rate=61.2).values.speculative_decoding is True


def test_runs_of_embedding_models_are_refused_in_words():
    sample = load_samples.vllm_bench()
    del sample["total_output_tokens"]

    with pytest.raises(ImportRefused, match="total_output_tokens is missing: runs of embedding"):
        import_files([samples.entry(sample)])
