"""Down-sampled series show what all events would show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.series import FIELDS, GAP_S, MAX_NUMBERS, MAX_POINTS, Extent, SeriesBuilder, columns
from tests.runs.records import event_body

MOMENTS = st.integers(0, 4_000_000).map(lambda ms: ms / 1000)
VALUES = st.floats(0, 1e6)
POINTS = st.lists(st.tuples(MOMENTS, VALUES, st.sampled_from(["a", "b"])), min_size=1, max_size=120)
LIMITS = st.sampled_from([10, 50, 200, 2_000])


def charted(points, limit=MAX_POINTS):
    """(x, {lane: its values}) of (time, value, lane)."""
    builder = SeriesBuilder(Extent(min(p[0] for p in points), max(p[0] for p in points)), ["a", "b"], limit)
    for lane in "ab":
        own = [(time, value) for time, value, name in points if name == lane]
        builder.add(lane, "tokenPerSec", np.array([p[0] for p in own]), np.array([p[1] for p in own]))
    x, *lines = builder.columns("tokenPerSec")
    return x, dict(zip("ab", lines, strict=True))


def in_order(points, lane):
    return sorted((time, value) for time, value, name in points if name == lane)


@given(points=POINTS, limit=LIMITS)
@settings(deadline=None)
def test_no_series_has_more_points_than_the_limit_and_x_ascends(points, limit):
    x, lines = charted(points, limit)

    assert len(x) <= limit
    assert all(len(line) == len(x) for line in lines.values())
    assert all(one < other for one, other in pairwise(x))


@given(points=POINTS, limit=LIMITS)
@settings(deadline=None)
def test_the_lowest_and_the_highest_value_of_every_lane_are_kept(points, limit):
    _, lines = charted(points, limit)

    for lane, line in lines.items():
        own = [value for _, value in in_order(points, lane)]
        shown = [value for value in line if value is not None]
        assert bool(own) == bool(shown)
        if own:
            assert min(shown) == pytest.approx(min(own), rel=1e-4, abs=1e-9)
            assert max(shown) == pytest.approx(max(own), rel=1e-4, abs=1e-9)


@given(points=POINTS.filter(lambda points: len({p[0] for p in points}) == len(points)), limit=LIMITS)
@settings(deadline=None)
def test_the_first_and_the_last_value_of_every_lane_are_kept(points, limit):
    _, lines = charted(points, limit)

    for lane, line in lines.items():
        own = in_order(points, lane)
        shown = [value for value in line if value is not None]
        if own:
            assert shown[0] == pytest.approx(own[0][1], rel=1e-4, abs=1e-9)
            assert shown[-1] == pytest.approx(own[-1][1], rel=1e-4, abs=1e-9)


@given(points=POINTS, limit=LIMITS)
@settings(deadline=None)
def test_a_silence_longer_than_ten_seconds_and_a_bucket_is_a_gap(points, limit):
    x, lines = charted(points, limit)

    bucket = (max(p[0] for p in points) - min(p[0] for p in points)) / max(limit // 5, 1)
    for lane, line in lines.items():
        for (before, _), (after, _) in pairwise(in_order(points, lane)):
            if after - before > max(GAP_S, bucket) + 0.01:
                # Within two buckets of the silence: a point may stand a little beside its own time.
                near = [v for t, v in zip(x, line, strict=True) if before - bucket - 1 <= t <= after + bucket + 1]
                assert None in near


@given(points=POINTS, order=st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_order_in_which_events_come_changes_nothing(points, order):
    points = [(time, time * 2, lane) for time, _, lane in points]
    shuffled = list(points)
    order.shuffle(shuffled)

    assert charted(points) == charted(shuffled)


def test_a_series_of_few_events_has_exactly_their_times_and_values():
    events = [event_body(number, tokenPerSec=10.0 * number) for number in range(5)]

    x, line = columns(events, ["A100"], "tokenPerSec")

    assert np.diff(np.array(x, dtype=float)).tolist() == pytest.approx([1, 1, 1, 1])
    assert line == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_lanes_share_one_axis_and_a_lane_between_two_events_lies_on_the_line():
    events = [event_body(0, lane="a", tokenPerSec=10), event_body(4, lane="a", tokenPerSec=50)]
    events += [event_body(2, lane="b", tokenPerSec=7)]

    x, a, b = columns(events, ["a", "b"], "tokenPerSec")

    assert len(x) == 3
    assert a == [10.0, 30.0, 50.0]
    assert b == [None, 7.0, None]


def test_a_lane_that_was_silent_has_none_where_others_have_values():
    events = [event_body(0, lane="a", at=float(at)) for at in (0, 1, 30, 31)]
    events += [event_body(0, lane="b", at=float(at)) for at in range(32)]

    _, a, b = columns(events, ["a", "b"], "tokenPerSec")

    assert a[15] is None
    assert None not in b


def test_a_silence_of_all_lanes_is_a_place_of_its_own():
    events = [event_body(0, at=float(at)) for at in (0, 1, 60, 61)]

    _, line = columns(events, ["A100"], "tokenPerSec")

    assert [value is None for value in line] == [False, False, True, False, False]


def test_a_field_that_some_events_lack_has_a_line_of_those_that_have_it():
    events = [event_body(number, powerW=300.5 if number % 2 else None) for number in range(6)]

    _, line = columns(events, ["A100"], "powerW")

    assert line == [300.5, 300.5, 300.5]


def test_no_events_make_empty_columns():
    assert columns([], ["a", "b"], "powerW") == [[], [], []]


def test_one_event_is_one_point():
    _, line = columns([event_body(3)], ["A100"], "tokenPerSec")

    assert line == [103.0]


def test_events_of_unknown_lanes_are_left_out():
    assert columns([event_body(1, lane="other")], ["A100"], "tokenPerSec") == [[], []]


def long_run(lanes, parts=4, events=20_000):
    builder = SeriesBuilder(Extent(0.0, events / 10), lanes)
    times = np.arange(events) / 10
    for part in np.array_split(np.random.default_rng(1).permutation(events), parts):
        for number, lane in enumerate(lanes):
            for field in FIELDS:
                builder.add(lane, field, times[part], np.sin(times[part]) * 50 + 100 + number)
    return builder.stored()


def test_stored_series_of_three_lanes_have_at_most_2000_points_over_one_axis():
    stored = long_run(["a", "b", "c"])

    assert stored["lanes"] == ["a", "b", "c"]
    assert 1_200 < len(stored["x"]) <= MAX_POINTS
    assert {len(line) for lines in stored["fields"].values() for line in lines} == {len(stored["x"])}


def test_many_lanes_share_the_numbers_of_three_and_keep_their_extremes():
    lanes = [f"lane-{number}" for number in range(12)]

    stored = long_run(lanes, events=5_000)

    line = stored["fields"]["powerW"][0]
    assert len(stored["x"]) * 12 * len(FIELDS) <= MAX_NUMBERS
    assert (min(line), max(line)) == pytest.approx((50, 150), rel=1e-3)


def test_figures_are_of_all_events_and_not_of_the_points():
    builder = SeriesBuilder(Extent(0.0, 99.0), ["a", "silent"])
    builder.add("a", "powerW", np.arange(100.0), np.arange(100.0))

    figures = builder.stored()["figures"]["powerW"]

    assert figures == [{"mean": 49.5, "min": 0.0, "max": 99.0, "last": 99.0}, None]


def test_a_field_that_no_event_has_is_no_chart():
    builder = SeriesBuilder(Extent(0.0, 1.0), ["a"])
    builder.add("a", "powerW", np.array([0.0, 1.0]), np.array([np.nan, np.nan]))

    assert builder.stored()["fields"] == {}


def test_lanes_that_were_not_announced_are_drawn_behind_the_others_up_to_64():
    builder = SeriesBuilder(Extent(0.0, 1.0), ["a"])
    for number in range(100):
        builder.add(f"lane-{number}", "powerW", np.array([0.0]), np.array([1.0]))

    assert builder.lanes[:2] == ["a", "lane-0"]
    assert len(builder.lanes) == 64
