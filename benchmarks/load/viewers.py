"""Thousands of viewers of one run in one light process: each is a socket, a count and what it has half received.

All viewers get the same bytes, so each distinct piece is understood once, and for the others its arrival is noted.
"""

from __future__ import annotations

import re
import select
import socket
import time
from array import array
from dataclasses import dataclass, field

BUFFER = 262_144
CONNECT_AT_ONCE = 100
PATIENCE_S = 60.0
EVENT = re.compile(rb'"eventId":"event-(\d{10})"')
PING, PONG, CLOSE = 0x9, 0x8A, 0x8


@dataclass
class Piece:
    """Some bytes as they came, and what they say."""

    numbers: list[int]
    is_whole: bool
    is_hello: bool = False
    has_resync: bool = False
    pings: list[bytes] = field(default_factory=list)
    arrived: array[float] = field(default_factory=lambda: array("d"))


@dataclass
class Viewer:
    channel: socket.socket
    rest: bytes = b""
    is_ready: bool = False
    events: int = 0
    #: of their numbers: with the count, it tells a repeat that hides a loss
    total: int = 0


class Viewers:
    """Watches one run through one transport, `websocket` or `sse`."""

    def __init__(self, port: int, run: str, transport: str) -> None:
        self._port, self._is_websocket = port, transport == "websocket"
        self._request = _request(port, run, transport)
        self._poll = select.epoll()
        self._open: dict[int, Viewer] = {}
        self.all: list[Viewer] = []
        self.pieces: dict[bytes, Piece] = {}
        self.lost = 0
        self.resyncs = 0

    def connect(self, count: int) -> None:
        """Returns once every viewer has been greeted. Raises TimeoutError if some never are."""
        for number in range(count):
            channel = socket.create_connection(("127.0.0.1", self._port))
            channel.sendall(self._request)
            viewer = Viewer(channel)
            self.all.append(viewer)
            self._open[channel.fileno()] = viewer
            self._poll.register(channel, select.EPOLLIN)
            if number % CONNECT_AT_ONCE == CONNECT_AT_ONCE - 1:
                self._greet()
        self._greet()

    def read(self, seconds: float) -> None:
        """Take in what comes for this long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for descriptor, _ in self._poll.poll(min(left, 0.1), 1024):
                self._receive(descriptor)

    def close(self) -> None:
        for viewer in self.all:
            viewer.channel.close()
        self._poll.close()

    def _greet(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not all(viewer.is_ready for viewer in self.all[-CONNECT_AT_ONCE:]):
            if time.monotonic() > deadline:
                raise TimeoutError("Some viewers were not greeted.")
            self.read(0.005)

    def _receive(self, descriptor: int) -> None:
        viewer = self._open[descriptor]
        try:
            data = viewer.channel.recv(BUFFER)
        except ConnectionResetError:
            data = b""
        now = time.monotonic()
        if not data:
            self._drop(descriptor)
            return
        if viewer.rest:
            data = viewer.rest + data
        piece = self.pieces.get(data)
        if piece is None:
            piece = self._understand(data)
            if not piece.is_whole:
                viewer.rest = data
                return
            self.pieces[data] = piece
        viewer.rest = b""
        self._note(viewer, piece, now)

    def _note(self, viewer: Viewer, piece: Piece, now: float) -> None:
        if piece.numbers:
            piece.arrived.append(now)
            viewer.events += len(piece.numbers)
            viewer.total += sum(piece.numbers)
        if piece.is_hello:
            viewer.is_ready = True
        self.resyncs += piece.has_resync
        for ping in piece.pings:
            # Clients mask what they send; a mask of zeros leaves it as it is.
            viewer.channel.sendall(bytes([PONG, 0x80 | len(ping)]) + bytes(4) + ping)

    def _drop(self, descriptor: int) -> None:
        self.lost += 1
        self._poll.unregister(descriptor)
        self._open.pop(descriptor).channel.close()

    def _understand(self, data: bytes) -> Piece:
        piece = Piece([int(number) for number in EVENT.findall(data)], is_whole=True)
        head, separator, body = data.partition(b"\r\n\r\n") if data.startswith(b"HTTP/") else (b"", b"-", data)
        if head and not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101")):
            raise ConnectionError(data[:300].decode("latin-1"))
        if not self._is_websocket:
            # A chunk ends with the blank line of its last event, and then with its own.
            piece.is_whole = bool(separator) and body.endswith(b"\n\n\r\n")
            piece.is_hello = b"event: ready" in body
            return piece
        piece.is_hello = bool(head)
        piece.has_resync = b'"type":"resync"' in body
        piece.is_whole = bool(separator) and _read_frames(body, piece)
        return piece


def _read_frames(body: bytes, piece: Piece) -> bool:
    """Whether the bytes end with a frame; notes the pings among them."""
    place = 0
    while place + 2 <= len(body):
        operation, length, start = body[place] & 0x0F, body[place + 1] & 0x7F, place + 2
        if length >= 126:
            width = 2 if length == 126 else 8
            length, start = int.from_bytes(body[start : start + width], "big"), start + width
        place = start + length
        if operation == PING and place <= len(body):
            piece.pings.append(body[start:place])
    return place == len(body)


def _request(port: int, run: str, transport: str) -> bytes:
    host = f"Host: 127.0.0.1:{port}\r\n"
    if transport == "sse":
        return f"GET /api/runs/{run}/stream HTTP/1.1\r\n{host}Accept: text/event-stream\r\n\r\n".encode()
    return (
        f"GET /ws/runs/{run}/ HTTP/1.1\r\n{host}Origin: http://127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGVtc2l0ZS1iZW5jaG1hcg==\r\n\r\n"
    ).encode()
