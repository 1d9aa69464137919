"""Change points of a history: what is found, and how often chance alone is."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from leaderboard.analysis.changes import change_points
from leaderboard.analysis.versions import version_key
from leaderboard.analysis.welch import Repeats


def with_repeats(chance, means, n=3, cv=0.02):
    rows = [chance.normal(mean, cv * mean, size=n) for mean in means]
    return [Repeats(n, float(row.mean()), float(row.std(ddof=1))) for row in rows]


def share_with_a_change(histories):
    found = [bool(change_points(history)) for history in histories]
    return sum(found) / len(found)


@pytest.mark.parametrize("versions", [2, 8])
def test_at_most_one_in_twenty_histories_without_change_gets_a_mark(versions):
    chance = np.random.default_rng(versions)
    share = share_with_a_change(with_repeats(chance, [50.0] * versions) for _ in range(800))
    assert share < 0.06


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_noise_without_repeats_gets_hardly_any_mark(noise):
    chance = np.random.default_rng(1)
    histories = ([Repeats(1, 50 * math.exp(x)) for x in chance.normal(0, noise, size=10)] for _ in range(400))
    assert share_with_a_change(histories) < 0.05


def test_a_jump_with_repeats_is_found_where_it_is():
    chance = np.random.default_rng(2)
    history = with_repeats(chance, [50, 50, 50, 60, 60, 60], n=5, cv=0.01)
    assert [change.at for change in change_points(history)] == [3]


def test_its_ratio_is_the_later_over_the_earlier():
    (change,) = change_points([Repeats(3, 10, 0.01), Repeats(3, 12, 0.01)])
    assert change.ratio == pytest.approx(1.2)


def test_a_jump_without_repeats_is_found_above_the_noise():
    history = [Repeats(1, value) for value in (50, 51, 50, 66, 65, 66)]
    assert [(change.at, change.p) for change in change_points(history)] == [(3, None)]


def test_a_step_within_the_noise_floor_is_no_change_without_repeats():
    assert change_points([Repeats(1, 50), Repeats(1, 58)]) == []


def test_one_side_without_repeats_is_judged_by_the_noise():
    assert change_points([Repeats(5, 50, 0.01), Repeats(1, 51)]) == []


def test_the_p_values_of_a_history_are_judged_together():
    """p = 0.03 passes alone, and not among ten."""
    pair = [Repeats(3, 100, 2.0), Repeats(3, 105.6, 2.0)]
    assert len(change_points(pair)) == 1
    assert change_points([*pair, *[Repeats(3, 105.6, 2.0)] * 9]) == []


def test_zero_and_negative_figures_are_never_marked_by_the_noise():
    assert change_points([Repeats(1, 0), Repeats(1, 5), Repeats(1, -5)]) == []


def test_versions_stand_in_the_order_of_their_numbers():
    ordered = [
        "0.5.4", "0.6.0.dev3", "0.6.0a1", "0.6.0rc1", "0.6.0rc2", "0.6.0", "0.6.0.post1", "0.6.1", "0.9", "0.10.1",
        "v1.0.0", "1.0.1+cu121", "2024.12.1",
    ]  # fmt: skip
    assert sorted(random.Random(1).sample(ordered, len(ordered)), key=version_key) == ordered


def test_one_release_written_in_two_ways_stands_together():
    ordered = sorted(["0.6", "0.6.1", "0.6.0", "0.5.9"], key=version_key)
    assert ordered == ["0.5.9", "0.6", "0.6.0", "0.6.1"]


def test_any_text_has_a_place_in_the_order():
    assert sorted(["main", "nightly-2024", "", "0.5"], key=version_key)[-1] == "0.5"
