from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuagent.gpu import telemetry
from gpuagent.gpu.source import Sample
from gpuagent.gpu.telemetry import LiveReader, Recorder

UUID = "GPU-simulated-0badcafe-0"
HEADER = {"gpus": [{"uuid": UUID, "method": "counter+power_instant", "scope": "gpu"}]}


def shown(power_w):
    return [{"uuid": UUID, **Sample(power_w=power_w)._asdict()}]


def read(reader, first_seq, **options):
    batch = reader.batch(first_seq, **options)
    assert batch is not None
    return batch


@pytest.fixture
def folder(tmp_path):
    """Holds five live seconds and two hundred kept samples."""
    recorder = Recorder(tmp_path)
    recorder.header(HEADER)
    for place in range(200):
        recorder.keep(place / 10, 1e9 + place / 10, [Sample(power_w=100.0 + place)])
    for second in range(1, 6):
        recorder.show(float(second), shown(float(second)))
    recorder.close()
    return tmp_path


def test_live_samples_are_read_in_the_columns_of_the_protocol(folder):
    batch = read(LiveReader(folder), 1)

    assert batch["first_seq"] == 1
    assert batch["period_ms"] == 1000
    assert batch["t"] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert batch["gpu"][0]["uuid"] == UUID
    assert batch["gpu"][0]["power_w"] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert batch["gpu"][0]["util"] == [None] * 5


def test_a_batch_ends_at_its_limit_and_the_next_goes_on(folder):
    reader = LiveReader(folder)

    assert read(reader, 1, limit=2)["t"] == [1.0, 2.0]
    assert read(reader, 3, limit=2)["t"] == [3.0, 4.0]
    assert read(reader, 5, limit=2)["t"] == [5.0]
    assert reader.batch(6) is None


def test_a_reader_goes_back_when_the_site_asks_for_older_samples(folder):
    reader = LiveReader(folder)
    reader.batch(1)

    assert read(reader, 4)["t"] == [4.0, 5.0]


def test_new_samples_are_read_as_they_come(folder):
    reader = LiveReader(folder)
    reader.batch(1)
    recorder = Recorder(folder)
    recorder.show(6.0, shown(6.0))
    recorder.close()

    assert read(reader, 6)["t"] == [6.0]


def test_a_folder_without_telemetry_has_none(tmp_path):
    assert LiveReader(tmp_path).batch(1) is None
    assert telemetry.latest(tmp_path) is None
    assert telemetry.last_seq(tmp_path) == 0
    assert telemetry.silence_s(tmp_path) is None
    assert list(telemetry.read_full(tmp_path)) == []


def test_the_newest_sample_is_found_without_reading_all(folder):
    newest = telemetry.latest(folder)

    assert newest is not None
    assert newest["gpu"][0]["power_w"] == 5.0
    assert telemetry.last_seq(folder) == 5


def test_a_line_cut_by_a_kill_is_dropped_and_numbers_go_on(folder):
    with (folder / telemetry.LIVE).open("ab") as live:
        live.write(b'{"seq":6,"t":6.0,"gp')

    recorder = Recorder(folder)
    recorder.show(7.0, shown(7.0))
    recorder.close()

    assert read(LiveReader(folder), 1)["t"] == [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]


def test_a_number_that_is_missing_gets_nulls_so_that_the_site_does_not_wait_for_it(folder):
    live = folder / telemetry.LIVE
    lines = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(b"".join([*lines[:2], b"rubbish\n", *lines[3:]]))

    batch = read(LiveReader(folder), 1)

    assert len(batch["t"]) == 5
    assert batch["gpu"][0]["power_w"] == [1.0, 2.0, None, 4.0, 5.0]


@pytest.mark.parametrize("limit", [1, 2, 3], ids=str)
def test_a_hole_is_filled_in_batches_of_any_size(folder, limit):
    live = folder / telemetry.LIVE
    lines = live.read_bytes().splitlines(keepends=True)
    live.write_bytes(b"".join(lines[:1] + lines[4:]))
    reader = LiveReader(folder)
    powers: list[float | None] = []

    while (batch := reader.batch(len(powers) + 1, limit=limit)) is not None:
        powers += batch["gpu"][0]["power_w"] if batch["gpu"] else [None] * len(batch["t"])

    assert powers == [1.0, None, None, None, 5.0]


def test_kept_samples_are_read_back_after_their_header(folder):
    header, *lines = telemetry.read_full(folder)

    assert header["columns"] == list(Sample._fields)
    assert len(lines) == 200
    assert lines[7]["gpu"] == [[107.0, None, None, None, None, None, None]]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_kept_file_that_was_cut_anywhere_gives_whole_lines_and_can_be_gone_on_with(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cut")
    recorder = Recorder(folder)
    recorder.header(HEADER)
    for place in range(120):
        recorder.keep(place / 10, 1e9, [Sample()])
    recorder.close()
    path = folder / telemetry.FULL
    os.truncate(path, data.draw(st.integers(0, path.stat().st_size)))
    whole = len(list(telemetry.read_full(folder)))

    again = Recorder(folder)
    again.keep(99.0, 1e9, [Sample()])
    again.close()

    *_, last = telemetry.read_full(folder)
    assert last["t"] == 99.0
    assert len(list(telemetry.read_full(folder))) == whole + 1


def test_rubbish_behind_whole_members_is_ignored(folder):
    with (folder / telemetry.FULL).open("ab") as file:
        file.write(b"no gzip at all")

    assert len(list(telemetry.read_full(folder))) == 201


def test_faults_are_told_in_both_files_at_once(folder):
    recorder = Recorder(folder)
    recorder.tell({"fault": {"code": "gpu_lost", "uuid": UUID, "text": "gone"}, "t": 1.0})

    assert [fault["code"] for fault in telemetry.faults(folder)] == ["gpu_lost"]
    assert b"gpu_lost" in (folder / telemetry.LIVE).read_bytes()
    recorder.close()


def test_silence_is_counted_from_the_last_live_line(folder):
    written = (folder / telemetry.LIVE).stat().st_mtime

    assert telemetry.silence_s(folder, now=written + 20) == pytest.approx(20)
