"""A chart as the server draws it: where marks, lines and ticks lie, and what is left to the script."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table
from leaderboard.presenting.charts.still import outline, still_of
from tests.factories import published_result

MARKS: dict[str, Any] = {
    "type": "scatter",
    "mode": "markers",
    "name": "a &lt; b",
    "x": [0.0, 100.0, 50.0],
    "y": [0.0, 10.0, 2.5],
    "marker": {"color": "series-1", "symbol": "circle", "size": [10, 20, 10], "opacity": 0.8},
}
LINE: dict[str, Any] = {
    "type": "scatter",
    "mode": "lines",
    "name": "Frontier",
    "x": [0.0, 100.0],
    "y": [10.0, 0.0],
    "line": {"color": "text", "width": 1.5, "dash": "dot", "shape": "vh"},
}


def a_chart(*traces, x=None, y=None, **layout):
    drawn = look.layout(x=x or look.axis("Speed (tok/s)"), y=y or look.axis("Power (W)"), **layout)
    return Chart("scatter", "Title", "Summary", traces, drawn, Table([Column("x", "X")], [[1]]))


def test_marks_lie_in_proportion_with_room_at_the_edges():
    drawn = still_of(a_chart(MARKS))

    # 5 % of room on each side: 0 is at 5/110 of the axis, and 100 at 105/110; the top is 0.
    assert {place for group in drawn.marks for place in group.places} == {(4.55, 95.45), (95.45, 4.55), (50.0, 72.73)}


def test_marks_of_one_size_share_an_outline_and_the_greatest_lie_below():
    drawn = still_of(a_chart(MARKS))

    assert [(group.outline, len(group.places)) for group in drawn.marks] == [
        (outline("circle", 20), 1),
        (outline("circle", 10), 2),
    ]
    assert {(group.token, group.opacity, group.is_open) for group in drawn.marks} == {("series-1", 0.8, False)}


def test_an_open_symbol_is_empty():
    marks = MARKS | {"marker": {"color": "muted", "symbol": "circle-open", "size": 5}}

    (group,) = still_of(a_chart(marks)).marks

    assert (group.is_open, group.outline) == (True, outline("circle", 5))


def test_a_mark_of_a_bright_colour_has_an_edge():
    marker = {"color": "accent", "symbol": "star", "size": 19, "line": {"color": "text", "width": 1}}

    (edged,) = still_of(a_chart(MARKS | {"marker": marker})).marks
    (plain,) = still_of(a_chart(MARKS | {"marker": marker | {"line": {"color": "surface"}}})).marks

    assert (edged.is_edged, plain.is_edged) == (True, False)


def test_an_axis_of_logarithms_puts_a_factor_where_it_belongs_and_names_one_two_and_five():
    marks = MARKS | {"x": [1.0, 10.0, 100.0]}

    drawn = still_of(a_chart(marks, x=look.axis("Speed", is_log=True)))

    lefts = sorted(left for group in drawn.marks for left, _ in group.places)
    assert lefts[1] - lefts[0] == pytest.approx(lefts[2] - lefts[1])
    assert [tick.label for tick in drawn.x_ticks] == ["1", "2", "5", "10", "20", "50", "100"]
    assert [tick.label for tick in drawn.x_ticks if tick.is_main] == ["1", "10", "100"]


def test_a_short_axis_of_logarithms_has_even_ticks():
    marks = MARKS | {"x": [30.0, 40.0, 45.0]}

    drawn = still_of(a_chart(marks, x=look.axis("Speed", is_log=True)))

    assert [tick.label for tick in drawn.x_ticks] == ["30", "35", "40", "45"]


def test_few_ticks_are_all_shown_on_a_phone():
    marks = MARKS | {"x": [30.0, 700.0, 100.0]}

    drawn = still_of(a_chart(marks, x=look.axis("Speed", is_log=True)))

    assert [(tick.label, tick.is_main) for tick in drawn.x_ticks] == [
        ("50", True), ("100", True), ("200", True), ("500", True),
    ]  # fmt: skip


def test_many_powers_of_ten_are_named_alone():
    marks = MARKS | {"x": [0.001, 1.0, 1_000_000.0]}

    drawn = still_of(a_chart(marks, x=look.axis("Speed", is_log=True)))

    assert [tick.label for tick in drawn.x_ticks] == [
        "0.001", "0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100,000", "1,000,000",
    ]  # fmt: skip


def test_ticks_asked_for_are_those_shown():
    axis = look.axis("Batch", type="log", tickmode="array", tickvals=[1, 8], ticktext=["1", "8"])

    drawn = still_of(a_chart(MARKS | {"x": [1, 8, 8]}, x=axis))

    assert [(tick.label, tick.percent) for tick in drawn.x_ticks] == [("1", 4.55), ("8", 95.45)]


def test_an_axis_that_begins_at_zero_does():
    drawn = still_of(a_chart(MARKS | {"y": [5.0, 10.0, 10.0]}, y=look.axis("Power", rangemode="tozero")))

    assert drawn.y_ticks[0].label == "0"
    assert drawn.y_ticks[0].percent == 100


def test_one_value_alone_has_an_axis_around_it():
    drawn = still_of(a_chart(MARKS | {"x": [7.0], "y": [0.0], "marker": MARKS["marker"] | {"size": 9}}))

    assert drawn.marks[0].places == [(50.0, 50.0)]
    assert len(drawn.x_ticks) > 1


@pytest.mark.parametrize(
    ("shape", "path"),
    [("vh", "M46 46V954H954"), ("hv", "M46 46H954V954"), ("linear", "M46 46L954 954")],
    ids=["up-first", "across-first", "straight"],
)
def test_a_line_goes_in_its_steps(shape, path):
    (line,) = still_of(a_chart(LINE | {"line": LINE["line"] | {"shape": shape}})).lines

    assert (line.path, line.token, line.width_px, line.dash) == (path, "text", 1.5, "3 3")


def test_the_legend_names_what_is_shown_in_plain_text():
    drawn = still_of(a_chart(MARKS, LINE, LINE | {"name": "hidden", "showlegend": False}))

    assert [(key.label, key.line is None, key.mark is None) for key in drawn.keys] == [
        ("a < b", True, False),
        ("Frontier", False, True),
    ]


def test_one_series_needs_no_legend():
    assert still_of(a_chart(MARKS)).keys == []


@pytest.mark.parametrize(
    "chart",
    [
        a_chart(),
        a_chart({**MARKS, "type": "bar"}),
        a_chart(MARKS, {"type": "box", "y": [1.0, 2.0], "name": "spread"}),
        a_chart({**MARKS, "error_y": {"array": [1, 1, 1]}}),
        a_chart({**MARKS, "xaxis": "x2"}),
        a_chart({**MARKS, "x": ["0.1", "0.2", "0.3"]}),
        a_chart({**MARKS, "y": [1.0, None, 2.0]}),
        a_chart(MARKS, x=look.axis("Version", type="category")),
        a_chart(MARKS, x=look.axis("Speed", is_log=True)),
        a_chart(MARKS, annotations=[{"text": "a word"}]),
        a_chart(MARKS, shapes=[{"type": "line"}]),
    ],
    ids=[
        "nothing", "bars", "boxes-beside-marks", "error-bars", "panels", "names", "gap", "axis-of-names",
        "zero-on-logarithms", "annotations", "shapes",
    ],
)  # fmt: skip
def test_what_it_does_not_draw_is_left_to_the_script(chart):
    assert still_of(chart) is None


@pytest.mark.parametrize("symbol", sorted({look.mark(place).symbol for place in range(24)}))
def test_every_symbol_of_the_charts_has_an_outline_about_its_size(symbol):
    numbers = [abs(float(number)) for number in re.findall(r"-?[\d.]+", outline(symbol, 20))]

    assert 9 <= max(numbers) <= 14.2


def test_an_unknown_symbol_is_an_error():
    with pytest.raises(ValueError, match="hourglass"):
        outline("hourglass", 10)


@pytest.mark.django_db
def test_the_page_shows_it_beside_what_the_script_draws(client):
    published_result(tokens_per_joule=3.5, throughput_tokens_per_s=900.0)
    published_result(tokens_per_joule=1.5, throughput_tokens_per_s=1900.0, gpu_count=2)

    page = client.get("/charts/scatter/").content.decode()

    assert page.count('<div class="still" aria-hidden="true">') == 1
    assert page.count("<use href=") == 2
    assert not re.search(r"\sstyle=", page)
