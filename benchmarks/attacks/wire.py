"""Attacks below HTTP's manners: split headers, wrong lengths, other hosts, too much of everything, broken sockets."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.attacks.addresses import shuffled
from benchmarks.attacks.judging import HEADER
from benchmarks.attacks.request import Attack
from benchmarks.attacks.stage import ROLES, Stage

HOSTS = (
    "evil.example", "localhost:99999", "localhost@evil.example", "", "localhost, evil.example",
    "127.0.0.1.evil.example",
    "[::1", "localhost\tx", "xn--", "a" * 5_000, "LOCALHOST", "localhost.", "%00", "-", "localhost:80:80", "..",
)  # fmt: skip
VALUES = (
    "", "x" * 8_000, "x" * 60_000, "\x80\xff", "=?utf-8?b?eA==?=", "a,b,c" * 500, "-1", "9" * 500, "*", "null",
    "(){:;};",
    "${jndi:ldap://127.0.0.1/a}", "gzip;q=nan", 'W/"' + "a" * 3_000 + '"', "bytes=0-,1-,2-" + ",1-" * 400, "\t\t",
)  # fmt: skip
NAMES = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Content-Type", "Content-Encoding",
    "Expect",
    "If-None-Match", "If-Modified-Since", "If-Range", "Range", "Referer", "Origin", "User-Agent", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-ID", "X-CSRFToken", "X-Ingest-Token", "HX-Request", "HX-Target",
    "HX-Current-URL", "Last-Event-ID", "Forwarded", "Via", "TE", "Upgrade", "X-Original-URL", "Content-Range",
    "Traceparent",
)  # fmt: skip
COOKIES = (
    "sessionid=" + "a" * 4_000,
    "csrftoken=" + "%" * 100,
    "a=b;" * 900,
    "sessionid=\x01",
    ";;;=",
    'sessionid="',
    "messages=x",
)


def headers(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """Hostile values of every header that something reads, on every page."""
    addresses = shuffled(stage, dice)
    for number in range(count):
        address = addresses[number % len(addresses)]
        given = {dice.choice(NAMES): dice.choice(VALUES) for _ in range(dice.choice((1, 1, 2, 20)))}
        if dice.random() < 0.2:
            given["Cookie"] = dice.choice(COOKIES)
        if dice.random() < 0.2:
            given["Host"] = dice.choice(HOSTS)
        # An event stream would be open for ever.
        if "stream" not in address.template:
            yield Attack("GET", address.filled(), dice.choice(ROLES), b"", given)


def raw(stage: Stage, dice: random.Random, count: int) -> Iterator[Attack]:
    """What http.client would never send. An answer, if there is one, is a refusal or of the first request."""
    addresses = shuffled(stage, dice)
    for number in range(count):
        path = addresses[number % len(addresses)].filled()
        if "stream" in path or "/ws/" in path:
            path = "/"
        made = dice.choice(_RAW)(path, dice)
        yield Attack("RAW", path, "anonymous", raw=made)


def _head(path: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin-1", "replace")


_HOST = "Host: localhost"
_JSON = "Content-Type: application/json"
_RAW = (
    lambda path, dice: _head(path, _HOST, f"X-A: b\r\n{HEADER}: 1"),
    lambda path, dice: _head(f"{path}?x=\r\n{HEADER}: 1", _HOST),
    lambda path, dice: _head(path, _HOST, "Content-Length: 5", _JSON, method="POST") + b"{",
    lambda path, dice: _head(path, _HOST, "Content-Length: 1", _JSON,
    method="POST") + b"{}GET /admin/ HTTP/1.1\r\n\r\n",
    lambda path, dice: _head(path, _HOST, "Content-Length: -1", _JSON, method="POST") + b"{}",
    lambda path, dice: _head(path, _HOST, "Content-Length: " + "9" * 40, _JSON, method="POST") + b"{}",
    lambda path, dice: _head(path, _HOST, "Content-Length: 2", "Content-Length: 3", _JSON, method="POST") + b"{}x",
    lambda path, dice: _head(path, _HOST, "Content-Length: 2", "Transfer-Encoding: chunked",
    method="POST") + b"0\r\n\r\nGET /admin/ HTTP/1.1\r\n\r\n",
    lambda path, dice: _head(path, _HOST, "Transfer-Encoding: chunked", _JSON,
    method="POST") + b"ffffffffffffffff\r\n{}",
    lambda path, dice: _head(path, _HOST, "Transfer-Encoding: chunked", _JSON, method="POST") + b"1;" + b"x" * 70_000,
    lambda path, dice: _head(path, _HOST, "Transfer-Encoding: xchunked", _JSON, method="POST") + b"{}",
    lambda path, dice: _head(path, "Host: " + dice.choice(HOSTS)),
    lambda path, dice: _head(path),
    lambda path, dice: _head(path, _HOST, "Host: evil.example"),
    lambda path, dice: _head("http://evil.example" + path, _HOST),
    lambda path, dice: _head(path, _HOST, "X-A: " + "a" * 200_000),
    lambda path, dice: _head(path, _HOST, *(f"X-{number}: a" for number in range(3_000))),
    lambda path, dice: _head(path + "?" + "a" * 200_000, _HOST),
    lambda path, dice: _head(path, _HOST, version="9.9"),
    lambda path, dice: _head(path, _HOST, version="0.9"),
    lambda path, dice: _head(path + "\x00", _HOST),
    lambda path, dice: _head(path + " x y", _HOST),
    lambda path, dice: _head("*", _HOST, method="OPTIONS"),
    lambda path, dice: _head("localhost:80", _HOST, method="CONNECT"),
    lambda path, dice: _head(path, _HOST, " folded: 1"),
    lambda path, dice: _head(path, _HOST, "X A: 1"),
    lambda path, dice: _head(path, _HOST, ": 1"),
    lambda path, dice: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    lambda path, dice: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    lambda path, dice: bytes(dice.randrange(256) for _ in range(300)),
    lambda path, dice: b"\r\n" * 2_000,
    lambda path, dice: _upgrade("/ws/runs/run-0/", "http://localhost") + b"\x81\x85\x00\x00\x00\x00hello",
    lambda path, dice: _upgrade("/ws/runs/run-0/", "http://evil.example"),
    lambda path, dice: _upgrade("/ws/runs/run-0/", "null"),
    lambda path, dice: _upgrade("/ws/nothing/", "http://localhost"),
    lambda path, dice: _upgrade("/ws/runs/run-0/?after=" + "9" * 300, "http://localhost") + b"\x82\xff" + b"\xff" * 12,
    lambda path, dice: _upgrade("/ws/runs/run-0/", "http://localhost", key="short"),
    lambda path, dice: _upgrade("/ws/runs/run-0/", "http://localhost", version="99"),
    lambda path, dice: _upgrade("/ws/runs/run-0/", "http://localhost") + b"\x8f\x80\x00\x00\x00\x00" * 20,
    lambda path, dice: _upgrade("/", "http://localhost"),
)  # fmt: skip


def _upgrade(path: str, origin: str, key: str = "dGhlIHNhbXBsZSBub25jZQ==", version: str = "13") -> bytes:
    lines = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Version: {version}",
    )
    return _head(path, "Host: localhost", f"Origin: {origin}", *lines)
