"""The roofline: roofs and places against figures computed by hand."""

from __future__ import annotations

import pytest

from leaderboard.charts.roofline import Roof, Run, roofline, share_of_roof
from leaderboard.checks.findings import HardwareFacts
from tests.leaderboard.charts.marks import column, marks

#: 2,000 GB/s and 400 TFLOP/s
BOARD = HardwareFacts("GPU", bandwidth_gb_per_s=2000.0, tflops={"bf16": 400.0, "fp16": 400.0})
BOARDS = {"GPU": BOARD}


def run(load=1, throughput=100.0, precision="bf16", gpus=1, name="It"):
    """8 x 10^9 active parameters: 16 GFLOP a token."""
    return Run(name, "GPU", precision, 8.0, gpus, load, throughput, f"/{name}/")


def test_the_slope_of_the_roof_is_bandwidth_over_bytes_per_weight():
    """At one sequence: 2 FLOP x 2,000 GB/s / 2 bytes = 2 TFLOP/s; at ten times as many ten times that."""
    roof = Roof(BOARD, "bf16")
    assert roof.at(1) == pytest.approx(2.0)
    assert roof.at(10) == pytest.approx(20.0)


def test_the_roof_ends_at_the_peak_of_arithmetic():
    roof = Roof(BOARD, "bf16")
    assert roof.ridge == pytest.approx(200.0)
    assert roof.at(1000) == 400.0
    assert (roof.bound_by(199), roof.bound_by(201)) == ("memory bandwidth", "arithmetic")


def test_the_share_of_the_roof_does_not_depend_on_the_models_size():
    """8B in bf16 are 16 GB: at most 125 tok/s for one sequence at 2,000 GB/s; 100 tok/s are 80 %."""
    assert share_of_roof(run(), BOARDS) == pytest.approx(0.8)


def test_the_place_of_a_result_is_that_of_one_of_its_gpus():
    assert run(throughput=400.0, gpus=4).tflops_per_gpu == pytest.approx(1.6)


def test_the_marks_are_the_rows():
    chart = roofline([run(), run(load=64, throughput=3000.0)], [BOARD])
    assert [(x, y) for _, x, y in marks(chart)] == [(row[3], row[4]) for row in chart.table.rows]
    assert column(chart, "percent_of_roof") == pytest.approx([80.0, 37.5])
    assert column(chart, "bound_by") == ["memory bandwidth", "memory bandwidth"]


def test_the_line_of_a_roof_has_its_ridge():
    chart = roofline([run(load=1), run(load=1000)], [BOARD])
    assert chart.traces[0]["x"] == [1.0, pytest.approx(200.0), 1000.0]
    assert chart.traces[0]["y"] == pytest.approx([2.0, 400.0, 400.0])


def test_an_unknown_precision_has_a_place_and_no_share():
    chart = roofline([run(precision="")], [BOARD])
    assert column(chart, "percent_of_roof") == [None]
    assert chart.traces[0]["name"] == "roof at bf16"
    assert any("1 result does not state a precision" in note for note in chart.notes)


def test_a_gpu_without_a_data_sheet_has_no_roof():
    chart = roofline([run()], [HardwareFacts("GPU")])
    assert [trace["name"] for trace in chart.traces] == ["bf16"]
    assert chart.summary.startswith("Decoding reaches at most 1.60 TFLOP/s per GPU")


def test_the_sentence_names_the_result_nearest_to_its_roof():
    chart = roofline([run(), run(load=64, throughput=3000.0, name="Other")], [BOARD])
    assert chart.summary == (
        "Nearest to its roof: It, bf16, 1 sequence at once, with 80 %. "
        "Memory bandwidth bounds 2 of 2 results, arithmetic the rest."
    )


def test_no_result_is_an_empty_chart():
    assert roofline([], []).is_empty
