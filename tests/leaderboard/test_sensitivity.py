"""How far one parameter moves a figure: measured ends only, everything else equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.analysis.sensitivity import Step, widest_span

figures = st.floats(min_value=0.01, max_value=1e4)
steps = st.lists(st.builds(Step, same=st.sampled_from("abc"), at=st.integers(1, 64), figure=figures), max_size=30)


def test_the_factor_is_the_figure_at_the_highest_value_over_that_at_the_lowest():
    span = widest_span([Step("a", 1, 0.5), Step("a", 16, 4.45), Step("a", 4, 2.0)])

    assert (span.low, span.high, span.values) == (1, 16, 3)
    assert span.factor == 8.9


def test_of_several_results_at_one_value_the_best_counts():
    span = widest_span([Step("a", 1, 1.0), Step("a", 1, 2.0), Step("a", 2, 4.0)])

    assert span.factor == 2.0


def test_values_of_different_groups_are_never_put_together():
    assert widest_span([Step("a", 1, 1.0), Step("b", 2, 2.0)]) is None


def test_a_curve_is_told_before_two_values_that_differ_more():
    few = [Step("few", 1, 1.0), Step("few", 2, 100.0)]
    many = [Step("many", at, float(at)) for at in (1, 2, 3)]

    assert widest_span([*few, *many]).same == "many"


def test_of_two_curves_the_one_that_moves_the_figure_most_is_told_whichever_way():
    down = [Step("down", at, 8.0 / at) for at in (1, 4, 8)]
    up = [Step("up", at, float(at)) for at in (1, 2, 3, 4)]

    assert widest_span([*up, *down]).same == "down"


def test_a_figure_of_zero_says_nothing():
    assert widest_span([Step("a", 1, 0.0), Step("a", 2, 1.0)]) is None


@given(steps)
def test_both_ends_were_measured(measured):
    span = widest_span(measured)

    if span is not None:
        there = {(step.same, step.at, step.figure) for step in measured}
        assert (span.same, span.low, span.figure_at_low) in there
        assert (span.same, span.high, span.figure_at_high) in there
        assert span.low < span.high
