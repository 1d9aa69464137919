"""The answer among its alternatives: by hand."""

from __future__ import annotations

from leaderboard.charts.frontier import Axis, Shown, frontier_chart
from tests.leaderboard.charts.making import a_point

ITL, COST = Axis("itl_ms_p50", "ITL p50", "ms"), Axis("cost_per_million_tokens_usd", "Cost", "$/M tokens")
#: (20, 0.3) and (30, 0.1) are beaten by none; (25, 0.4) is slower and dearer than the first
THREE = ((25.0, 0.4), (30.0, 0.1), (20.0, 0.3))


def points():
    return [a_point({ITL.metric: x, COST.metric: y}) for x, y in THREE]


def traces(chart):
    return {trace["name"]: trace for trace in chart.traces}


def test_the_frontier_stands_first_by_rising_x_and_the_rest_behind_it():
    rows = points()

    chart = frontier_chart(rows, (ITL, COST), Shown(urls={row.id: f"/{row.id}/" for row in rows}))

    assert [row[-3:] for row in chart.table.rows] == [[20.0, 0.3, "yes"], [30.0, 0.1, "yes"], [25.0, 0.4, "no"]]
    assert list(chart.table.urls) == [f"/{rows[place].id}/" for place in (2, 1, 0)]


def test_every_mark_is_the_row_that_it_names():
    rows = points()

    chart = frontier_chart(rows, (ITL, COST), Shown(best=rows[1].id))

    marks = [trace for trace in chart.traces if trace["mode"] == "markers"]
    named = {row: (x, y) for t in marks for row, x, y in zip(t["customdata"], t["x"], t["y"], strict=True)}
    assert named == {place: tuple(row[-3:-1]) for place, row in enumerate(chart.table.rows)}


def test_the_answer_is_the_star_and_the_limit_a_line():
    rows = points()

    found = traces(frontier_chart(rows, (ITL, COST), Shown(best=rows[2].id, limit=28.0)))

    assert (found["the answer"]["x"], found["the answer"]["y"]) == ([20.0], [0.3])
    assert found["on the frontier"]["x"] == [30.0]
    assert found["others"]["x"] == [25.0]
    assert found["your limit, 28 ms"]["x"] == [28.0, 28.0]


def test_the_steps_go_through_the_frontier_alone():
    line = traces(frontier_chart(points(), (ITL, COST), Shown()))["frontier"]

    assert (line["x"], line["y"], line["line"]["shape"]) == ([20.0, 30.0], [0.3, 0.1], "hv")


def test_the_summary_gives_both_ends():
    assert frontier_chart(points(), (ITL, COST), Shown(limit=28.0)).summary == (
        "2 configurations on the frontier: none is better in both figures. It goes from 20.00 ms with 0.3000 "
        "$/M tokens to 30.00 ms with 0.1000 $/M tokens. The dotted line is your limit of 28 ms."
    )


def test_nothing_to_draw_is_said():
    chart = frontier_chart([], (ITL, COST), Shown(limit=28.0))

    assert chart.is_empty
    assert chart.summary == "No result with both Cost and ITL p50 passes the filters."
