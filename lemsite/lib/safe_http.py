"""POST to an address that a user gave, without reaching anything inside the site's own network.

The name is resolved once, all its answers are checked, and the connection goes to the checked address: what the name
says a moment later does not matter. No redirects, no proxies, no cookies, a bounded time and a bounded reply.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore2
import idna

from lemsite.lib.public_address import is_public

PORTS = (443, 8443)
TOTAL_S = 10.0
MAX_REPLY_BYTES = 64 * 1024
MAX_URL = 500
#: of the answers for one name; a receiver has no need for more
MAX_ADDRESSES = 3
USER_AGENT = "lemsite-webhooks"
_UNSAFE = re.compile(r"[^\x21-\x7e\x80-\U0010ffff]|[\\<>\"^`{|}]")
#: how browsers and C libraries read an IPv4 address: the last part is a number, in any base
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class BadUrl(ValueError):
    """No request goes to this URL; the message says what would be right."""


class Unreachable(Exception):
    """No answer came; the message says why, and nothing about the network inside."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads."""

    scheme: str
    #: ASCII: a name in its IDNA form, or an address without brackets
    host: str
    port: int
    #: path and query, percent-encoded
    path: str
    #: may be an address inside the network, and plain HTTP: the operator said so
    is_inside: bool = False

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if (self.scheme, self.port) in {("https", 443), ("http", 80)} else f"{host}:{self.port}"


def read_url(url: str, inside: Collection[str] = ()) -> Target:
    """Check the form of a URL. `inside` are the `host:port` that may be private and plain HTTP."""
    if len(url) > MAX_URL or _UNSAFE.search(url):
        raise BadUrl(f"Use at most {MAX_URL} characters, without spaces, backslashes and other unusual signs.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except ValueError as error:
        raise BadUrl("This is no URL. Use one such as https://example.org/hook.") from error
    if "@" in parts.netloc:
        raise BadUrl("Leave out the user name and password; the signature tells you who is calling.")
    if parts.fragment:
        raise BadUrl("Leave out the part after #; it is never sent.")
    port = port if port is not None else {"http": 80}.get(parts.scheme, 443)
    is_inside = f"{host}:{port}" in inside or f"[{host}]:{port}" in inside
    if not is_inside:
        _refuse_form(parts.scheme, host, port)
    elif parts.scheme not in ("http", "https"):
        raise BadUrl("Use a URL that begins with https:// or http://.")
    query = f"?{parts.query}" if parts.query else ""
    path = quote((parts.path or "/") + query, safe="/%:=&?~+!$,;'@()*[]-._")
    return Target(parts.scheme, host, port, path, is_inside)


def post(url: str, *, body: bytes, headers: Mapping[str, str], inside: Collection[str] = ()) -> int:
    """Send, and return the status of the answer. Raises BadUrl before and Unreachable after a connection was tried."""
    target = read_url(url, inside)
    backend = _CheckedBackend(target, time.monotonic() + TOTAL_S)
    sent = {"host": target.host_header, "user-agent": USER_AGENT, "content-length": str(len(body)), **headers}
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=_tls(), network_backend=backend, max_connections=1) as pool,
            pool.stream(
                "POST",
                httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
                headers=[(name.encode(), value.encode()) for name, value in sent.items()],
                content=body,
            ) as response,
        ):
            _read_some(response.iter_stream())
            return response.status
    except httpcore2.TimeoutException as error:
        raise Unreachable(f"no answer within {TOTAL_S:.0f} s") from error
    except httpcore2.NetworkError as error:
        raise Unreachable(_network_words(error)) from error
    except (httpcore2.ProtocolError, httpcore2.ConnectionNotAvailable) as error:
        raise Unreachable("the answer is not HTTP") from error


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order to try."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _CheckedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked, and to no other; every step ends at one deadline."""

    def __init__(self, target: Target, deadline: float) -> None:
        self.target, self.deadline = target, deadline
        self.network = httpcore2.SyncBackend()

    def connect_tcp(  # noqa: PLR0917 - httpcore2's interface
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for address in self._addresses(host, port)[:MAX_ADDRESSES]:
            try:
                stream = self.network.connect_tcp(address, port, _left(self.deadline), local_address, socket_options)
                return _TimedStream(stream, self.deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError("the name is not known") from error
        if not self.target.is_inside and not all(is_public(address) for address in addresses):
            raise Unreachable("the name leads to an address that is not on the public internet")
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose every read and write ends at one deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.deadline))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self.stream.start_tls(ssl_context, server_hostname, _left(self.deadline))
        return _TimedStream(stream, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left


def _read_some(chunks: Iterable[bytes]) -> None:
    """What a receiver answers is not looked at; it may finish a short answer."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size >= MAX_REPLY_BYTES:
            return


def _network_words(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return "TLS failed"
    if isinstance(cause, socket.gaierror):
        return "the name is not known"
    return "the connection failed"


def _ascii_host(host: str) -> str:
    """An address as it is, a name in its IDNA form."""
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    try:
        return idna.encode(host, uts46=True).decode().lower() if not host.isascii() else host.lower()
    except idna.IDNAError as error:
        raise ValueError(host) from error


def _refuse_form(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise BadUrl("Use a URL that begins with https://.")
    if port not in PORTS:
        raise BadUrl("Use port 443 or 8443.")
    if ":" in host or _ENDS_IN_NUMBER.search(host):
        if not is_public(host):
            raise BadUrl("This address is not on the public internet.")
        return
    labels = host.removesuffix(".").split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("Use a full host name, such as hooks.example.org.")
