"""Errors and traces leave for a server on this machine, and take no secret along."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest
from django.conf import settings

from lemsite.observing.errors_elsewhere import scrub

brotli = pytest.importorskip("brotli")

REPOSITORY = Path(__file__).resolve().parents[2]
CANARY = "canary-4f1d"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(self.headers.get("Content-Encoding", ""), bytes)
        cast("Receiving", self.server).received.append((self.path, unpack(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        """The test's output is for pytest."""


class Receiving(ThreadingHTTPServer):
    """A server on this machine, and what it was sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[tuple[str, bytes]] = []


@pytest.fixture(scope="module")
def received(tmp_path_factory):
    """What arrives when a page fails on a site that has both services set."""
    server = Receiving()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"127.0.0.1:{server.server_address[1]}"
    home = tmp_path_factory.mktemp("home")
    try:
        out = start_site(
            home,
            SENTRY_DSN=f"http://key@{address}/7",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{address}",
            OTEL_SAMPLE_PERCENT="100",
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert out["status"] == 500
    return server.received


def start_site(home, **variables):
    environment = {**os.environ, "LEMSITE_HOME": str(home), "PYTHONPATH": str(REPOSITORY), **variables}
    environment |= {"LOG_LEVEL": "ERROR", "CANARY": CANARY}
    command = [sys.executable, "-m", "tests.operations.one_failing_page"]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_error_arrives_with_its_place_and_without_a_secret(received):
    (body,) = [body for path, body in received if path.startswith("/api/7/")]
    event = json.loads(body.splitlines()[2])
    error = event["exception"]["values"][-1]

    assert error["type"] == "RuntimeError"
    assert error["stacktrace"]["frames"][-1]["function"] == "fails"
    assert event["transaction"] == "failing"
    assert event["release"]
    assert event["logentry"]["message"] == "A request failed"
    assert CANARY.encode() not in body


def test_a_trace_arrives_with_the_route_and_without_a_secret(received):
    (body,) = [body for path, body in received if path == "/v1/traces"]

    for said in (b"GET failing", b"http.route", b"lemsite-under-test", b"http.response.status_code"):
        assert said in body
    assert CANARY.encode() not in body


@pytest.mark.skipif(settings.ON_SQLITE, reason="only queries on PostgreSQL are traced")
def test_the_trace_has_the_queries_without_their_parameters(received):
    (body,) = [body for path, body in received if path == "/v1/traces"]

    assert b"SELECT %s::text" in body


def test_nothing_of_either_is_imported_where_neither_is_set(tmp_path):
    out = start_site(tmp_path, SENTRY_DSN="", OTEL_EXPORTER_OTLP_ENDPOINT="")

    assert out["imported"] == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token lem_abcdefghijklmnop is wrong", "token [removed] is wrong"),
        ("Authorization: Bearer abc.def", "Authorization: [removed]"),
        ("GET https://u:p@host/x?a=b failed", "GET https://[removed]host/x?[removed] failed"),
        ("whsec_AAAAAAAAAAAA=, gpa_0123456789", "[removed], [removed]"),
        ("plain words", "plain words"),
    ],
)
def test_messages_lose_what_may_be_secret(text, left):
    assert scrub(text) == left
