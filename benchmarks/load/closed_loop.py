"""A load generator that costs little: blocking sockets, one epoll, requests made from text that is there already.

Closed loop: each connection sends its next request when the last one is answered, so that the time of a request is
also the time it waited for the others.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

BUFFER = 65_536


@dataclass
class Load:
    """What a load has met."""

    seconds: float = 0.0
    #: of each answered request, in ms
    times_ms: list[float] = field(default_factory=list)
    #: answers other than 200: the first line, and how many
    refused: dict[str, int] = field(default_factory=dict)


@dataclass
class Connection:
    channel: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


class Requests:
    """Ready-made requests of the same length: only the events' numbers are filled in."""

    def __init__(self, port: int, token: str, *, run: str, batch: int) -> None:
        self.batch = batch
        ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.event = (
            f'{{"runId":"{run}","ts":"{ts}","gpuId":"h100-0","model":"meta-llama/Llama-3.1-8B-Instruct",'
            '"useCase":"extraction","tokenPerSec":1834.2,"latencyMs":431.7,"vramUsedMB":30211.0,"evalProgressIdx":4,'
            '"evalTotal":12,"powerW":566.1,"energyJ":113.2,"temperatureC":61.4,"outputTokens":366,'
            '"eventId":"event-%010d"}'
        )
        length = len(self.event % 0) * batch + (batch + 1 if batch > 1 else 0)
        self._head = (
            f"POST /api/ingest HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Ingest-Token: {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )

    def make(self, first: int) -> bytes:
        numbers = range(first, first + self.batch)
        if self.batch == 1:
            return (self._head + self.event % first).encode()
        return (self._head + "[" + ",".join([self.event % number for number in numbers]) + "]").encode()


def run_load(port: int, requests: Requests, *, connections: int, seconds: float, first: int = 0) -> tuple[Load, int]:
    """Load the server for a time; returns what it met, and the number after the last event sent."""
    load = Load()
    number = first
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        open_: dict[int, Connection] = {}
        for _ in range(connections):
            channel = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            open_[channel.fileno()] = Connection(channel)
            poll.register(channel, select.EPOLLIN)
        began = time.perf_counter()
        for connection in open_.values():
            number = _send(connection, requests, number)
        end = began + seconds
        waiting = len(open_)
        while waiting:
            for descriptor, _ in poll.poll(30):
                connection = open_[descriptor]
                if not _answered(connection, load):
                    continue
                if time.perf_counter() < end:
                    number = _send(connection, requests, number)
                else:
                    waiting -= 1
        load.seconds = time.perf_counter() - began
    return load, number


def _send(connection: Connection, requests: Requests, number: int) -> int:
    request = requests.make(number)
    connection.sent_at = time.perf_counter()
    connection.channel.sendall(request)
    return number + requests.batch


def _answered(connection: Connection, load: Load) -> bool:
    data = connection.channel.recv(BUFFER)
    if not data:
        raise ConnectionError("The server closed a connection under load.")
    connection.received += data
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    if not separator or len(body) < content_length(head):
        return False
    load.times_ms.append((time.perf_counter() - connection.sent_at) * 1000)
    if not head.startswith(b"HTTP/1.1 200 ") or b'"rejected":[{' in body:
        what = head.split(b"\r\n", 1)[0].decode() + " " + body[:120].decode()
        load.refused[what] = load.refused.get(what, 0) + 1
    connection.received = b""
    return True


def content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])
