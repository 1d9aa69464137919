import math

import pytest

from tests.leaderboard.checks.builders import bare, context, curve, findings, neighbour, neighbours, severities

#: seven peers with a median of 3600 tok/s and little spread
PEERS = [neighbour(throughput_tokens_per_s=3600.0 * factor) for factor in (0.98, 0.99, 0.995, 1, 1.005, 1.01, 1.02)]


def fast(throughput, **changes):
    return bare(throughput_tokens_per_s=throughput, batch_size=32, **changes)


@pytest.mark.parametrize(
    ("z", "expected"), [(0, []), (3.4, []), (3.6, ["W"]), (5.9, ["W"]), (6.1, ["R"]), (-3.6, ["W"]), (-6.1, ["R"])]
)
def test_a_result_far_from_its_peers_is_flagged_in_both_directions(z, expected):
    # The peers agree within 1 %, so a standard deviation is the floor of 5 %.
    parsed = fast(3600 * math.exp(0.05 * z))

    assert severities("OUT1", parsed, context(peers=PEERS)) == expected


def test_peers_that_differ_among_themselves_allow_more():
    wide = [neighbour(throughput_tokens_per_s=value) for value in (2000.0, 3000.0, 3600.0, 4300.0, 6000.0)]

    assert severities("OUT1", fast(6200.0), context(peers=wide)) == []


def test_four_peers_say_nothing():
    assert severities("OUT1", fast(36000.0), context(peers=PEERS[:4])) == []


def test_peers_without_the_figure_do_not_count():
    silent = neighbours(9, energy_per_output_token_j=0.1)

    assert severities("OUT1", fast(36000.0), context(peers=[*PEERS[:4], *silent])) == []


@pytest.mark.parametrize("given", [{"energy_per_output_token_j": 0.2}, {"tokens_per_joule": 5.0}])
def test_energy_is_compared_whichever_way_round_it_is_given(given):
    peers = neighbours(5, energy_per_output_token_j=0.1)

    (found,) = findings("OUT1", bare(batch_size=32, **given), context(peers=peers))

    assert found.severity.value == "R"
    assert found.field == "energy_per_output_token_j"
    assert "0.1 J" in found.message


def verified(**changes):
    return neighbour(is_verified=True, throughput_tokens_per_s=1000.0, energy_per_output_token_j=1.0, **changes)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"throughput_tokens_per_s": 1100.0}, []),
        ({"throughput_tokens_per_s": 1101.0}, ["R"]),
        ({"energy_per_output_token_j": 0.92}, []),
        ({"energy_per_output_token_j": 0.90}, ["R"]),
        ({"throughput_tokens_per_s": 500.0, "energy_per_output_token_j": 2.0}, []),
    ],
)
def test_more_than_10_percent_better_than_a_verified_result_is_for_review(figures, expected):
    assert severities("OUT2", bare(batch_size=32, **figures), context(peers=[verified()])) == expected


def test_the_best_verified_result_counts():
    better = neighbour(is_verified=True, throughput_tokens_per_s=2000.0)

    assert severities("OUT2", fast(2100.0), context(peers=[verified(), better])) == []


def test_a_result_that_nobody_verified_and_one_at_another_load_set_no_bar():
    others = [neighbour(throughput_tokens_per_s=1.0), verified(load=33)]

    assert severities("OUT2", fast(1200.0), context(peers=others)) == []


@pytest.mark.parametrize(
    ("off", "expected"), [(1.0, []), (1.24, []), (1.26, ["W"]), (1.59, ["W"]), (1.61, ["R"]), (0.39, ["R"])]
)
def test_throughput_off_the_curve_of_its_configuration_is_flagged(off, expected):
    known = context(curve=curve(throughput_tokens_per_s=1000.0))

    assert severities("OUT3", fast(1000.0 * off), known) == expected


@pytest.mark.parametrize(
    ("off", "expected"), [(1.0, []), (0.86, []), (0.84, ["W"]), (0.71, ["W"]), (0.69, ["R"]), (1.31, ["R"])]
)
def test_energy_off_the_curve_is_flagged_sooner(off, expected):
    known = context(curve=curve(energy_per_output_token_j=1.0))

    assert severities("OUT3", bare(batch_size=32, energy_per_output_token_j=off), known) == expected


def test_the_curve_is_a_line_of_logarithms():
    known = context(
        curve=[neighbour(load=16, throughput_tokens_per_s=400.0), neighbour(load=64, throughput_tokens_per_s=900.0)]
    )

    (found,) = findings("OUT3", fast(6000.0), known)

    assert "about 600 tok/s" in found.message
    assert "at 16 and 64" in found.message


@pytest.mark.parametrize(
    "loads", [(16,), (64,), (32, 32), (16, 96), (8, 16)], ids=["smaller", "larger", "same", "too far apart", "one side"]
)
def test_without_a_near_neighbour_on_both_sides_the_curve_says_nothing(loads):
    points = [neighbour(load=load, throughput_tokens_per_s=1000.0) for load in loads]

    assert severities("OUT3", fast(9000.0), context(curve=points)) == []


def test_several_points_at_one_load_count_as_their_median():
    points = [neighbour(load=16, throughput_tokens_per_s=value) for value in (1000.0, 1000.0, 90_000.0)]
    points.append(neighbour(load=64, throughput_tokens_per_s=1000.0))

    assert severities("OUT3", fast(1000.0), context(curve=points)) == []


def test_a_result_without_a_load_has_no_place_on_a_curve():
    assert (
        severities("OUT3", bare(throughput_tokens_per_s=9e9), context(curve=curve(throughput_tokens_per_s=1.0))) == []
    )
