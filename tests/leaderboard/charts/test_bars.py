"""Comparison bars: which is best, and what can be said of the others."""

from __future__ import annotations

import pytest
from scipy.stats import ttest_ind_from_stats

from leaderboard.analysis.welch import Repeats
from leaderboard.charts.bars import Bar, bars
from tests.leaderboard.charts.marks import column, marks


def bar(name, value, n=3, sd=0.1, scope="gpu"):
    return Bar(name, value, Repeats(n, value, sd), value - 0.2, value + 0.2, scope, f"/{name}/")


def test_the_best_comes_first_and_each_other_is_compared_with_it():
    chart = bars("tokens_per_joule", [bar("far", 5.0), bar("best", 10.0), bar("near", 9.95), bar("few", 9.0, n=1)])
    assert column(chart, "result") == ["best", "near", "few", "far"]
    assert column(chart, "finding") == ["best", "no clear difference", "too few repeats to tell", "different"]
    assert column(chart, "percent_of_best") == pytest.approx([100, 99.5, 90, 50])


def test_the_p_value_is_that_of_welchs_test():
    chart = bars("tokens_per_joule", [bar("a", 10.0, n=4, sd=0.3), bar("b", 9.6, n=3, sd=0.2)])
    theirs = ttest_ind_from_stats(10.0, 0.3, 4, 9.6, 0.2, 3, equal_var=False).pvalue
    assert column(chart, "p") == [None, pytest.approx(theirs)]


def test_less_is_better_where_the_metric_says_so():
    chart = bars("energy_per_output_token_j", [bar("more", 2.0), bar("less", 1.0)])
    assert column(chart, "result") == ["less", "more"]
    assert chart.summary == ("Least J/token: less, 1.000 J/tok. more has 100 % more, a clear difference.")


def test_another_energy_scope_is_compared_with_nothing():
    chart = bars("tokens_per_joule", [bar("wall", 20.0, scope="wall"), bar("a", 10.0), bar("b", 9.0)])
    assert column(chart, "result") == ["a", "b", "wall"]
    assert column(chart, "finding")[-1] == "another energy scope, not comparable"
    assert column(chart, "percent_of_best")[-1] is None


def test_without_a_stated_scope_nothing_is_compared():
    chart = bars("tokens_per_joule", [bar("a", 10.0, scope=""), bar("b", 9.0, scope="")])
    assert column(chart, "finding") == ["best", "energy scope not stated, not comparable"]


def test_figures_without_energy_need_no_scope():
    chart = bars("throughput_tokens_per_s", [bar("a", 10.0, scope=None), bar("b", 9.0, scope=None)])
    assert column(chart, "finding") == ["best", "different"]


def test_the_bars_are_the_rows():
    chart = bars("tokens_per_joule", [bar("a", 10.0), bar("b", 9.0)])
    assert [x for _, x, _ in marks(chart)] == column(chart, "tokens_per_joule")
    assert chart.table.urls == ["/a/", "/b/"]
    assert chart.traces[0]["error_x"]["array"] == pytest.approx([0.2, 0.2])


def test_what_is_not_clearly_different_is_hatched():
    chart = bars("tokens_per_joule", [bar("a", 10.0), bar("b", 9.98), bar("c", 5.0)])
    assert chart.traces[0]["marker"]["pattern"]["shape"] == ["", "/", ""]


def test_many_bars_are_summed_up():
    chart = bars("tokens_per_joule", [bar(str(n), 10.0 - n) for n in range(6)])
    assert chart.summary == "Most Tokens/J: 0, 10.00 tok/J. Of the others: 5 clearly worse."


def test_names_are_written_as_they_are_and_cut_on_a_phone():
    chart = bars("tokens_per_joule", [bar("<b>" + "x" * 60, 10.0)])
    (wide,), (narrow,) = chart.layout["annotations"], chart.layout["narrow"]["annotations"]
    assert wide["text"] == "&lt;b&gt;" + "x" * 60
    assert narrow["text"].endswith("x…")


def test_no_result_says_what_to_choose():
    chart = bars("tokens_per_joule", [])
    assert chart.is_empty
    assert chart.summary == "Choose two to eight results that have Tokens/J."
