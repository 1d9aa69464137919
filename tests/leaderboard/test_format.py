"""Numbers and times as people read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import format as fmt


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (1280, "1,280"),
        (2.80654, "2.807"),
        (0.35631, "0.3563"),
        (149.0114, "149.0"),
        (1234567.8, "1,234,568"),
        (0.00012345, "0.0001234"),
        (0.00050, "0.0005"),
        (-3.14159, "-3.142"),
        (1e-9, "0.000000001"),
    ],
)
def test_number_gives_four_digits_and_never_an_exponent(value, text):
    assert fmt.number(value) == text


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_number_stays_close_to_its_value(value):
    assert float(fmt.number(value).replace(",", "")) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (False, "no"), (1920, "1,920"), (2.8065402, "2.80654"), ("bf16", "bf16")],
)
def test_exact_gives_a_value_in_full(value, text):
    assert fmt.exact(value) == text


def test_an_interval_is_half_its_width_relative_to_the_mean():
    assert fmt.interval_percent(100.0, 99.0, 101.0) == "±1.0 %"


@pytest.mark.parametrize(("mean", "low", "high"), [(100.0, None, 101.0), (100.0, 99.0, None), (0.0, -1.0, 1.0)])
def test_there_is_no_relative_interval_without_both_ends_and_a_mean(mean, low, high):
    assert fmt.interval_percent(mean, low, high) == ""


def test_times_are_in_utc_to_the_minute_or_day():
    moment = datetime(2026, 3, 13, 14, 21, 11, tzinfo=UTC)

    assert (fmt.day(moment), fmt.minute(moment)) == ("2026-03-13", "2026-03-13 14:21 UTC")
    assert (fmt.day(None), fmt.minute(None)) == ("", "")


@pytest.mark.parametrize(("size", "text"), [(0, "0.1 kB"), (1500, "1.5 kB"), (2_500_000, "2.5 MB")])
def test_sizes_are_in_thousands(size, text):
    assert fmt.size(size) == text


@pytest.mark.parametrize(("amount", "text"), [(0, "0 results"), (1, "1 result"), (1234, "1,234 results")])
def test_counts_agree_with_their_noun(amount, text):
    assert fmt.count(amount, "result") == text


def test_counts_take_an_irregular_plural():
    assert fmt.count(2, "entry", "entries") == "2 entries"
