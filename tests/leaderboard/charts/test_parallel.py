"""Parallel coordinates: places on the axes by hand, and ranges that filter the table."""

import pytest

from leaderboard.charts.parallel import Scale, parallel
from tests.leaderboard.charts.making import a_point, table_of

SPEED, FRUGAL, POWER = "throughput_tokens_per_s", "tokens_per_joule", "avg_power_w"
AXES = (SPEED, FRUGAL, POWER)


@pytest.fixture
def three():
    """Speed 100 to 300, tokens/J 1 to 5, power 200 to 600 W: none of them wide enough for a logarithm."""
    rows = ((100.0, 5.0, 200.0), (200.0, 2.0, 400.0), (300.0, 1.0, 600.0))
    return [a_point(dict(zip(AXES, row, strict=True))) for row in rows]


def lines(chart):
    return [trace for trace in chart.traces if "customdata" in trace]


def test_each_configuration_is_a_line_between_the_least_and_the_greatest(three):
    trace = lines(parallel(three, AXES, {}))[0]

    assert trace["x"] == [0, 1, 2, None] * 3
    assert trace["y"] == [0.0, 1.0, 0.0, None, 0.5, 0.25, 0.5, None, 1.0, 0.0, 1.0, None]


def test_each_vertex_leads_to_the_row_of_its_configuration(three):
    chart = parallel(three, AXES, {})

    trace = lines(chart)[0]
    told = {
        (row, AXES[x]): Scale.of(AXES[x], [p.values[AXES[x]] for p in three]).value(y)
        for row, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
        if row is not None
    }
    assert told == {
        (row, name): value
        for row, values in enumerate(table_of(chart, *AXES))
        for name, value in zip(AXES, values, strict=True)
    }


def test_a_wide_axis_is_logarithmic():
    scale = Scale.of(POWER, [1.0, 100.0, 10_000.0])

    assert scale.is_log
    assert [scale.place(value) for value in (1.0, 100.0, 10_000.0)] == pytest.approx([0, 0.5, 1])
    assert scale.value(0.5) == pytest.approx(100)


def test_an_axis_with_one_value_has_it_in_the_middle():
    assert Scale.of(POWER, [7.0, 7.0]).place(7.0) == 0.5


def test_ranges_filter_the_table(three):
    chart = parallel(three, AXES, {SPEED: (150.0, None), POWER: (None, 400.0)})

    assert table_of(chart, SPEED) == [(200.0,)]


def test_what_is_outside_the_ranges_stays_as_faint_lines_without_rows(three):
    chart = parallel(three, AXES, {SPEED: (150.0, None)})

    faint = next(trace for trace in chart.traces if trace["name"] == "outside the ranges")
    assert faint["y"] == [0.0, 1.0, 0.0, None]
    assert faint["hoverinfo"] == "skip"
    assert [row for trace in lines(chart) for row in trace["customdata"] if row is not None] == [0, 0, 0, 1, 1, 1]


def test_the_ends_of_a_range_are_in_it(three):
    assert len(parallel(three, AXES, {SPEED: (100.0, 300.0)}).table.rows) == 3


def test_the_addresses_follow_their_rows(three):
    chart = parallel(three, AXES, {SPEED: (250.0, None)}, urls=["/a/", "/b/", "/c/"])

    assert list(chart.table.urls) == ["/c/"]


def test_the_summary_says_how_many_are_within(three):
    assert parallel(three, AXES, {SPEED: (150.0, None)}).summary == (
        "2 of 3 configurations within Output tok/s at least 150 tok/s."
    )
