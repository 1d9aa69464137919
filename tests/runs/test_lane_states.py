import pytest
from django.core.cache import cache

from runs import lane_states as module
from runs.lane_states import lane_states
from runs.models import ProgressEvent, Run
from runs.snapshot import closing, fold
from tests.runs.factories import LaneFactory, RunFactory, race, store, tick

pytestmark = pytest.mark.django_db


def loaded(run):
    return Run.objects.prefetch_related("lanes").get(pk=run.pk)


def test_a_later_look_reads_only_what_came_since():
    run = race(seconds=5)
    lane_states(loaded(run))
    ProgressEvent.objects.filter(run=run).delete()
    store(run, tick(at=10**8, gpuId="H100", tokenPerSec=7.0))

    standing = lane_states(loaded(run))

    assert standing.seq == 16
    assert standing.states[0].events == 6
    assert standing.states[0].tokens_per_s == 7.0


def test_the_state_does_not_depend_on_how_often_somebody_looked(monkeypatch):
    monkeypatch.setattr(module, "READ_AT_ONCE", 4)
    events = [tick(at=second, gpuId=f"g{second % 3}", powerW=100.0) for second in range(20)]
    run = RunFactory()
    for event in events:
        store(run, event)
        standing = lane_states(loaded(run))

    assert closing(standing.states) == closing(fold([], events))


def test_what_a_lane_is_may_be_told_after_its_first_events():
    run = RunFactory()
    store(run, tick(gpuId="late"))
    lane_states(loaded(run))
    LaneFactory(run=run, name="late", type="L40S", cost_per_hour_usd=1.5)

    (state,) = lane_states(loaded(run)).states

    assert (state.type, state.cost_per_hour_usd, state.events) == ("L40S", 1.5, 1)


def test_a_busy_run_that_nobody_has_looked_at_is_read_from_near_its_end(monkeypatch):
    monkeypatch.setattr(module, "MAX_FOLDED", 10)
    run = RunFactory()
    store(run, *(tick(at=second) for second in range(25)))

    standing = lane_states(loaded(run))

    assert standing.is_partial
    assert (standing.seq, standing.states[0].events) == (25, 10)


def test_a_sealed_run_reads_no_event():
    run = race(seconds=5)
    run.snapshot, run.sealed_seq = closing(lane_states(loaded(run)).states), run.last_seq
    run.save()
    ProgressEvent.objects.all().delete()
    cache.clear()

    standing = lane_states(loaded(run))

    assert [state.events for state in standing.states] == [5, 5, 5]
