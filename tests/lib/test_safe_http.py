"""No URL that a user gives leads a request into the site's own network."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager

import httpcore2
import pytest

from lemsite.lib import safe_http
from lemsite.lib.safe_http import BadUrl, Unreachable, read_url

HOSTILE = """
http://127.1 http://127.0.0.1 http://localhost http://0x7f.1 http://0x7f000001 http://2130706433 http://017700000001
http://[::1] http://[::ffff:127.0.0.1] http://[::ffff:7f00:1] http://169.254.169.254/latest/meta-data/
https://127.1 https://127.0.0.1 https://127.0.0.1:8443 https://0x7f.1 https://0x7f000001 https://0x7f.0.0.1
https://2130706433 https://017700000001 https://0177.0.0.1 https://127.0.0.1. https://127.0.1 https://0 https://0.0.0.0
https://[::1] https://[::] https://[::ffff:127.0.0.1] https://[::ffff:7f00:1] https://[::127.0.0.1] https://[fe80::1]
https://[fe80::1%25eth0] https://[fc00::1] https://[fd00:ec2::254] https://[64:ff9b::7f00:1] https://[64:ff9b::a9fe:a9fe]
https://[2002:7f00:1::] https://[2001::1] https://[fec0::1] https://[ff02::1]
https://169.254.169.254/latest/meta-data/ https://10.0.0.1 https://172.16.0.1 https://192.168.0.1 https://100.64.0.1
https://192.0.0.8 https://198.18.0.1 https://224.0.0.1 https://240.0.0.1 https://255.255.255.255
https://localhost https://localhost. https://LOCALHOST https://metadata https://①②⑦.⓪.⓪.① https://127。0。0。1
https://user@example.org https://user:password@example.org https://example.org@127.0.0.1
https://example.org:22 https://example.org:80 https://example.org:25 https://example.org:0 https://example.org:99999
https://127%2e0%2e0%2e1 https://exa_mple..org https://-x.example.org https://.org https://
http://example.org ftp://example.org file:///etc/passwd gopher://127.0.0.1:25/ javascript:alert(1) //127.0.0.1
example.org https://example.org\\@127.0.0.1 https://example.org/#fragment https:/127.0.0.1 https:127.0.0.1
"""
CONTROLS = {
    "space": "https://example.org/a b",
    "line break": "https://example.org/\r\nHost:127.0.0.1",
    "tab": "https://exa\tmple.org",
    "nul": "https://example.org/\x00",
    "too long": "https://example.org/" + "a" * 500,
    "empty": "",
}


class Listener:
    """Answers every connection with the same bytes, and counts them."""

    def __init__(self, answer: bytes) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(5)
                try:
                    self.requests.append(_whole_request(connection))
                    connection.sendall(self.answer)
                except OSError:
                    continue


def _whole_request(connection: socket.socket) -> bytes:
    """Up to the end of the body that `send` sends: closing on unread bytes would reset the connection."""
    request = b""
    while not request.endswith(b"{}") and (more := connection.recv(65536)):
        request += more
    return request


@contextmanager
def listening(answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
    listener = Listener(answer)
    try:
        yield listener
    finally:
        listener.server.close()


def send(url, *inside):
    return safe_http.post(url, body=b"{}", headers={"x-test": "1"}, inside=inside)


@pytest.mark.parametrize("url", HOSTILE.split())
def test_a_hostile_url_is_refused_by_its_form(url):
    with pytest.raises(BadUrl):
        read_url(url)


@pytest.mark.parametrize("url", CONTROLS.values(), ids=CONTROLS)
def test_a_url_with_unusual_signs_is_refused(url):
    with pytest.raises(BadUrl):
        read_url(url)


@pytest.mark.parametrize("url", HOSTILE.split())
def test_a_listener_on_the_loopback_gets_no_connection(url, monkeypatch):
    with listening() as listener:
        monkeypatch.setattr(safe_http, "PORTS", (443, 8443, 22, 80, 25))
        monkeypatch.setattr(safe_http, "resolve", lambda host, port: ["127.0.0.1"])
        monkeypatch.setattr(
            httpcore2.SyncBackend,
            "connect_tcp",
            lambda *args, **kwargs: pytest.fail("a connection was tried"),
        )

        with pytest.raises((BadUrl, Unreachable)):
            send(url)

        assert listener.connections == 0


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "2130706433", "[::ffff:7f00:1]", "127.0.0.1", "localhost", "inner.test"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_real_listener_gets_no_connection_however_its_address_is_written(scheme, host, monkeypatch):
    real = safe_http.resolve
    monkeypatch.setattr(
        safe_http, "resolve", lambda name, port: ["127.0.0.1"] if name == "inner.test" else real(name, port)
    )
    with listening() as listener:
        monkeypatch.setattr(safe_http, "PORTS", (listener.port,))

        with pytest.raises((BadUrl, Unreachable)):
            send(f"{scheme}://{host}:{listener.port}/")

        assert listener.connections == 0


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.org", "example.org", 443, "/"),
        ("https://Example.ORG:8443/hook?x=1", "example.org", 8443, "/hook?x=1"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", 443, "/%C3%BC"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", 443, "/"),
    ],
    ids=["name", "port", "idna", "ipv4", "ipv6"],
)
def test_a_public_url_is_taken_apart(url, host, port, path):
    target = read_url(url)

    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "answers",
    [["93.184.216.34", "127.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["::ffff:169.254.169.254"], ["64:ff9b::7f00:1"]],
    ids=["second is loopback", "first is private", "mapped", "nat64"],
)
def test_one_private_answer_among_the_addresses_of_a_name_is_enough(answers, monkeypatch):
    tried = []
    monkeypatch.setattr(safe_http, "resolve", lambda host, port: answers)
    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", lambda self, host, *rest: tried.append(host))

    with pytest.raises(Unreachable, match="not on the public internet"):
        send("https://hooks.example.org/")

    assert tried == []


def test_a_name_that_changes_its_answer_is_asked_once_and_the_checked_address_is_connected_to(monkeypatch):
    answers, tried = [["93.184.216.34"], ["127.0.0.1"]], []

    def connect(self, host, port, *rest):
        tried.append((host, port))
        raise httpcore2.ConnectError

    monkeypatch.setattr(safe_http, "resolve", lambda host, port: answers.pop(0))
    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)

    with pytest.raises(Unreachable, match="the connection failed"):
        send("https://rebind.example.org/")

    assert tried == [("93.184.216.34", 443)]
    assert answers == [["127.0.0.1"]]


def test_tls_is_spoken_with_the_name_and_the_certificate_is_checked(monkeypatch):
    seen = {}

    class Stream(httpcore2.MockStream):
        def start_tls(self, ssl_context, server_hostname=None, timeout=None):
            seen["name"], seen["mode"] = server_hostname, ssl_context.verify_mode
            seen["checks name"] = ssl_context.check_hostname
            return self

        def write(self, buffer, timeout=None):
            seen["sent"] = seen.get("sent", b"") + buffer

    stream = Stream([b"HTTP/1.1 204 No Content\r\n\r\n"])
    monkeypatch.setattr(safe_http, "resolve", lambda host, port: ["93.184.216.34"])
    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", lambda *args: stream)

    assert send("https://hooks.example.org:8443/in") == 204
    assert (seen["name"], seen["mode"], seen["checks name"]) == ("hooks.example.org", ssl.CERT_REQUIRED, True)
    assert b"POST /in HTTP/1.1\r\nhost: hooks.example.org:8443\r\n" in seen["sent"]


def test_a_host_that_the_operator_named_may_be_private_and_plain():
    with listening() as listener:
        assert send(f"http://127.0.0.1:{listener.port}/hook", f"127.0.0.1:{listener.port}") == 200

    assert listener.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"x-test: 1" in listener.requests[0]


def test_another_port_of_that_host_is_not_open():
    with pytest.raises(BadUrl):
        send("http://127.0.0.1:8080/", "127.0.0.1:8081")


def test_a_redirect_is_not_followed():
    with listening() as inner:
        answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inner.port}/\r\nContent-Length: 0\r\n\r\n"
        with listening(answer.encode()) as outer:
            assert send(f"http://127.0.0.1:{outer.port}/", f"127.0.0.1:{outer.port}") == 302

        assert inner.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with listening() as proxy, listening() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert send(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}") == 200
        assert proxy.connections == 0


def test_of_an_endless_reply_only_the_first_part_is_read():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * (safe_http.MAX_REPLY_BYTES + 20_000)
    with listening(answer) as receiver:
        assert send(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}") == 200


def test_what_is_not_http_is_no_answer():
    with listening(b"SSH-2.0-OpenSSH_9.2\r\n") as receiver, pytest.raises(Unreachable, match="not HTTP"):
        send(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}")


def test_nobody_there_is_said_in_words():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unreachable, match="the connection failed"):
        send(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}")


def test_an_unknown_name_is_said_in_words(monkeypatch):
    def unknown(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(safe_http, "resolve", unknown)

    with pytest.raises(Unreachable, match="the name is not known"):
        send("https://nowhere.example.org/")


def test_the_time_is_bounded_over_all_steps(monkeypatch):
    """A receiver that drips keeps each single read short; the deadline counts all of them."""
    monkeypatch.setattr(safe_http, "TOTAL_S", 0.0)

    with listening() as receiver, pytest.raises(Unreachable, match="no answer within"):
        send(f"http://127.0.0.1:{receiver.port}/", f"127.0.0.1:{receiver.port}")
