"""Efficiency against speed: by hand."""

from leaderboard.charts.scatter import Plane, scatter
from tests.leaderboard.charts.making import a_point, table_of

SPEED, FRUGAL = "throughput_tokens_per_s", "tokens_per_joule"
PLANE = Plane(SPEED, FRUGAL)


def points(*pairs, **fields):
    return [a_point({SPEED: x, FRUGAL: y}, **fields) for x, y in pairs]


#: (100, 5) and (300, 2) are beaten by none; (50, 4) is slower and hungrier than the first
FOUR = ((100.0, 5.0), (300.0, 2.0), (50.0, 4.0), (200.0, 2.0))


def frontiers(chart):
    return [trace for trace in chart.traces if trace["mode"] == "lines"]


def test_the_frontier_is_what_nothing_beats_in_both():
    chart = scatter(points(*FOUR), PLANE)

    line = frontiers(chart)[0]
    assert list(zip(line["x"], line["y"], strict=True)) == [(100.0, 5.0), (300.0, 2.0)]


def test_where_less_is_better_the_frontier_turns():
    rows = [a_point({"ttft_ms_p50": x, FRUGAL: y}) for x, y in FOUR]

    line = frontiers(scatter(rows, Plane("ttft_ms_p50", FRUGAL)))[0]

    assert list(zip(line["x"], line["y"], strict=True)) == [(50.0, 4.0), (100.0, 5.0)]
    assert line["line"]["shape"] == "hv"


def test_energies_of_two_scopes_have_two_frontiers():
    rows = points((100.0, 5.0)) + points((90.0, 4.0), energy_scope="node")

    lines = frontiers(scatter(rows, PLANE))

    assert [line["name"] for line in lines] == ["Frontier, GPU energy", "Frontier, node energy"]
    assert [line["x"] for line in lines] == [[100.0], [90.0]]


def test_every_mark_has_its_row_and_every_row_its_mark():
    rows = points(*FOUR) + points((70.0, 1.0), backend_name="SGLang")

    chart = scatter(rows, PLANE)

    drawn = {
        (row, x, y)
        for trace in chart.traces
        if "customdata" in trace
        for row, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
    }
    assert drawn == {(i, *pair) for i, pair in enumerate(table_of(chart, SPEED, FRUGAL))}


def test_the_table_says_which_are_on_the_frontier():
    assert table_of(scatter(points(*FOUR), PLANE), "on_frontier") == [("yes",), ("yes",), ("no",), ("no",)]


def test_areas_are_in_proportion_to_parameters():
    rows = [a_point({SPEED: 1.0, FRUGAL: 1.0}, parameters_total_b=size) for size in (400.0, 100.0, None)]

    sizes = scatter(rows, PLANE).traces[0]["marker"]["size"]

    assert sizes == [30.0, 15.0, 8.0]


def test_series_differ_in_mark_as_well_as_in_colour():
    rows = points(*FOUR) + points((70.0, 1.0), backend_name="SGLang")

    first, second = (trace["marker"] for trace in scatter(rows, PLANE).traces if "marker" in trace)

    assert first["color"] != second["color"]
    assert first["symbol"] != second["symbol"]


def test_what_differs_is_the_series_where_the_backends_are_one():
    rows = points((100.0, 5.0)) + points((90.0, 4.0), hardware_name="L40S")

    assert {trace["name"] for trace in scatter(rows, PLANE).traces} == {"H100", "L40S", "Frontier"}


def test_more_backends_than_marks_are_others_together():
    rows = [a_point({SPEED: 1.0, FRUGAL: 1.0}, backend_name=f"Backend {i}") for i in range(12)]

    names = [trace["name"] for trace in scatter(rows, PLANE, "backend").traces if "marker" in trace]

    assert len(names) == 8
    assert names[-1] == "others"


def test_text_from_data_is_not_markup_of_the_figure():
    rows = [a_point({SPEED: 1.0, FRUGAL: 1.0}, model_title="<b>a</b>", backend_name='<a href="javascript:x">')]

    marks = scatter(rows, PLANE).traces[0]

    assert "<b>" not in marks["hovertext"][0]
    assert "<a" not in marks["name"]


def test_nothing_to_draw_is_an_empty_chart_that_says_why():
    chart = scatter([], PLANE)

    assert chart.is_empty
    assert chart.summary == "No result with both figures passes the filters."
