"""The energy of a window from a host's own samples: by the counter, by the power, or not at all."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import host_energy
from jobs.host_energy import read_trace
from tests.jobs import brought
from tests.jobs.brought import header, packed

START = 1_786_000_000.0


def samples(*args, begin=START, **kwargs):
    return brought.samples(*args, begin=begin, **kwargs)


def trace(*lines):
    return read_trace(io.BytesIO(packed(lines)))


def test_the_counter_gives_what_was_used_between_two_moments():
    assert trace(header(), *samples()).energy_j(START + 10.03, START + 50.07) == pytest.approx(400 * 40.04, rel=1e-6)


def test_without_a_counter_the_power_is_integrated():
    found = trace(header(), *samples(counter=False)).energy_j(START + 10.03, START + 50.07)

    assert found == pytest.approx(400 * 40.04, rel=1e-6)


def test_a_counter_that_began_anew_is_not_believed():
    lines = list(samples())
    for line in lines[300:]:
        line["gpu"][0][1] -= 5_000_000
    lines = [json.loads(json.dumps(line)) for line in lines]

    assert trace(header(), *lines).energy_j(START, START + 60) == pytest.approx(400 * 60)


def test_all_gpus_of_the_job_count():
    assert trace(header(gpus=4), *samples(gpus=4)).energy_j(START, START + 10) == pytest.approx(16_000)


def test_one_silent_gpu_leaves_the_whole_unknown():
    lines = [{**line, "gpu": [*line["gpu"], [None, None, None]]} for line in samples()]

    assert trace(header(gpus=2), *lines).energy_j(START, START + 10) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [(-1.0, 10.0), (50.0, 61.0), (100.0, 110.0), (30.0, 30.0), (40.0, 30.0)],
    ids=["begins-before", "ends-after", "elsewhere", "nothing", "backwards"],
)
def test_a_window_that_the_samples_do_not_cover_is_unknown(start, end):
    assert trace(header(), *samples()).energy_j(START + start, START + end) is None


def test_a_gap_of_more_than_three_seconds_leaves_its_window_unknown():
    lines = [line for line in samples() if not 20 < line["t"] < 24]
    found = trace(header(), *lines)

    assert found.energy_j(START + 10, START + 30) is None
    assert found.energy_j(START + 30, START + 40) == pytest.approx(4000)


def test_a_clock_that_was_set_back_leaves_the_window_unknown():
    lines = [*samples(20.0), *samples(40.0, begin=START + 15)]

    assert trace(header(), *lines).energy_j(START + 5, START + 40) is None


def test_a_sampler_that_took_over_goes_on_in_the_same_file():
    second = header(gpus=2) | {"gpus": [{"uuid": "GPU-1"}, {"uuid": "GPU-0"}]}
    rows = [[100.0, None, 0], [300.0, None, 0]]
    first_half = [{"unix": START + n, "gpu": rows} for n in range(11)]
    second_half = [{"unix": START + n, "gpu": rows[::-1]} for n in range(11, 21)]
    found = trace(header(gpus=2), *first_half, second, *second_half)

    assert found.gpus["GPU-0"].power_w[-1] == 100.0
    assert found.energy_j(START, START + 20) == pytest.approx(8000)


def test_edges_faults_and_notes_between_the_samples_are_passed_over():
    lines = list(samples())
    lines[5:5] = [{"edge": "start", "energy_mj": [1]}, {"fault": {"code": "x"}}, {"note": "gpu_shared"}]

    assert trace(header(), *lines).energy_j(START, START + 10) == pytest.approx(4000)


def test_a_file_that_is_cut_off_is_read_so_far():
    members = packed([header(), *samples(10.0)]) + packed(samples(10.0, begin=START + 10.1))[:-30]
    found = read_trace(io.BytesIO(members))

    assert found.energy_j(START, START + 9) == pytest.approx(3600)


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"[" * 100_000), gzip.compress(b'{"columns": 1}\n{"gpu": [[1]]}\nnull\n"x"\n')],
    ids=["empty", "no-gzip", "deep", "other-shapes"],
)
def test_hostile_content_gives_no_energy_and_no_error(content):
    assert read_trace(io.BytesIO(content)).energy_j(0, 1) is None


def test_no_more_is_unpacked_than_allowed(monkeypatch):
    monkeypatch.setattr(host_energy, "MAX_BYTES", 2_000)
    found = trace(header(), *samples())

    assert 0 < len(found.gpus["GPU-0"].at) < 50


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.lists(st.fixed_dictionaries({}, optional={"columns": JSON, "gpus": JSON, "unix": JSON, "gpu": JSON}), max_size=6)
)
def test_any_lines_give_a_number_or_nothing(lines):
    content = gzip.compress("\n".join(json.dumps(line) for line in [header(), *lines]).encode())
    found = read_trace(io.BytesIO(content)).energy_j(0.0, 1.0)

    assert found is None or found >= 0


@given(
    power_w=st.floats(1, 1000),
    start=st.floats(0, 20),
    length=st.floats(0.5, 30),
    counter=st.booleans(),
)
def test_constant_power_gives_power_times_time(power_w, start, length, counter):
    lines = samples(51.0, power_w=power_w, counter=counter, period_s=0.5)
    found = trace(header(), *lines).energy_j(START + start, START + start + length)

    assert found == pytest.approx(power_w * length, rel=1e-4, abs=2e-3)
