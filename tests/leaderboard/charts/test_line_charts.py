"""Sweep, scaling and history: figures against cases computed by hand, and tables against figures."""

from __future__ import annotations

import pytest

from leaderboard.charts.curves import Line, Reading, factor_words, in_words, ticks
from leaderboard.charts.history import Measured, by_version, history
from leaderboard.charts.scaling import against_ideal, scaling
from leaderboard.charts.sweep import sweep
from tests.leaderboard.charts.marks import column, marks

BATCH = ("Batch size", "")


def line(name, *pairs):
    return Line(name, [Reading(at, value, url=f"/{name}/{at}/") for at, value in pairs])


# sweep


def test_the_sentence_of_a_sweep_says_the_factor_between_its_ends():
    chart = sweep("energy_per_output_token_j", BATCH, [line("fp8", (1, 4.45), (16, 0.5))])
    assert chart.summary == "Batch size 1 to 16 cuts J/token by 8.9x (fp8)."


def test_the_sentence_of_a_sweep_names_the_best_where_it_lies_between():
    chart = sweep("tokens_per_joule", BATCH, [line("fp8", (1, 1.0), (8, 5.0), (16, 4.0))])
    assert chart.summary == "Batch size 1 to 16 raises Tokens/J 4.0x (fp8). Best is 5.000 tok/J at 8."


def test_every_mark_of_a_sweep_has_its_row_and_every_row_its_mark():
    lines = [line("fp8", (1, 1.0), (8, 5.0)), line("bf16", (1, 0.5), (4, 2.0), (8, 3.0))]
    chart = sweep("tokens_per_joule", BATCH, lines)
    rows = [(at, value) for _, at, value, *_ in chart.table.rows]
    assert [(row, (x, y)) for row, x, y in marks(chart)] == list(enumerate(rows))
    assert chart.table.urls == ["/fp8/1/", "/fp8/8/", "/bf16/1/", "/bf16/4/", "/bf16/8/"]


def test_the_bars_of_an_interval_reach_its_ends():
    chart = sweep("tokens_per_joule", BATCH, [Line("fp8", [Reading(1, 10.0, 9.0, 12.0), Reading(2, 20.0)])])
    assert chart.traces[0]["error_y"]["array"] == [2.0, 0]
    assert chart.traces[0]["error_y"]["arrayminus"] == [1.0, 0]


def test_lines_differ_in_dash_and_mark_too():
    chart = sweep("tokens_per_joule", BATCH, [line(str(n), (1, 1.0)) for n in range(6)])
    assert len({(trace["line"]["dash"], trace["marker"]["symbol"]) for trace in chart.traces}) == 6


def test_a_sweep_without_two_values_says_so():
    chart = sweep("tokens_per_joule", ("Concurrency", ""), [])
    assert chart.is_empty
    assert chart.summary == "No configuration is measured at two values of concurrency."


@pytest.mark.parametrize(
    ("metric", "first", "last", "words"),
    [
        ("tokens_per_joule", 1.0, 2.0, "raises Tokens/J 2.0x"),
        ("tokens_per_joule", 1.0, 1.1, "raises Tokens/J by 10 %"),
        ("tokens_per_joule", 1.0, 0.8, "cuts Tokens/J by 20 %"),
        ("energy_per_output_token_j", 8.9, 1.0, "cuts J/token by 8.9x"),
        ("tokens_per_joule", 3.0, 3.0, "leaves Tokens/J as it is"),
        ("tokens_per_joule", 0.0, 3.0, "moves Tokens/J from 0 tok/J to 3.000 tok/J"),
    ],
)
def test_a_change_is_said_as_people_say_it(metric, first, last, words):
    assert factor_words(metric, first, last) == words


def test_few_of_the_measured_values_are_named_on_an_axis():
    assert ticks([1, 2, 4, 8]) == [1, 2, 4, 8]
    assert len(ticks(list(range(1, 1000)))) <= 9
    assert ticks([64]) == [64]


def test_labels_keep_their_capitals_inside_a_sentence():
    assert (in_words("Batch size"), in_words("GPU count")) == ("batch size", "GPU count")


# scaling


def test_the_ideal_grows_with_the_gpus_from_the_smallest_count():
    scaled = against_ideal("throughput_tokens_per_s", [Reading(2, 100.0), Reading(4, 180.0), Reading(8, 300.0)])
    assert [one.ideal for one in scaled] == [100.0, 200.0, 400.0]
    assert [one.efficiency for one in scaled] == pytest.approx([1.0, 0.9, 0.75])


def test_tokens_per_joule_are_ideally_the_same_on_any_number():
    scaled = against_ideal("tokens_per_joule", [Reading(1, 4.0), Reading(2, 3.0)])
    assert [(one.ideal, one.efficiency) for one in scaled] == [(4.0, 1.0), (4.0, 0.75)]


def test_the_table_of_scaling_has_what_the_figure_draws():
    lines = [line("fp8", (1, 100.0), (2, 180.0)), line("bf16", (2, 80.0), (4, 120.0))]
    chart = scaling("throughput_tokens_per_s", lines)
    assert [(x, y) for _, x, y in marks(chart)] == [(row[1], row[2]) for row in chart.table.rows]
    ideal = [value for trace in chart.traces if trace["name"] == "ideal" for value in trace["y"]]
    assert ideal == column(chart, "ideal") == [100.0, 200.0, 80.0, 160.0]
    assert column(chart, "efficiency_percent") == pytest.approx([100, 90, 100, 75])


def test_the_sentence_of_scaling_says_the_efficiency_at_the_largest_count():
    chart = scaling("throughput_tokens_per_s", [line("fp8", (1, 100.0), (8, 600.0))])
    assert chart.summary == "100.0 tok/s on 1 GPU, 600.0 tok/s on 8 (fp8): 75 % of what perfect scaling would give."


def test_scaling_of_one_count_says_that_there_is_nothing_to_compare():
    chart = scaling("throughput_tokens_per_s", [line("fp8", (1, 100.0))])
    assert chart.summary == "No configuration is measured at two numbers of GPUs."


# history


def measured(*pairs, runs=3, sd=0.05):
    return [Measured(version, value, runs, sd, value - 0.1, value + 0.1, f"/{version}/") for version, value in pairs]


def test_versions_stand_in_their_order_and_their_change_is_found():
    chart = history("tokens_per_joule", "it", measured(("0.10.0", 12.0), ("0.9.0", 10.0), ("0.8.0", 10.0)))
    assert column(chart, "version") == ["0.8.0", "0.9.0", "0.10.0"]
    assert column(chart, "change_percent") == [None, pytest.approx(0), pytest.approx(20)]
    assert column(chart, "finding") == ["", "no clear change", "change (Welch, p < 0.001)"]
    assert chart.summary == (
        "From 0.8.0 to 0.10.0, it went from 10.00 tok/J to 12.00 tok/J; clear changes: +20.0 % with 0.10.0."
    )


def test_a_change_has_its_line_between_the_two_versions():
    chart = history("tokens_per_joule", "it", measured(("0.8", 10.0), ("0.9", 10.0), ("0.10", 8.0)))
    assert [shape["x0"] for shape in chart.layout["shapes"]] == [1.5]
    assert [words["text"] for words in chart.layout["annotations"]] == ["\N{MINUS SIGN}20.0 %"]


def test_several_results_of_a_version_are_its_repeats():
    (version,) = by_version(measured(("0.8", 10.0), ("0.8", 11.0), ("0.8", 12.0)))
    assert (version.repeats.n, version.repeats.mean, version.repeats.sd) == (3, 11.0, 1.0)


def test_the_marks_of_a_history_are_its_rows():
    chart = history("tokens_per_joule", "it", measured(("0.8", 10.0), ("0.9", 11.0)))
    assert [(x, y) for _, x, y in marks(chart)] == [row[:2] for row in chart.table.rows]
    assert chart.table.urls == ["/0.8/", "/0.9/"]


def test_a_history_of_one_version_says_so():
    assert history("tokens_per_joule", "it", measured(("0.8", 10.0))).summary == (
        "No configuration is measured with two versions of a backend."
    )


def test_of_a_long_history_the_newest_versions_are_drawn():
    chart = history("tokens_per_joule", "it", measured(*((f"0.{n}", 10.0) for n in range(45))))
    assert (column(chart, "version")[0], len(chart.table.rows)) == ("0.5", 40)
    assert "5 older versions left out." in chart.notes


def test_a_hostile_version_stays_text():
    (trace,) = history("tokens_per_joule", "it", measured(("<a href='x'>", 10.0), ("0.9", 10.0))).traces
    assert "&lt;a href='x'&gt;" in trace["x"]
    assert all("<a" not in text for text in trace["hovertext"])
