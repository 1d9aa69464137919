import pytest

from tests.leaderboard.checks.builders import bare, context, findings, neighbours, severities

ASKED = {"requests": 100, "max_output_tokens": 200}
FIXED = {"vllm": {"sampling": [{"ignore_eos": True}]}}


def answered(output_tokens, **changes):
    return bare(output_tokens=output_tokens, **{**ASKED, **changes})


@pytest.mark.parametrize(("output_tokens", "expected"), [(20_000, []), (18_100, []), (17_900, ["R"]), (2_000, ["R"])])
def test_answers_shorter_than_the_fixed_length_are_for_review(output_tokens, expected):
    assert severities("LEN1", answered(output_tokens, config=FIXED)) == expected


@pytest.mark.parametrize("config", [None, {"ignore_eos": False}, {"ignore_eos": "yes"}, {"min_tokens": None}])
def test_answers_may_end_early_where_only_the_longest_length_is_given(config):
    assert severities("LEN1", answered(2_000, config=config)) == []


def test_failed_requests_gave_no_answer():
    assert severities("LEN1", answered(10_000, success_rate=0.5, config=FIXED)) == []


def peers(length, count=5, **changes):
    asked = {"dataset": "ShareGPT", "max_output_tokens": 200, **changes}
    return context(peers=neighbours(count, output_length=length, **asked))


@pytest.mark.parametrize(("length", "expected"), [(109.0, []), (112.0, ["R"]), (50.0, ["R"])])
def test_answers_of_another_length_than_the_peers_are_for_review(length, expected):
    assert severities("LEN1", answered(10_000, dataset="ShareGPT"), peers(length)) == expected


@pytest.mark.parametrize(
    "known",
    [peers(50.0, count=4), peers(50.0, dataset="other"), peers(50.0, max_output_tokens=400), peers(None)],
    ids=["too few", "other prompts", "other limit", "no lengths"],
)
def test_only_peers_with_the_same_prompts_and_limit_say_how_long_an_answer_is(known):
    assert severities("LEN1", answered(10_000, dataset="ShareGPT"), known) == []


def test_without_named_prompts_no_peer_has_the_same_ones():
    assert severities("LEN1", answered(10_000), peers(50.0, dataset=None)) == []


@pytest.mark.parametrize(("throughput", "expected"), [(1100.0, []), (1101.0, ["W"]), (500.0, [])])
def test_a_cached_run_faster_than_uncached_peers_is_warned_about(throughput, expected):
    known = context(peers=neighbours(throughput_tokens_per_s=1000.0, prefix_caching=False))
    parsed = bare(throughput_tokens_per_s=throughput, prefix_caching=True, batch_size=32)

    assert severities("CAC1", parsed, known) == expected


@pytest.mark.parametrize("theirs", [True, None])
def test_peers_that_may_be_cached_too_say_nothing(theirs):
    known = context(peers=neighbours(throughput_tokens_per_s=1000.0, prefix_caching=theirs))

    assert findings("CAC1", bare(throughput_tokens_per_s=1e4, prefix_caching=True, batch_size=32), known) == []
