import pytest

from tests.leaderboard.checks.builders import bare, context, findings, hardware, model, result, severities

# 8 x 10^9 weights of 2 bytes at 1,600 GB/s take 10 ms; 100 TFLOP/s carry 6,250 tokens of 16 GFLOP.
KNOWN = context(
    hardware=hardware(bandwidth_gb_per_s=1600, tflops={"bf16": 100}),
    model=model(parameters_active_b=8, parameters_total_b=40),
)


@pytest.mark.parametrize(("itl_ms", "expected"), [(10.0, []), (9.9, ["W"]), (10 / 1.1, ["W"]), (9.0, ["B"])])
def test_a_decode_step_is_not_faster_than_reading_the_active_weights(itl_ms, expected):
    assert severities("ROO1", result(itl_ms_p50=itl_ms, tpot_ms_mean=itl_ms), KNOWN) == expected


def test_speculative_decoding_makes_the_floor_a_question_for_a_moderator():
    assert severities("ROO1", result(itl_ms_p50=5, speculative_decoding=True), KNOWN) == ["R"]


@pytest.mark.parametrize(("gpu_count", "precision"), [(2, "bf16"), (1, "fp8"), (1, "int8")])
def test_more_gpus_and_narrower_weights_lower_the_floor(gpu_count, precision):
    parsed = result(itl_ms_p50=5.0, tpot_ms_mean=5.0, gpu_count=gpu_count, precision=precision)

    assert findings("ROO1", parsed, KNOWN) == []


def test_a_dense_model_is_judged_by_its_total_parameters():
    dense = context(hardware=KNOWN.hardware, model=model(parameters_active_b=None, parameters_total_b=8))

    assert severities("ROO1", result(itl_ms_p50=9.0), dense) == ["B"]


def test_chunked_streaming_is_judged_by_the_mean_and_not_by_the_median_gap():
    parsed = result(itl_ms_p50=0.1, itl_ms_mean=12.0, tpot_ms_mean=12.0)

    assert findings("ROO1", parsed, KNOWN) == []


def test_a_median_gap_of_zero_is_not_a_decode_step():
    assert findings("ROO1", bare(precision="bf16", gpu_count=1, itl_ms_p50=0.0), KNOWN) == []


@pytest.mark.parametrize("field", ["itl_ms_mean", "tpot_ms_p50", "tpot_ms_mean"])
def test_the_floor_holds_for_whichever_time_per_token_the_file_has(field):
    (found,) = findings("ROO1", bare(precision="bf16", gpu_count=1, **{field: 0.012}), KNOWN)

    assert found.severity.value == "B"
    assert found.field == field


@pytest.mark.parametrize(("tokens_per_s", "expected"), [(6250, []), (6260, ["B"])])
def test_tokens_in_and_out_do_not_exceed_the_compute_peak(tokens_per_s, expected):
    assert severities("ROO2", result(total_throughput_tokens_per_s=tokens_per_s), KNOWN) == expected


def test_prefix_caching_makes_the_ceiling_a_question_for_a_moderator():
    assert severities("ROO2", result(total_throughput_tokens_per_s=6260, prefix_caching=True), KNOWN) == ["R"]


def test_input_tokens_over_time_count_where_the_total_throughput_is_missing():
    parsed = {"total_throughput_tokens_per_s": None, "throughput_tokens_per_s": 6000, "duration_s": 100}

    assert severities("ROO2", result(**parsed, input_tokens=30_000), KNOWN) == ["B"]
    assert findings("ROO2", result(**parsed, input_tokens=20_000), KNOWN) == []
    assert findings("ROO2", result(**parsed, input_tokens=None), KNOWN) == []


def test_int8_may_run_at_twice_the_fp16_rate_where_no_fp8_peak_is_known():
    assert findings("ROO2", result(precision="int8", total_throughput_tokens_per_s=12_500), KNOWN) == []
    assert severities("ROO2", result(precision="int8", total_throughput_tokens_per_s=12_510), KNOWN) == ["B"]


@pytest.mark.parametrize(("tokens_per_s", "expected"), [(100.0, []), (105.0, ["W"]), (110.0, ["W"]), (110.1, ["B"])])
@pytest.mark.parametrize("load", [{"batch_size": 1}, {"concurrency": 1}])
def test_one_sequence_at_a_time_is_bound_by_the_bandwidth(tokens_per_s, expected, load):
    assert severities("ROO3", result(throughput_tokens_per_s=tokens_per_s, **load), KNOWN) == expected


def test_speculative_decoding_at_one_sequence_is_for_a_moderator():
    assert severities("ROO3", result(throughput_tokens_per_s=300, batch_size=1, speculative_decoding=True), KNOWN) == [
        "R"
    ]


def test_batches_are_not_bound_by_the_single_stream_limit():
    assert findings("ROO3", result(throughput_tokens_per_s=3000, batch_size=2, concurrency=2), KNOWN) == []


def test_mixed_precision_says_nothing_about_bytes():
    parsed = result(precision="mixed", itl_ms_p50=0.01, total_throughput_tokens_per_s=1e9, batch_size=1)

    assert [findings(code, parsed, KNOWN) for code in ("ROO1", "ROO2", "ROO3")] == [[], [], []]
