"""A site that only takes what clients send, and answers as a test wants it to."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gpuagent.host.config import Settings
from gpuagent.host.folders import Home

from .fake_site import FakeProtocolSite
from .host import QUICK, AgentThread, end
from .waiting import wait_for

__all__ = ["wait_for"]


class FakeSite:
    """Keeps the messages it has acknowledged. `replies` are answered first: (status, headers, body) or a status."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        #: messages in each request
        self.batches: list[int] = []
        self.tokens: list[str] = []
        self.replies: list[int | tuple[int, dict, bytes]] = []
        self.requests = 0
        self.delay_s = 0.0
        #: says of one message why it is rejected, or None
        self.judge: Callable[[dict], str | None] = lambda message: None
        self._port = 0
        self.start()

    def start(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = site.take(self.path, self.headers, body)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def take(self, path, headers, body):
        self.requests += 1
        time.sleep(self.delay_s)
        if self.replies:
            reply = self.replies.pop(0)
            return (reply, {}, b"no") if isinstance(reply, int) else reply
        assert path == "/api/ingest"
        self.tokens.append(headers["X-Ingest-Token"])
        batch = json.loads(body)
        self.batches.append(len(batch))
        rejected = [{"index": i, "error": why} for i, one in enumerate(batch) if (why := self.judge(one))]
        bad = {each["index"] for each in rejected}
        self.messages += [one for i, one in enumerate(batch) if i not in bad]
        return 200, {}, json.dumps({"ok": True, "accepted": len(batch) - len(bad), "rejected": rejected}).encode()

    def payloads(self, kind="progress"):
        return [message["payload"] for message in self.messages if message["kind"] == kind]


@pytest.fixture
def site():
    site = FakeSite()
    yield site
    site.stop()


@pytest.fixture
def spool(tmp_path, monkeypatch, site):
    """The environment of a program that streams to the fake site; the folder of its spool."""
    monkeypatch.setenv("LEM_URL", site.url)
    monkeypatch.setenv("LEM_TOKEN", "secret")
    monkeypatch.setenv("LEM_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr("gpuagent.sender.FIRST_RETRY_S", 0.02)
    return tmp_path / "spool"


@pytest.fixture
def protocol_site():
    site = FakeProtocolSite()
    yield site
    site.stop()


@pytest.fixture
def home(tmp_path, protocol_site, monkeypatch):
    """A home that is connected to the fake site."""
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", "0.05")
    home = Home(tmp_path / "home")
    home.enrol(protocol_site.url, "agent", protocol_site.tokens[0])
    yield home
    for path in home.path.glob("*/*/pid.json"):
        end(path)


@pytest.fixture
def start(home):
    """Starts agents in this process; all are gone at the end."""
    started = []

    def start(policy=QUICK, **settings):
        agent = AgentThread(home, policy, Settings(home=home.path, simulate=True, tick_s=0.02, **settings))
        started.append(agent)
        return agent

    yield start
    for agent in started:
        agent.leave()
        agent.thread.join()
