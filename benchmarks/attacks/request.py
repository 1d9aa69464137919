"""One hostile request, what came of it, and the two places that it can be sent to."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

TIMEOUT_S = 60.0
#: of an answer; what is longer is read and not kept
MAX_KEPT = 4 << 20


@dataclass(frozen=True, slots=True)
class Attack:
    """A request. `path` is as it goes over the wire, query included."""

    method: str
    path: str
    role: str = "anonymous"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: statuses that alone are right; empty: every one that is documented, or any below 500 where nothing is
    right: frozenset[int] = frozenset()
    #: goes over the wire as it is, in place of all of the above but the role
    raw: bytes = b""

    def __str__(self) -> str:
        told = self.raw[:120] if self.raw else self.body[:120]
        return f"{self.role}: {self.method} {self.path[:200]} {dict(self.headers)} {told!r}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 is a connection that was closed without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float


class Target(Protocol):
    """Where attacks go."""

    #: does it read what is no well-formed HTTP?
    takes_raw: bool

    def send(self, attack: Attack, credentials: Mapping[str, str]) -> Answer: ...


class Live:
    """A site on a port of this machine, over one connection that is opened again when it is closed."""

    takes_raw = True

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def send(self, attack: Attack, credentials: Mapping[str, str]) -> Answer:
        began = time.perf_counter()
        if attack.raw:
            status, headers, body = self._send_raw(attack.raw)
        else:
            status, headers, body = self._send(attack, credentials)
        return Answer(status, headers, body, (time.perf_counter() - began) * 1000)

    def _send(self, attack: Attack, credentials: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        # The site may have closed an idle connection, which shows only when it is used again.
        for attempt in (1, 2):
            connection = self._connection = self._connection or http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=TIMEOUT_S
            )
            try:
                return _exchange(connection, attack, credentials)
            except (http.client.HTTPException, OSError):
                connection.close()
                self._connection = None
                if attempt == 2:
                    return 0, {}, b""
        raise AssertionError

    def _send_raw(self, raw: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Only the first answer counts: what follows may be answered to what was smuggled behind it."""
        with closing(socket.create_connection(("127.0.0.1", self._port), timeout=10)) as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                answered = b""
                while (piece := connection.recv(65_536)) and len(answered) < MAX_KEPT:
                    answered += piece
            except OSError:
                answered = b""
        head, _, body = answered.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        headers = {name.decode("latin-1").lower(): value.strip().decode("latin-1") for name, _, value in lines}
        return int(status[0]) if status and status[0].isdigit() else 0, headers, body


def _exchange(
    connection: http.client.HTTPConnection, attack: Attack, credentials: Mapping[str, str]
) -> tuple[int, Mapping[str, str], bytes]:
    headers = {"Host": "localhost", "Content-Length": str(len(attack.body)), **credentials, **attack.headers}
    # http.client refuses control characters in paths and headers, which is what an attacker sends: those go raw.
    connection.putrequest(attack.method, attack.path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value.encode("latin-1", "replace"))
    connection.endheaders(attack.body)
    with connection.getresponse() as response:
        body = response.read()
        if response.will_close:
            connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body[:MAX_KEPT]


class InProcess:
    """Django's own handler in this process, without sockets; `client` is a class with Django's test client's way."""

    takes_raw = False

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, attack: Attack, credentials: Mapping[str, str]) -> Answer:
        began = time.perf_counter()
        given = {name.lower(): value for name, value in {**credentials, **attack.headers}.items()}
        kind = given.pop("content-type", "application/octet-stream")
        client = self._client(raise_request_exception=False)
        answer = client.generic(attack.method, attack.path, attack.body, kind, headers=given)
        body = b"".join(answer) if answer.streaming else answer.content
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, headers, body[:MAX_KEPT], (time.perf_counter() - began) * 1000)
