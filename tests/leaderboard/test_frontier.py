"""The Pareto frontier against its definition, written down once more the slow way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.analysis.frontier import pareto

#: few distinct values, so that ties are the rule
values = st.lists(st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(float)), max_size=30)
any_values = st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2), max_size=30)


def by_definition(values, higher_x, higher_y):
    def dominates(a, b):
        x_at_least, x_better = (a[0] >= b[0], a[0] > b[0]) if higher_x else (a[0] <= b[0], a[0] < b[0])
        y_at_least, y_better = (a[1] >= b[1], a[1] > b[1]) if higher_y else (a[1] <= b[1], a[1] < b[1])
        return x_at_least and y_at_least and (x_better or y_better)

    free = [i for i, b in enumerate(values) if not any(dominates(a, b) for a in values)]
    return sorted(free, key=lambda i: values[i][0])


@given(values | any_values, st.booleans(), st.booleans())
def test_the_frontier_is_what_nothing_dominates_by_rising_x(values, higher_x, higher_y):
    assert pareto(values, higher_x, higher_y) == by_definition(values, higher_x, higher_y)


@pytest.mark.parametrize(
    ("higher_x", "higher_y", "expected"),
    [(False, True, [0, 2, 4]), (True, True, [4]), (False, False, [0]), (True, False, [0, 3])],
)
def test_a_case_by_hand(higher_x, higher_y, expected):
    # ITL in ms and tokens/J of five configurations
    values = [(10.0, 2.0), (20.0, 2.5), (15.0, 3.0), (40.0, 2.2), (40.0, 5.0)]

    assert pareto(values, higher_x, higher_y) == expected


def test_equal_points_are_all_on_the_frontier_in_the_order_given():
    assert pareto([(2.0, 1.0), (1.0, 1.0), (1.0, 1.0)], higher_x=False, higher_y=True) == [1, 2]


def test_nothing_has_no_frontier():
    assert pareto([], higher_x=True, higher_y=True) == []
