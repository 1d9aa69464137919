from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuagent.gpu import fake
from gpuagent.gpu.fake import PROFILES, FakeSource, Script
from gpuagent.gpu.source import GpuFault, Sample, open_source

UUID = "GPU-simulated-0badcafe-0"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def samples(source, clock, seconds, step=0.1):
    for _ in range(round(seconds / step)):
        clock.now += step
        yield source.sample(UUID)


def test_a_simulated_host_has_the_same_gpus_after_a_restart_and_another_has_others():
    first, again, other = (
        [gpu.uuid for gpu in open_source(True, instance_id=name, count=2).gpus()] for name in ("a", "a", "b")
    )

    assert first == again
    assert not set(first) & set(other)
    assert all(uuid.startswith("GPU-simulated-") for uuid in first)


def test_a_gpu_idles_without_a_load(clock):
    source = FakeSource([UUID], clock=clock)

    newest = list(samples(source, clock, 1))[-1]

    assert (newest.util, newest.temp_c) == (0, 34)
    assert newest.power_w == pytest.approx(PROFILES["a100"].idle_w, rel=0.02)


def test_a_load_that_a_job_puts_on_shows_until_it_is_taken_off(clock, tmp_path):
    source = FakeSource([UUID], folder=tmp_path, clock=clock)

    fake.put_load(tmp_path, power_w=300, util=97, mem_mib=5000)
    under_load = list(samples(source, clock, 1))[-1]
    fake.take_load_off(tmp_path)
    after = list(samples(source, clock, 1))[-1]

    assert (under_load.util, under_load.mem_mib) == (97, 5000)
    assert under_load.power_w == pytest.approx(300, rel=0.02)
    assert after.util == 0


def test_a_board_never_takes_more_than_its_limit(clock, tmp_path):
    source = FakeSource([UUID], folder=tmp_path, clock=clock)

    fake.put_load(tmp_path, power_w=9000, util=100, mem_mib=1)

    assert all(sample.power_w <= 400 * 1.01 for sample in samples(source, clock, 1))


@pytest.mark.parametrize("content", [b"", b"{", b'{"power_w": "much"}', b"[]"], ids=["empty", "torn", "text", "list"])
def test_a_load_that_cannot_be_read_is_none(clock, tmp_path, content):
    (tmp_path / fake.LOAD_FILE).write_bytes(content)
    source = FakeSource([UUID], folder=tmp_path, clock=clock)

    assert list(samples(source, clock, 0.5))[-1].util == 0


def test_the_counter_is_the_integral_of_the_power_within_one_tick(clock, tmp_path):
    source = FakeSource([UUID], folder=tmp_path, clock=clock)
    fake.put_load(tmp_path, power_w=300, util=97, mem_mib=1)
    first, *_, last = samples(source, clock, 20)

    assert (last.energy_mj - first.energy_mj) / 1000 == pytest.approx(19.9 * 300, rel=0.01)


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), min_size=2, max_size=50))
def test_the_counter_never_falls_whatever_the_times_between_samples(waits):
    clock = Clock()
    source = FakeSource([UUID], clock=clock)
    counters = []
    for wait in waits:
        clock.now += wait
        counters.append(source.sample(UUID).energy_mj or 0)

    assert counters == sorted(counters)


@pytest.mark.parametrize(
    ("profile", "absent"), [("p100", "energy_mj"), ("mig", "util"), ("gb10", "mem_mib")], ids=["p100", "mig", "gb10"]
)
def test_what_a_board_does_not_support_is_none_and_never_0(clock, profile, absent):
    source = FakeSource([UUID], profile=profile, clock=clock)

    sample = next(samples(source, clock, 1))

    assert getattr(sample, absent) is None
    assert sample.power_w


@settings(deadline=None)
@given(st.frozensets(st.sampled_from(Sample._fields)))
def test_any_pattern_of_not_supported_gives_nones_and_no_exception(absent):
    source = FakeSource([UUID], script=Script(absent=absent))

    sample = source.sample(UUID)

    assert {name for name in Sample._fields if getattr(sample, name) is None} == absent


def test_a_board_without_a_counter_has_no_counter_to_poll(clock):
    assert FakeSource([UUID], profile="p100", clock=clock).energy_mj(UUID) is None


def test_a_gpu_that_is_lost_says_so_and_is_out_of_use(clock):
    source = FakeSource([UUID], script=Script(lost_at_s=5), clock=clock)
    clock.now += 6

    with pytest.raises(GpuFault, match="fallen off the bus") as raised:
        source.sample(UUID)

    assert raised.value.is_lost


def test_a_counter_can_start_again(clock):
    source = FakeSource([UUID], script=Script(counter_reset_at_s=5), clock=clock)

    counters = [sample.energy_mj for sample in samples(source, clock, 10)]

    assert counters[-1] < counters[0]


def test_an_unknown_gpu_is_refused(clock):
    with pytest.raises(GpuFault, match="no such GPU") as raised:
        FakeSource([UUID], clock=clock).sample("GPU-other")

    assert not raised.value.is_lost


@pytest.mark.parametrize(
    ("profile", "power", "scope"),
    [("a100", "instant", "gpu"), ("h100", "average_1s", "gpu"), ("gh200", "average_1s", "module")],
    ids=["a100", "h100", "gh200"],
)
def test_a_session_tells_what_a_power_figure_means(profile, power, scope):
    (gpu,) = open_source(True, instance_id="x", profile=profile).gpus()

    assert (gpu.nvml["power"], gpu.nvml["scope"]) == (power, scope)
