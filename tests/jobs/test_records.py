"""What an attempt left behind, as charts, tables, steps and text."""

import pytest

from jobs.models import AttemptEvent, TelemetryBatch
from jobs.presenting.logs import plain_text, tail_text
from jobs.presenting.steps import progress, step_rows
from jobs.presenting.telemetry import charts, series
from jobs.queries.records import samples_of, step_events, summaries
from tests.jobs.factories import AttemptFactory, write_telemetry


@pytest.fixture
def attempt(db):
    return AttemptFactory()


def told(*events):
    return [AttemptEvent(seq=seq, t_s=t_s, type=kind, data=data) for seq, (kind, t_s, data) in enumerate(events, 1)]


def test_batches_become_one_line_a_gpu(attempt):
    write_telemetry(attempt, seconds=2, gpus=2, power_w=[100.0, 200.0])
    write_telemetry(attempt, seconds=1, start=2, gpus=2, power_w=[300.0])

    answer = series(samples_of(attempt))

    assert answer["x"] == [0, 1, 2]
    assert answer["fields"]["power_w"] == [[100, 200, 300]] * 2
    assert (answer["lanes"], answer["next"], answer["every"]) == (["GPU 00000000", "GPU 00000001"], 4, 1)


def test_what_a_driver_cannot_say_is_a_gap_and_never_a_zero(attempt):
    write_telemetry(attempt, seconds=2, power_w=None, util=[None, 5])

    answer = series(samples_of(attempt))

    assert answer["fields"]["power_w"] == [[None, None]]
    assert answer["fields"]["util"] == [[None, 5]]


def test_a_gpu_that_comes_later_begins_with_a_gap(attempt):
    write_telemetry(attempt, seconds=1, gpus=1)
    write_telemetry(attempt, seconds=1, start=1, gpus=2, power_w=[50.0])

    assert series(samples_of(attempt))["fields"]["power_w"] == [[400, 50], [None, 50]]


def test_only_what_came_since_is_asked_for(attempt):
    write_telemetry(attempt, seconds=3)
    write_telemetry(attempt, seconds=2, start=3)

    answer = series(samples_of(attempt, after=4))

    assert (answer["x"], answer["next"]) == ([3, 4], 6)


def test_nothing_is_shown_behind_a_hole(attempt):
    write_telemetry(attempt, seconds=2)
    attempt.next_telemetry = 9
    write_telemetry(attempt, seconds=2, start=8)

    assert series(samples_of(attempt))["next"] == 3


def test_a_long_series_becomes_means(attempt):
    write_telemetry(attempt, seconds=5000, power_w=[float(number % 2) for number in range(5000)])

    answer = series(samples_of(attempt))

    assert (answer["every"], len(answer["x"])) == (3, 1667)
    assert answer["fields"]["power_w"][0][:2] == [pytest.approx(1 / 3, abs=1e-3), pytest.approx(2 / 3, abs=1e-3)]


def test_the_table_is_over_all_samples(attempt):
    write_telemetry(attempt, seconds=4, power_w=[100.0, 300.0, None, 200.0])

    power = charts(summaries(attempt), is_live=False)[0]

    assert power.table == [["GPU 00000000", "200.0", "100.0", "300.0", "200.0", "3"]]


def test_a_quantity_that_nobody_measured_has_no_chart(attempt):
    write_telemetry(attempt, seconds=2, util=None)

    assert [chart.name for chart in charts(summaries(attempt), is_live=False)] == ["power_w", "mem_mib", "temp_c"]


def test_tables_are_read_from_the_database_once(attempt, django_assert_num_queries):
    write_telemetry(attempt, seconds=2)
    summaries(attempt)

    with django_assert_num_queries(0):
        summaries(attempt)


def test_odd_columns_break_nothing(attempt):
    TelemetryBatch.objects.create(
        attempt=attempt, first_seq=1, count=2, columns={"t": [0, 1], "gpu": [{"uuid": "GPU-a", "power_w": [1.0]}, {}]}
    )

    assert series(samples_of(attempt))["fields"]["power_w"][0] == [1, None]


def test_steps_have_a_state_and_a_time():
    events = told(
        ("step", 0, {"id": "load", "title": "Loading model", "state": "start"}),
        ("step", 62, {"id": "load", "state": "done"}),
        ("step", 63, {"id": "measure", "state": "start"}),
    )

    rows, run = step_rows(events, is_over=False, now_s=70)

    assert [(row.name, row.state, row.took) for row in rows] == [
        ("Loading model", "done", "1 min 02 s"),
        ("measure", "now", "7 s"),
    ]
    assert run == ""


def test_a_step_that_never_ended_is_not_finished_once_the_attempt_is_over():
    rows, _ = step_rows(told(("step", 0, {"id": "load", "state": "start"})), is_over=True)

    assert (rows[0].state, rows[0].words, rows[0].took) == ("stopped", "not finished", "")


def test_a_failed_step_says_so():
    rows, _ = step_rows(told(("step", 0, {"id": "load", "state": "failed"})), is_over=True)

    assert rows[0].state == "failed"


@pytest.mark.parametrize(
    "between",
    [("run", 5, {"run": 2, "runs": 3}), ("run", 5, {"run": 1, "runs": 3, "state": "done"})],
    ids=["a run begins", "a run ends"],
)
def test_of_a_sweep_the_steps_of_the_newest_run_are_shown(between):
    events = told(
        ("step", 0, {"id": "load", "state": "start"}),
        ("step", 4, {"id": "load", "state": "done"}),
        between,
        ("step", 6, {"id": "measure", "state": "start"}),
    )

    rows, run = step_rows(events, is_over=False, now_s=8)

    assert ([row.name for row in rows], run) == (["measure"], "run 2 of 3")


def test_progress_is_what_lies_behind_the_newest_step():
    data = {"id": "measure", "title": "Measuring", "i": 4, "n": 6, "run": 2, "runs": 3}

    assert progress(told(("run", 0, {"run": 2, "runs": 3}), ("step", 1, data))) == (
        "Run 2 of 3, step 4 of 6: Measuring",
        50,
    )


def test_a_step_that_does_not_say_its_number_is_no_progress():
    assert progress(told(("step", 0, {"id": "load"}))) == ("", None)


@pytest.mark.parametrize("data", [{}, [], None, {"id": {}}, {"run": True, "runs": "x"}], ids=repr)
def test_events_of_any_shape_break_nothing(data):
    events = told(("step", 0, data), ("run", 1, data))

    assert len(step_rows(events, is_over=False)) == len(progress(events))


def test_only_steps_and_runs_are_steps(attempt):
    for seq, kind in enumerate(("step", "tick", "run"), 1):
        AttemptEvent.objects.create(attempt=attempt, seq=seq, t_s=0, type=kind)

    assert [event.type for event in step_events(attempt)] == ["step", "run"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x1b[1;31mred\x1b[0m\n", "red\n"),
        (b"10%\r50%\r100%\ndone", "100%\ndone"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"\x1b]0;title\x07a\x00b\x08c", "abc"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\xff<b>", "�<b>"),
    ],
    ids=["colours", "a bar", "Windows", "controls", "a link", "bytes"],
)
def test_a_log_is_plain_text_without_its_colours(content, text):
    assert plain_text(content) == text


def test_the_end_of_a_log_begins_with_a_whole_line():
    assert tail_text(b"half a line\nnext\n", is_whole=False) == "next\n"
