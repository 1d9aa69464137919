"""Cycle by cycle: mean, interval and CV by hand."""

import pytest

from leaderboard.charts.cycles import Cycles, cycles
from tests.leaderboard.charts.making import table_of

METRIC = "tokens_per_joule"


def of(*values, title="Model on H100", scope="gpu"):
    return Cycles(title=title, detail="vLLM, bf16", url=f"/results/{title}/", scope=scope, values=values)


def strips(chart):
    return [trace for trace in chart.traces if "customdata" in trace]


def means(chart):
    return [trace for trace in chart.traces if trace.get("legendgroup") == "mean"]


def test_mean_interval_and_variation_are_those_of_the_cycles():
    """2, 3, 4: sd 1, t(0.975, 2) = 4.3027, so 3 +- 4.3027/sqrt(3) = 2.4842; CV a third."""
    chart = cycles([of(2.0, 3.0, 4.0)], METRIC)

    assert means(chart)[0]["y"] == [3.0]
    assert means(chart)[0]["error_y"]["array"] == pytest.approx([2.48414])
    assert chart.summary == (
        "Model on H100: mean 3.0000 tok/J over 3 cycles, 95 % interval 0.51586 to 5.4841 tok/J, CV 33 %."
    )


def test_two_cycles_have_neither_an_interval_nor_a_box():
    chart = cycles([of(2.0, 4.0)], METRIC)

    assert "error_y" not in means(chart)[0]
    assert [trace["type"] for trace in chart.traces] == ["scatter", "scatter"]


def test_every_cycle_has_its_row_and_a_cycle_without_the_figure_none():
    chart = cycles([of(2.0, None, 4.0), of(5.0, 6.0, title="Other")], METRIC)

    drawn = {row: y for trace in strips(chart) for row, y in zip(trace["customdata"], trace["y"], strict=True)}
    assert drawn == dict(enumerate([2.0, 4.0, 5.0, 6.0]))
    assert table_of(chart, "cycle", METRIC) == [(1, 2.0), (3, 4.0), (1, 5.0), (2, 6.0)]
    assert list(chart.table.urls) == ["/results/Model on H100/"] * 2 + ["/results/Other/"] * 2


def test_cycles_stand_in_the_order_of_time():
    xs = strips(cycles([of(4.0, 3.0, 2.0)], METRIC))[0]["x"]

    assert xs == sorted(xs)


def test_different_scopes_are_said_to_differ():
    notes = cycles([of(1.0, 2.0), of(1.0, 2.0, scope="wall")], METRIC).notes

    assert "The results were measured in different energy scopes, which are not comparable." in notes


def test_no_cycle_is_an_empty_chart():
    assert cycles([of(None)], METRIC).is_empty
