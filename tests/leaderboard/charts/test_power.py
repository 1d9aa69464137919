"""Power and temperature over time: means by hand, peaks that stay, two results side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.analysis.thinning import thinned
from leaderboard.analysis.traces import mean_power_w, thin, trace_of
from leaderboard.charts.power import MAX_POINTS, Recording, power
from tests.leaderboard.charts.making import table_of

figures = st.lists(st.none() | st.floats(0, 1000), min_size=1, max_size=400)


def recording(title="Model on H100", seconds=4, gpus=1, degrees=50.0):
    times = [float(second) for second in range(seconds)]
    traces = [
        trace_of(f"GPU {gpu}", times, [100.0 + gpu + second for second in range(seconds)], [degrees] * seconds)
        for gpu in range(gpus)
    ]
    return Recording(title, "vLLM, bf16", f"/results/{title}/", traces)


@given(figures, st.integers(4, 60))
def test_thinning_keeps_the_ends_and_the_peaks_and_no_more_than_asked(values, most):
    places = thinned(values, most)

    kept = [values[place] for place in places]
    known = [value for value in values if value is not None]
    assert len(places) <= max(most, 4)
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (0, len(values) - 1)
    if known:
        assert max(value for value in kept if value is not None) == max(known)
        assert min(value for value in kept if value is not None) == min(known)


def test_a_series_that_fits_is_not_thinned():
    assert thinned([3.0, 1.0, 2.0], 4) == [0, 1, 2]


def test_a_gap_stays_a_gap():
    values = [1.0] * 40 + [None] * 40 + [1.0] * 40

    assert None in [values[place] for place in thinned(values, 20)]


def test_the_mean_weighs_by_time_and_leaves_gaps_out():
    """100 to 200 W in 1 s is 150 J, 200 W for 3 s is 600 J; the gap has no energy and no time."""
    assert mean_power_w([0, 1, 4, 5, 6], [100.0, 200.0, 200.0, None, 100.0]) == pytest.approx(750 / 4)


def test_the_mean_of_a_thinned_trace_is_that_of_all_its_samples():
    whole = trace_of("GPU 0", range(5000), [float(i % 7) for i in range(5000)], [None] * 5000)

    few = thin(whole, 100)

    assert len(few.t_s) <= 100
    assert (few.mean_w, few.samples) == (whole.mean_w, 5000)


def test_power_is_above_and_temperature_below_on_one_time():
    chart = power([recording()])

    assert [(trace["yaxis"], trace["y"]) for trace in chart.traces] == [
        ("y", [100.0, 101.0, 102.0, 103.0]),
        ("y2", [50.0] * 4),
    ]
    assert chart.layout["xaxis2"]["matches"] == "x"
    assert chart.layout["yaxis"]["domain"][0] > chart.layout["yaxis2"]["domain"][1]


def test_two_results_stand_side_by_side_on_the_same_scale():
    layout = power([recording("One"), recording("Two")]).layout

    assert layout["xaxis"]["domain"][1] < layout["xaxis2"]["domain"][0]
    assert layout["yaxis2"]["matches"] == "y"
    assert [title["text"] for title in layout["annotations"]] == ["One, vLLM, bf16", "Two, vLLM, bf16"]


def test_every_drawn_sample_has_its_row():
    chart = power([recording("One", gpus=2), recording("Two", seconds=9)])

    rows = table_of(chart, "time_s", "power_w", "temperature_c")
    for trace in chart.traces:
        column = 1 if trace["y"][0] >= 100 else 2
        for row, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True):
            assert (rows[row][0], rows[row][column]) == (x, y)
    assert len(rows) == 4 * 2 + 9


def test_a_long_series_is_thinned_and_the_chart_says_so():
    chart = power([recording(seconds=5000, gpus=2)])

    assert len(chart.table.rows) <= MAX_POINTS
    assert f"{len(chart.table.rows):,} of 10,000 samples are drawn" in chart.notes[0]


def test_without_temperature_there_is_power_alone():
    assert "yaxis2" not in power([recording(degrees=None)]).layout


def test_the_summary_has_mean_peak_and_length():
    assert power([recording()]).summary == (
        "Model on H100: 101.5 W on average over 1 GPU, one GPU at most 103.0 W, at most 50.0 °C, in 3.000 s."
    )
