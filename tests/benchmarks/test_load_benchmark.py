"""The load test of a mixed day: what it sends, that it notices wrong answers, and that it counts time from when due."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks.load.cost import usd_per_1000_readers
from benchmarks.load.day import KINDS, PAGES, Asked, Day
from benchmarks.load.open_loop import Answer, Load, read_head, what_is_wrong, whole_body, without_chunks
from benchmarks.load.steps import Line, Step
from benchmarks.plan import Demand, Measured, Price, plan

MADE = {
    "results": [f"result-{number}" for number in range(20)],
    "models": ["org/model"],
    "hardware": ["h100"],
    "tokens": ["lem_x"],
    "hosts": [{"Authorization": "Bearer gpa_x"}],
    "static": ["/static/css/site.css"],
    "run": "mixed-day",
    "ingest_token": "secret",
}
PAGE = b"<!doctype html><p>A page that is long enough</p></html>"


@pytest.fixture
def stub():
    """A site that answers each path as it is told: (status, headers, body, seconds of thought)."""
    answers: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body, wait_s = answers.get(self.path.partition("?")[0], (200, {}, PAGE, 0.0))
            time.sleep(wait_s)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815  the names that the server looks for

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield answers, server.server_port
        server.shutdown()


def met(port, kind, *, rate=40.0, seconds=0.5):
    load = Load(port, Day(MADE, seed=1, kinds={kind: 1.0}), rate=rate, seconds=seconds, seed=1)
    asyncio.run(load.run())
    return load.met[kind]


def test_right_answers_are_no_errors(stub):
    _, port = stub

    found = met(port, "analysis")

    assert len(found.times_ms) > 5
    assert (found.errors, found.limited) == ({}, 0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, {}, b"Server error", 0.0), "HTTP 500 Server error"),
        ((200, {}, b"", 0.0), "HTTP 200 without </html>"),
        ((200, {}, PAGE[:-8], 0.0), "HTTP 200 without </html>"),
        ((200, {"Content-Encoding": "gzip"}, PAGE, 0.0), "gzip is broken"),
        ((302, {"Location": "/accounts/login/"}, b"", 0.0), "HTTP 302"),
        ((304, {}, b"", 0.0), "HTTP 304"),
    ],
    ids=["status", "empty", "cut", "not-gzip", "redirect", "unasked-304"],
)
def test_a_wrong_answer_is_an_error_and_says_why(stub, answer, reason):
    answers, port = stub
    answers["/analysis/"] = answer

    found = met(port, "analysis")

    assert sum(found.errors.values()) == len(found.times_ms) > 5
    assert all(reason in error for error in found.errors)


def test_a_site_that_is_away_is_an_error_for_each_request():
    found = met(1, "analysis", seconds=0.2)

    assert sum(found.errors.values()) == len(found.times_ms) > 0


def test_refusals_for_asking_too_much_are_counted_apart(stub):
    answers, port = stub
    answers["/analysis/"] = (429, {"Retry-After": "1"}, b"slow down", 0.0)

    found = met(port, "analysis")

    assert (found.limited, found.errors) == (len(found.times_ms), {})


def test_an_event_that_is_refused_is_an_error(stub):
    answers, port = stub
    answers["/api/ingest"] = (200, {}, b'{"accepted":9,"rejected":[{"index":0,"error":"no"}]}', 0.0)

    assert sum(met(port, "ingest").errors.values()) > 0


def test_time_counts_from_when_a_request_was_due(stub):
    """One connection would wait for each answer in turn; here all are sent when they are due."""
    answers, port = stub
    answers["/analysis/"] = (200, {}, PAGE, 0.5)

    found = met(port, "analysis", rate=60, seconds=0.5)

    assert len(found.times_ms) > 15
    assert min(found.times_ms) >= 499


def test_an_unchanged_page_is_asked_for_with_its_etag(stub):
    day = Day(MADE, seed=3, kinds={"board": 1.0})
    for asked in [day.next() for _ in range(200)]:
        day.saw(asked, '"one"')

    again = [asked for asked in (day.next() for _ in range(200)) if "If-None-Match" in asked.headers]

    assert again
    assert all(asked.statuses == (200, 304) for asked in again)


def test_the_same_seed_makes_the_same_day():
    first, again, other = ([timeless(day.next()) for _ in range(300)] for day in map(day_of, (7, 7, 8)))

    assert first == again
    assert first != other


def day_of(seed):
    return Day(MADE, seed=seed)


def timeless(asked):
    """Live events bear the moment at which they are made."""
    return re.sub(rb'"ts":"[^"]+"', b"", asked.encode("h"))


def test_nine_of_ten_are_readers():
    readers = sum(kind.share for kind in KINDS.values() if kind.is_reader)

    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1)
    assert readers == pytest.approx(0.9)
    assert set(PAGES) < set(KINDS)


def test_every_kind_is_made():
    day = Day(MADE, seed=1)
    asked = [day.next() for _ in range(5000)]

    assert {each.kind for each in asked} == set(KINDS)
    assert all(json.loads(each.body) for each in asked if each.kind not in ("ingest", "heartbeat") and each.body)


def test_a_host_takes_what_it_is_offered_and_reports():
    day = Day(MADE, seed=1)
    claim = Asked("claim", "/api/agent/v1/claim", "POST", statuses=(200, 204))

    further = day.follow_up(claim, b'{"attempt": "a1"}')

    assert [each.path.rpartition("/")[2] for each in further] == ["accept", "finish"]
    assert day.follow_up(claim, b"") == day.follow_up(further[0], b'{"lease_s": 60}') == []


def test_answers_are_whole_by_length_or_by_chunks():
    chunked = {"transfer-encoding": "chunked"}

    assert read_head(b"HTTP/1.1 200 OK\r\nETag: x") == (200, {"etag": "x"})
    assert whole_body(200, {"content-length": "3"}, bytearray(b"ab")) is None
    assert whole_body(200, {"content-length": "3"}, bytearray(b"abc")) == b"abc"
    assert whole_body(200, chunked, bytearray(b"2\r\nab\r\n")) is None
    assert whole_body(200, chunked, bytearray(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")) == b"abc"
    assert without_chunks(b"0\r\n\r\n") == b""


def test_an_unchanged_answer_needs_no_body():
    asked = Asked("board", "/", statuses=(200, 304), has=b"</html>")

    assert what_is_wrong(asked, Answer(304, {}, b"")) == ""
    assert what_is_wrong(asked, Answer(200, {}, b"")) == "HTTP 200 without </html>"


def step(**changes):
    line = Line("board", 1000, p50_ms=10, p95_ms=20, p99_ms=changes.pop("p99_ms", 30), unchanged=0, limited=0, kb=1,
                errors=changes.pop("errors", 0))  # fmt: skip
    base: dict[str, Any] = {
        "rate": 10,
        "seconds": 1,
        "lines": [line],
        "reasons": {},
        "cpu_s": {"web": 20.0},
        "own_cpu_s": 0.1,
    }
    return Step(**base, late_p99_ms=1, viewers=0, delivered=1, lost_viewers=changes.pop("lost", 0), load_average=1)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"p99_ms": 1001}, ["p99 of board 1,001 ms"]),
        ({"errors": 1}, []),
        ({"errors": 2}, ["2 errors of 1,000"]),
        ({"lost": 3}, ["3 viewers cut off"]),
    ],
    ids=["held", "slow", "one-in-a-thousand", "wrong", "cut-off"],
)
def test_a_step_says_why_it_is_too_much(changes, faults):
    assert step(**changes).faults == faults


def test_readers_cost_what_their_requests_take():
    cpu_s, usd = usd_per_1000_readers(35.0)

    assert cpu_s == pytest.approx(1000 * 4 / 0.70 * 0.035)
    assert usd == pytest.approx(cpu_s * 0.0816 / 2 / 3600 / 0.4)


def test_the_plan_is_plain_arithmetic():
    sheet = plan(Measured(claim_cpu_ms=10, heartbeat_cpu_ms=5), Demand(poll_s=3), Price())

    assert sheet["requests"] == pytest.approx(1e6 * 4 / 0.70 / 86_400)
    assert sheet["claims of idle hosts"] == pytest.approx(10_000 / 3)
    assert sheet["cores for idle hosts"] == pytest.approx((10_000 / 3 * 10 + 1000 * 5) / 1000)
    assert sheet["events"] == pytest.approx(31.7, abs=0.1)
    assert sheet["sealed events"] == pytest.approx(36.5)


def test_hosts_that_ask_less_often_need_fewer_machines():
    often, seldom = (plan(Measured(), Demand(poll_s=poll_s), Price()) for poll_s in (3, 60))

    assert often["machines"] > seldom["machines"]


@pytest.mark.long
def test_a_small_day_holds(run):
    options = ("--engine", "sqlite", "--steps", "4", "--for-s", "2", "--rows", "60", "--alone", "0", "--as-is")

    said = run("load", *options)

    assert re.search(r"### 4 a second, 8 viewers: [1-9]\d* requests, 0 errors", said), said
    assert re.search(r"Viewers got (99|100)\.\d% of the events", said), said
