"""The benchmarks of live runs, and the pieces that they are made of."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.load.closed_loop import Requests, content_length
from benchmarks.load.viewers import Piece, _read_frames
from benchmarks.load.words import percentile
from runs.wire import parse_message


def test_the_ingest_benchmark_stores_what_it_sends(run):
    table = run("ingest", "--database", "sqlite", "--seconds", "0.3", "--quick")

    assert table.count("| all there |") == 2
    assert re.search(r"cores of .+ GB", table)


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_the_fanout_benchmark_delivers_every_event_once(run, transport):
    table = run("fanout", "--viewers", "5", "--processes", "1", "--transport", transport, "--seconds", "1")

    assert f"| {transport} | 1 | 5 | 100.00% |" in table
    assert "| each exactly once |" in table


def test_the_durability_benchmark_finds_nothing_lost_and_nothing_twice(run):
    table = run("durability", "--kills", "1", "--up", "0.3")

    assert "| acknowledged and lost | 0 |" in table
    assert "| seen twice | 0 |" in table


@pytest.mark.parametrize("batch", [1, 3])
def test_a_ready_made_request_is_as_long_as_it_says_and_valid(batch):
    head, _, body = Requests(80, "t", run="r", batch=batch).make(41).partition(b"\r\n\r\n")

    assert content_length(head) == len(body)
    assert body.count(b'"eventId":"event-00000000') == batch


def test_a_ready_made_event_is_one_of_the_contract():
    event = json.loads(Requests(80, "t", run="r", batch=1).event % 7)

    assert parse_message(event).kind == "progress"


@pytest.mark.parametrize(
    ("frames", "is_whole", "pings"),
    [
        (b"\x81\x02{}", True, []),
        (b"\x81\x02{}\x89\x01p", True, [b"p"]),
        (b"\x81\x02{", False, []),
        (b"\x81", False, []),
        (b"\x81\x7e\x00\x80" + b"x" * 128, True, []),
        (b"\x81\x7f" + (70_000).to_bytes(8, "big") + b"x" * 69_999, False, []),
    ],
)
def test_websocket_frames_are_told_from_halves_of_them(frames, is_whole, pings):
    piece = Piece([], is_whole=True)

    assert (_read_frames(frames, piece), piece.pings) == (is_whole, pings)


def test_a_percentile_is_the_nearest_rank():
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.99)] == [3.0, 4.0]
