"""REP1: how far a rerun may be from the first run."""

import pytest

from leaderboard.checks.reproduction import compare, is_enough
from tests.leaderboard.checks.builders import result

FIRST = result().values


def outside(**changes):
    return [one.field for one in compare(FIRST, result(**changes).values) if not one.is_within]


def test_the_same_figures_are_within():
    assert outside() == []
    assert is_enough(compare(FIRST, FIRST))


@pytest.mark.parametrize(
    ("field", "share"),
    [
        ("throughput_tokens_per_s", 0.05),
        ("energy_per_output_token_j", 0.10),
        ("ttft_ms_p50", 0.10),
        ("itl_ms_p50", 0.10),
        ("ttft_ms_p99", 0.25),
        ("itl_ms_p99", 0.25),
    ],
)
def test_each_figure_has_its_tolerance_both_ways(field, share):
    value = getattr(FIRST, field)

    assert outside(**{field: value * (1 + share)}) == []
    assert outside(**{field: value * (1 - share)}) == []
    assert outside(**{field: value * (1 + share + 0.01)}) == [field]
    assert outside(**{field: value * (1 - share - 0.01)}) == [field]


def test_requests_at_a_rate_leave_the_throughput_more_room():
    first = result(request_rate_per_s=9.0).values

    assert all(one.is_within for one in compare(first, result(throughput_tokens_per_s=3300.0).values))


def test_what_one_of_them_lacks_is_not_compared():
    compared = compare(FIRST, result(ttft_ms_p50=None, itl_ms_p99=None).values)

    assert {one.field for one in compared}.isdisjoint({"ttft_ms_p50", "itl_ms_p99"})


def test_without_energy_nothing_is_reproduced():
    without = result(energy_per_output_token_j=None, tokens_per_joule=None).values

    assert not is_enough(compare(FIRST, without))


def test_tokens_per_joule_say_the_energy_too():
    again = result(energy_per_output_token_j=None, tokens_per_joule=3.6).values

    assert [one.field for one in compare(FIRST, again) if not one.is_within] == ["energy_per_output_token_j"]


def test_a_comparison_reads_as_a_sentence():
    (throughput, *_) = compare(FIRST, result(throughput_tokens_per_s=2880.0).values)

    assert str(throughput) == "Throughput: 3,600 tok/s first, 2,880 tok/s again, 20 % apart (limit 5 %)"
