"""Sealed runs: nothing is lost and nothing comes twice, whatever breaks and whoever reads meanwhile."""

from __future__ import annotations

import json
import shutil
from itertools import islice

import pytest
from django.conf import settings

from runs import sealing
from runs.models import ProgressEvent, Run
from runs.sealing import (
    SealingError,
    newest_sealed_events,
    open_events,
    seal,
    sealed_events,
    stored_series,
    sweep,
    unsealed_series,
)
from tests.runs.records import START, add_events, ended_run, event_body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_storage():
    # Before: rows that are rolled back give their numbers, by which files are named, to the next test.
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "runs", ignore_errors=True)
    yield
    shutil.rmtree(settings.LEMSITE_HOME / "files" / "runs", ignore_errors=True)


@pytest.fixture
def small_batches(monkeypatch):
    """Several batches and row groups in a run of a few events."""
    monkeypatch.setattr(sealing, "READ_TOGETHER", 4)
    monkeypatch.setattr(sealing, "DELETED_TOGETHER", 3)


def series_of(run):
    found = stored_series(run)
    assert found is not None
    return found


def texts(run):
    """Every event that a reader gets, from the file and from the table, in order."""
    run.refresh_from_db()
    rows = ProgressEvent.objects.filter(run=run, seq__gt=run.sealed_seq).order_by("seq")
    return [text for _, text in sealed_events(run, 0, 1_000)] + list(rows.values_list("body", flat=True))


def files(run):
    folder = settings.LEMSITE_HOME / "files" / "runs" / str(run.pk)
    return sorted(path.name for path in folder.glob("*"))


class CountingFile:
    """A Parquet file that remembers which row groups were read."""

    def __init__(self, file):
        self.metadata, self.num_row_groups = file.metadata, file.num_row_groups
        self.groups = []
        self._file = file

    def read_row_group(self, number, names, **options):
        self.groups.append(number)
        return self._file.read_row_group(number, names, **options)


def sealed(run):
    assert seal(run)
    run.refresh_from_db()
    return run


def test_seal_keeps_the_text_of_every_event_in_order(small_batches):
    run = ended_run(11)
    before = texts(run)

    assert seal(run)

    assert len(before) == 11
    assert texts(run) == before


def test_seal_stores_typed_columns_and_says_whose_they_are():
    run = sealed(ended_run(3, key="demo", is_simulated=True))

    with open_events(run) as events:
        table = next(events.tables())

    assert table["tokenPerSec"].to_pylist() == [100.0, 101.0, 102.0]
    assert table["ts"].to_pylist()[0] == START
    assert table["energyJ"].to_pylist() == [None] * 3
    assert table["simulated"].to_pylist() == [True] * 3
    assert {b"run": b"demo", b"simulated": b"true"}.items() <= table.schema.metadata.items()


def test_seal_keeps_odd_but_allowed_values():
    run = ended_run(0)
    odd = event_body(0, lane='"GPU"\n\u2028é日本', tokenPerSec=1e15, evalProgressIdx=2**53, eventId="=1+1")
    add_events(run, [odd])

    sealed(run)

    assert [json.loads(text) for text in texts(run)] == [odd]


def test_seal_stores_series_and_the_closing_state_of_the_lanes():
    run = sealed(ended_run(10))

    series = series_of(run)
    lanes = run.snapshot["lanes"]

    assert series["lanes"] == ["A100", "H100"]
    assert len(series["x"]) == 10
    assert [lane["name"] for lane in lanes] == ["A100", "H100"]
    assert lanes[0]["figures"]["tokenPerSec"]["n"] == 5


def test_a_run_that_is_not_sealed_has_no_stored_series_but_the_same_ones_on_request():
    run = ended_run(10)
    early = unsealed_series(run)

    assert stored_series(run) is None
    assert early == stored_series(sealed(run))


def test_seal_leaves_the_rows_to_readers_who_came_before_and_sweep_deletes_them(small_batches):
    run = sealed(ended_run(10))
    assert ProgressEvent.objects.count() == 10

    sweep(run)

    assert ProgressEvent.objects.count() == 0
    assert len(texts(run)) == 10


def test_sweep_stops_when_its_time_is_over_and_goes_on_the_next_time(small_batches, monkeypatch):
    run = sealed(ended_run(10))
    clock = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr("runs.sealing.time.monotonic", lambda: next(clock))

    sweep(run, until=1.5)
    monkeypatch.undo()

    assert 0 < ProgressEvent.objects.count() < 10
    sweep(run)
    assert ProgressEvent.objects.count() == 0


def test_sweep_keeps_late_events():
    run = sealed(ended_run(4))
    add_events(run, [event_body(9)])

    sweep(run)

    assert ProgressEvent.objects.count() == 1
    assert len(texts(run)) == 5


def test_seal_does_nothing_the_second_time():
    run = sealed(ended_run(4))

    assert not seal(run)

    assert len(files(run)) == 2


def test_late_events_are_sealed_into_a_new_file_behind_the_others(small_batches):
    run = sealed(ended_run(6))
    sweep(run)
    add_events(run, [event_body(2, at=2.5), event_body(20)])
    before = texts(run)

    sealed(run)

    assert texts(run) == before
    assert len(before) == 8
    assert run.event_count == 8
    assert len(series_of(run)["x"]) == 9  # the silence behind the sixth second has a place of its own


def test_the_older_file_stays_for_its_readers_until_the_run_is_swept():
    run = sealed(ended_run(3))
    reader = Run.objects.get(pk=run.pk)
    add_events(run, [event_body(9)])
    sealed(run)

    assert len(sealed_events(reader, 0, 10)) == 3
    sweep(run)

    assert len(files(run)) == 2
    assert len(sealed_events(reader, 0, 10)) == 4


def test_an_event_that_was_sent_again_after_sealing_is_kept_once(small_batches):
    run = ended_run(0)
    add_events(run, [event_body(number, eventId=f"id-{number}") for number in range(6)])
    sealed(run)
    sweep(run)
    add_events(run, [event_body(3, eventId="id-3"), event_body(6, eventId="id-6"), event_body(7)])

    sealed(run)

    ids = [json.loads(text).get("eventId") for text in texts(run)]
    assert ids == [*(f"id-{number}" for number in range(7)), None]
    assert run.event_count == 8


def test_only_repeated_events_change_nothing_that_readers_see():
    run = ended_run(0)
    add_events(run, [event_body(0, eventId="one")])
    sealed(run)
    sweep(run)
    before = texts(run)
    add_events(run, [event_body(0, eventId="one")])

    sealed(run)
    sweep(run)

    assert texts(run) == before
    assert run.event_count == 1


def test_sealed_events_begin_behind_a_seq_and_end_at_the_limit(small_batches):
    run = sealed(ended_run(11))

    assert [seq for seq, _ in sealed_events(run, 5, 4)] == [6, 7, 8, 9]
    assert [seq for seq, _ in sealed_events(run, 10, 100)] == [11]
    assert sealed_events(run, 11, 100) == []


def test_sealed_events_read_only_the_row_groups_they_are_in(small_batches, monkeypatch):
    run = sealed(ended_run(40))
    with open_events(run) as events:
        monkeypatch.setattr(events, "_file", CountingFile(events._file))

        found = list(islice(events.texts(17), 3))
        groups = events._file.groups

    assert [seq for seq, _ in found] == [18, 19, 20]
    assert groups == [4]


def test_newest_sealed_events_are_the_last_ones_in_order(small_batches):
    run = sealed(ended_run(11))

    assert [seq for seq, _ in newest_sealed_events(run, 6)] == [6, 7, 8, 9, 10, 11]
    assert len(newest_sealed_events(run, 100)) == 11
    assert newest_sealed_events(ended_run(1, key="open"), 5) == []


STEPS = [
    (sealing, "_begin"),
    (sealing, "_write"),
    (sealing, "_save"),
    (sealing, "_verify"),
    (sealing, "_switch"),
    (sealing, "_delete_files"),
]


class PowerCut(Exception):
    pass


def broken(function, *, after):
    def breaking(*arguments):
        if after:
            function(*arguments)
        raise PowerCut

    return breaking


@pytest.mark.parametrize("is_reseal", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("module", "name"), STEPS)
def test_a_crash_at_any_step_loses_nothing_and_the_next_try_succeeds(module, name, after, is_reseal, monkeypatch):
    run = ended_run(6)
    if is_reseal:
        sealed(run)
        sweep(run)
        add_events(run, [event_body(8), event_body(9)])
    before = texts(run)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, broken(getattr(module, name), after=after))
        try:
            seal(run)
            sweep(Run.objects.get(pk=run.pk))
        except PowerCut:
            pass
    assert texts(run) == before

    seal(run)
    sweep(Run.objects.get(pk=run.pk))
    assert texts(run) == before
    assert ProgressEvent.objects.count() == 0
    assert len(files(run)) == 2


def test_a_file_that_lacks_events_is_not_switched_to(monkeypatch):
    run = ended_run(6)
    before = texts(run)
    table_batches = sealing._row_batches
    monkeypatch.setattr(sealing, "_row_batches", lambda attempt: (batch[:-1] for batch in table_batches(attempt)))

    with pytest.raises(SealingError, match="has 5 events, not 6"):
        seal(run)

    assert texts(run) == before
    assert files(run) == []


def test_a_file_that_ends_too_early_is_not_switched_to(monkeypatch):
    run = ended_run(6)
    table_batches = sealing._row_batches
    shifted = lambda attempt: ([batch[0], *batch[:-1]] for batch in table_batches(attempt))  # noqa: E731
    monkeypatch.setattr(sealing, "_row_batches", shifted)

    with pytest.raises(SealingError, match="ends with seq 5, not 6"):
        seal(run)

    assert files(run) == []


def test_a_name_that_is_taken_in_the_storage_is_refused():
    run = ended_run(6)
    (settings.LEMSITE_HOME / "files" / "runs" / str(run.pk)).mkdir(parents=True)
    (settings.LEMSITE_HOME / "files" / "runs" / str(run.pk) / "events-7.parquet").write_text("foreign")

    with pytest.raises(SealingError, match="was there already"):
        seal(run)


def test_of_two_processes_that_seal_one_run_the_slower_one_gives_up(monkeypatch):
    run = ended_run(6)
    before = texts(run)
    store_files = sealing._store_files

    def overtaken(attempt):
        monkeypatch.setattr(sealing, "_store_files", store_files)
        snapshot = store_files(attempt)
        assert seal(Run.objects.get(pk=run.pk))
        return snapshot

    monkeypatch.setattr(sealing, "_store_files", overtaken)

    assert not seal(run)
    sweep(Run.objects.get(pk=run.pk))
    assert texts(run) == before
    assert len(files(run)) == 2


def test_events_that_come_while_a_run_is_sealed_stay_for_the_next_time(monkeypatch):
    run = ended_run(6)
    verify = sealing._verify

    def verify_late(attempt, expected):
        add_events(Run.objects.get(pk=run.pk), [event_body(9)])
        verify(attempt, expected)

    monkeypatch.setattr(sealing, "_verify", verify_late)

    sealed(run)
    sweep(run)

    assert ProgressEvent.objects.count() == 1
    assert len(texts(run)) == 7
