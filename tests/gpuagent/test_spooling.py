"""What an attempt says, made again after a restart with the same outcome."""

import json

import pytest

from gpuagent.host.folders import AttemptFolder
from gpuagent.host.spooling import EventSpool, LogSpool, events_from

TOTAL = 4000


@pytest.fixture
def folder(tmp_path):
    folder = AttemptFolder(tmp_path / "attempts" / "one")
    folder.path.mkdir(parents=True)
    return folder


def add(path, content):
    with path.open("ab") as file:
        file.write(content)


def log(folder, total=TOTAL, secrets=("gpa_secret",)):
    return LogSpool(folder, lambda: list(secrets), total)


def test_a_log_that_is_read_again_after_a_restart_is_the_same(folder):
    add(folder["raw.log"], b"one gpa_sec")
    log(folder).pump()
    add(folder["raw.log"], b"ret two\n")

    again = log(folder)
    again.pump(last=True)

    assert folder["out.log"].read_bytes() == b"one *** two\n"


def test_a_long_log_keeps_its_beginning_and_its_end(folder):
    add(folder["raw.log"], b"begin" + b"x" * 20_000 + b"end")

    log(folder).pump(last=True)

    kept = folder["out.log"].read_bytes()
    assert kept.startswith(b"begin")
    assert kept.endswith(b"end")
    assert b"bytes of the log were left out here" in kept
    assert len(kept) <= TOTAL


def test_a_log_of_the_greatest_length_is_whole(folder):
    add(folder["raw.log"], b"x" * (TOTAL - 200))

    log(folder).pump(last=True)

    assert folder["out.log"].stat().st_size == TOTAL - 200


def test_events_are_numbered_without_gaps_also_over_a_restart(folder):
    add(folder["progress.jsonl"], b'{"type": "step", "data": {"i": 1}}\n')
    EventSpool(folder, list).pump()
    add(folder["progress.jsonl"], b'{"type": "step", "data": {"i": 2}}\n')
    # Half an event of a crash.
    add(folder["events.ndjson"], b'{"seq": 2, "t"')

    again = EventSpool(folder, list)
    again.pump()

    assert [(event["seq"], event["data"]) for event in events_from(folder, 1, 10)] == [(1, {"i": 1}), (2, {"i": 2})]
    assert again.newest_step == {"i": 2}


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b"no json", b'{"type": 3}', b'{"type": "x", "data": []}', b'{"type": "x", "data": {"a": NaN}}'],
    ids=["deep", "none", "number", "list", "nan"],
)
def test_what_is_no_event_is_passed_over(folder, line):
    add(folder["progress.jsonl"], line + b"\n" + b'{"type": "good"}\n')

    EventSpool(folder, list).pump()

    assert [event["type"] for event in events_from(folder, 1, 10)] == ["good"]


def test_a_line_that_is_still_being_written_waits(folder):
    spool = EventSpool(folder, list)
    add(folder["progress.jsonl"], b'{"type": "a"')
    spool.pump()
    assert spool.seq == 0

    add(folder["progress.jsonl"], b"}\n")
    spool.pump()

    assert spool.seq == 1


def test_a_secret_in_an_event_is_masked(folder):
    add(folder["progress.jsonl"], json.dumps({"type": "x", "data": {"a": "gpa_secret!"}}).encode() + b"\n")

    EventSpool(folder, lambda: ["gpa_secret"]).pump()

    assert events_from(folder, 1, 1)[0]["data"] == {"a": "***!"}
