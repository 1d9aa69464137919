from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuagent.gpu import energy
from gpuagent.gpu.source import Sample
from gpuagent.gpu.telemetry import Recorder

UUID = "GPU-simulated-0badcafe-0"
HEAD = {"uuid": UUID, "method": "counter+power_instant", "scope": "gpu"}


@pytest.fixture
def report(tmp_path):
    """The report on samples: (t, Sample) each."""

    def make(samples, told=(), **head):
        recorder = Recorder(tmp_path)
        recorder.header({"gpus": [{**HEAD, **head}]})
        for t, sample in samples:
            recorder.keep(t, 1e9 + t, [sample])
        for line in told:
            recorder.tell(line)
        recorder.close()
        (entry,) = energy.report(tmp_path)
        return entry

    return make


def steady(seconds=20.0, power_w=300.0, counter=True, **more):
    for place in range(round(seconds * 10) + 1):
        t = place / 10
        yield t, Sample(power_w=power_w, energy_mj=round(t * power_w * 1000) if counter else None, util=0, **more)


def test_a_good_window_has_both_figures_and_no_flag(report):
    assert report(steady()) == {
        "uuid": UUID,
        "counter_j": 6000.0,
        "integral_j": 6000.0,
        "method": "counter+power_instant",
        "samples": 201,
        "max_gap_ms": 100.0,
        "idle_w": 300.0,
        "flags": [],
    }


@settings(deadline=None)
@given(st.floats(1, 1000), st.lists(st.floats(0.001, 3), min_size=1, max_size=40))
def test_the_integral_of_a_constant_is_power_times_time(power_w, steps):
    account = energy._Account(UUID, "", "gpu")
    t = 0.0
    account.take(t, Sample(power_w=power_w))
    for step in steps:
        t += step
        account.take(t, Sample(power_w=power_w))

    assert account.integral_j == pytest.approx(power_w * t, rel=1e-9)


def test_a_board_without_a_counter_has_the_integral_alone(report):
    entry = report(steady(counter=False))

    assert (entry["counter_j"], entry["integral_j"]) == (None, 6000.0)


def test_a_board_that_tells_nothing_has_neither(report):
    entry = report((t, Sample()) for t, _ in steady())

    assert (entry["counter_j"], entry["integral_j"]) == (None, None)


def test_a_counter_that_starts_again_is_flagged_and_its_fall_is_not_counted(report):
    samples = [(t, s if t < 10 else s._replace(energy_mj=s.energy_mj - 3_000_000)) for t, s in steady()]

    entry = report(samples)

    assert "counter_backwards" in entry["flags"]
    assert entry["counter_j"] == pytest.approx(6000, rel=0.01)


@pytest.mark.parametrize(
    ("samples", "flag"),
    [
        (list(steady(5)), "short"),
        ([(t, s) for t, s in steady() if not 4 < t < 5], "gap"),
        ([(t, s._replace(energy_mj=s.energy_mj * 2)) for t, s in steady()], "differ"),
        ([(t, s._replace(reasons=0x40)) for t, s in steady()], "throttled"),
        ([(t, s._replace(util=80)) for t, s in steady()], "busy_before"),
    ],
    ids=["short", "gap", "differ", "throttled", "busy_before"],
)
def test_what_makes_a_figure_doubtful_is_flagged(report, samples, flag):
    assert flag in report(samples)["flags"]


def test_running_at_the_power_cap_is_not_throttled(report):
    assert report((t, s._replace(reasons=0x04)) for t, s in steady())["flags"] == []


def test_the_power_before_the_load_is_told_beside_the_energy(report):
    samples = [(t, s if t < 5 else s._replace(util=97, power_w=400.0)) for t, s in steady(power_w=60.0)]

    assert report(samples)["idle_w"] == 60.0


@pytest.mark.parametrize("util", [97, None], ids=["busy from the start", "unknown"])
def test_without_samples_of_rest_there_is_no_idle_power(report, util):
    assert report((t, s._replace(util=util)) for t, s in steady())["idle_w"] is None


def test_figures_of_the_whole_module_say_so(report):
    assert report(steady(), scope="module")["flags"] == ["scope_module"]


def test_what_was_told_of_a_gpu_is_among_its_flags(report):
    told = [
        {"fault": {"code": "gpu_lost", "uuid": UUID, "text": "gone"}, "t": 1.0},
        {"note": "gpu_shared", "uuid": UUID, "t": 2.0},
        {"note": "gpu_shared", "uuid": "GPU-other", "t": 2.0},
    ]

    assert report(steady(), told)["flags"] == ["gpu_lost", "gpu_shared"]


def test_edges_at_ticks_of_the_counter_make_the_window_exact(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.header({"gpus": [HEAD]})
    recorder.tell({"edge": "start", "t": 0.0, "energy_mj": [0], "at": [0.0]})
    for t, sample in steady():
        # As on a board whose counter moves once a second.
        recorder.keep(t + 0.05, 1e9, [sample._replace(energy_mj=int(t) * 300_000)])
    recorder.tell({"edge": "end", "t": 20.5, "energy_mj": [6_150_000], "at": [20.5]})
    recorder.close()

    (entry,) = energy.report(tmp_path)

    assert entry["counter_j"] == 6150.0
    assert entry["integral_j"] == pytest.approx(6150.0)


def test_an_attempt_without_telemetry_reports_nothing(tmp_path):
    assert energy.report(tmp_path) == []
