"""Heatmap and coverage: what each cell says, and what its table says."""

from __future__ import annotations

import pytest

from leaderboard.charts.coverage import Head, Row, Seen, State, coverage, gpus_needed, state_of
from leaderboard.charts.heatmap import Axis, Cell, heatmap, short
from tests.leaderboard.charts.marks import cells, column

BATCH, PRECISION = Axis("batch_size", "Batch size", ["1", "8"]), Axis("precision", "Precision", ["bf16", "fp8"])
LARGE, SMALL = Row("Large", 405.0), Row("Small", 8.0)
H100, L4 = Head("H100", 80.0), Head("L4", 24.0)


def drawn(metric="tokens_per_joule", measured=None):
    given = measured if measured is not None else {(0, 0): Cell(1.5, 2, "/a/"), (1, 1): Cell(6.0, 1, "/b/")}
    requests = {(i, j): f"/new/{i}{j}/" for i in (0, 1) for j in (0, 1)}
    return heatmap(metric, (BATCH, PRECISION), given, subject="It", request_urls=requests)


# heatmap


def test_the_best_cell_is_named_and_the_empty_ones_are_counted():
    assert drawn().summary == "It: best is 6.000 tok/J at batch size 8, precision fp8; 2 of 4 cells are measured."


def test_the_lowest_is_best_where_less_is_better():
    assert "best is 1.500 J/tok at batch size 1, precision bf16" in drawn("energy_per_output_token_j").summary


def test_a_row_for_every_cell_and_a_cell_for_every_row():
    chart = drawn()
    assert sorted(row for row, *_ in cells(chart)) == list(range(len(chart.table.rows)))
    for row, x, y, z in cells(chart):
        _, across, up, value, results = chart.table.rows[row]
        assert (x, y, z) == (across, up, value if results else 0)


def test_an_empty_cell_leads_to_the_form_of_a_job():
    chart = drawn()
    assert column(chart, "state") == ["measured", "request this run", "request this run", "measured"]
    assert chart.table.urls == ["/a/", "/new/10/", "/new/01/", "/b/"]


def test_the_strongest_colour_is_the_best():
    assert not drawn().traces[0]["reversescale"]
    assert drawn("energy_per_output_token_j").traces[0]["reversescale"]


def test_a_heatmap_without_a_result_is_empty():
    assert drawn(measured={}).is_empty


@pytest.mark.parametrize(
    ("value", "words"), [(0.5229, "0.523"), (12.34, "12.3"), (1234.0, "1,234"), (65784.0, "65.8k"), (2.5e6, "2.50M")]
)
def test_a_cell_has_room_for_a_short_number(value, words):
    assert short(value) == words


# coverage


def test_weights_at_4_bits_decide_how_many_gpus_are_needed():
    """405 x 0.56 GB = 226.8 GB; a card sold as 80 GB holds 85.9 GB, one sold as 24 GB holds 25.8 GB."""
    assert gpus_needed(LARGE, H100) == 3
    assert gpus_needed(LARGE, L4) == 9
    assert gpus_needed(SMALL, L4) == 1


def test_what_the_catalogue_does_not_know_is_no_reason():
    assert gpus_needed(Row("?", None), H100) is None
    assert state_of(Row("?", None), H100, None, 8) is State.NOT_MEASURED


@pytest.mark.parametrize(
    ("row", "head", "seen", "state"),
    [
        (LARGE, L4, None, State.NOT_SUPPORTED),
        (LARGE, L4, Seen(results=1), State.MEASURED),
        (LARGE, L4, Seen(failed=1), State.FAILED),
        (SMALL, H100, Seen(results=1, failed=2), State.MEASURED),
        (SMALL, H100, None, State.NOT_MEASURED),
    ],
)
def test_a_pair_is_what_is_known_of_it(row, head, seen, state):
    assert state_of(row, head, seen, 8) is state


def covered():
    seen = {(0, 0): Seen(12, 3.5, 0, "/board/"), (1, 0): Seen(0, None, 2, "/jobs/7/")}
    requests = {(i, j): f"/new/{i}{j}/" for i in (0, 1) for j in (0, 1)}
    return coverage("tokens_per_joule", ((SMALL, LARGE), (H100, L4)), seen, most_gpus=8, request_urls=requests)


def test_the_matrix_says_its_four_states_in_signs_too():
    assert covered().traces[0]["text"] == [["12", "+"], ["×", "–"]]


def test_each_pair_has_its_row_and_leads_to_where_it_is_told_about():
    chart = covered()
    assert column(chart, "state") == ["measured", "request this run", "failed", "not supported"]
    assert chart.table.urls == ["/board/", "/new/01/", "/jobs/7/", ""]
    assert [row for row, *_ in cells(chart)] == [0, 1, 2, 3]


def test_the_pairs_are_counted():
    assert covered().summary.startswith(
        "Of 4 pairs, 2 models on 2 GPUs: 1 measured, 1 tried and failed, 1 not supported, 1 not measured."
    )


def test_the_basis_of_not_supported_is_said():
    assert "at 4 bits (0.56 bytes a weight)" in covered().notes[-1]
    assert "8 GPUs" in covered().notes[-1]


def test_two_names_that_are_cut_alike_stay_two_rows():
    rows = (Row("A very long name of a model, one", 8.0), Row("A very long name of a model, two", 8.0))
    chart = coverage("tokens_per_joule", (rows, (H100,)), {}, most_gpus=8, request_urls={})
    assert len(set(chart.traces[0]["y"])) == 2
