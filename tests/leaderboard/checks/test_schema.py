import pytest

from tests.leaderboard.checks.builders import bare, context, findings, result, severities


def test_a_result_without_any_metric_is_blocked():
    parsed = bare(model="gpt2", output_tokens=10)

    assert severities("SCH1", parsed) == ["B"]


def test_one_metric_is_enough():
    assert severities("SCH1", bare(ttft_ms_p50=12.0)) == []


def test_zero_output_tokens_are_blocked_and_named():
    found = findings("SCH1", result(output_tokens=0))

    assert [(finding.severity.value, finding.field) for finding in found] == [("B", "output_tokens")]


def test_zero_throughput_and_no_success_are_blocked():
    assert severities("SCH1", result(throughput_tokens_per_s=0, success_rate=0)) == ["B", "B"]


def test_unknown_model_hardware_and_backend_go_to_a_moderator_by_name():
    found = findings("SCH2", result(), context(model=None, hardware=None, backend_known=False))

    assert [(finding.severity.value, finding.field) for finding in found] == [
        ("R", "model"),
        ("R", "hardware"),
        ("R", "backend"),
    ]
    assert "H100 SXM 80GB" in found[1].message


def test_a_model_that_the_file_does_not_name_must_be_stated():
    (found,) = findings("SCH2", result(model=None))

    assert found.field == "model"
    assert "must be stated" in found.message


def test_known_names_need_no_moderator():
    assert findings("SCH2", result()) == []


def test_output_tokens_up_to_one_percent_over_the_requested_length_pass():
    assert findings("TOK1", result(requests=100, max_output_tokens=100, output_tokens=10_100)) == []


def test_more_output_tokens_than_the_requests_allow_are_blocked():
    (found,) = findings("TOK1", result(requests=100, max_output_tokens=100, output_tokens=10_101))

    assert found.severity.value == "B"
    assert "did you read total tokens as output tokens?" in found.message


@pytest.mark.parametrize(
    ("gpus", "tensor", "pipeline", "expected"),
    [(8, 8, 1, []), (8, 4, 2, []), (8, 2, None, []), (4, 8, 1, ["R"]), (8, 8, 2, ["R"]), (1, None, 2, ["R"])],
)
def test_a_model_split_over_more_gpus_than_there_are_is_for_review(gpus, tensor, pipeline, expected):
    parsed = bare(gpu_count=gpus, tensor_parallel=tensor, pipeline_parallel=pipeline)

    assert severities("PAR1", parsed) == expected
