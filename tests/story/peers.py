"""What the site talks to in the story: a mail server and a receiver of webhooks, both on loopback."""

from __future__ import annotations

import base64
import hmac
import json
import socketserver
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Mailbox:
    """As much SMTP as a mail program needs to hand a message over; keeps every message."""

    messages: list[EmailMessage] = field(default_factory=list)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Mail,), {"mailbox": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        _serve(self._server)
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.server_address[1]}?starttls=0"

    def sent_to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if address in (message["To"] or "")]


class _Mail(socketserver.StreamRequestHandler):
    mailbox: Mailbox

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().strip():
            verb = line.split()[0].upper()
            if verb == b"DATA":
                self._say("354 go on")
                self._keep()
            self._say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def _keep(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.mailbox.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@dataclass
class Receiver:
    """Takes webhooks and keeps them as they came."""

    #: (headers in lower case, body)
    received: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Hook,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        _serve(self._server)
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def told(self, secret: str, event: str) -> tuple[str, dict[str, Any]] | None:
        """Id and body of the first such event. Every one must be signed with this secret."""
        for headers, body in self.received:
            assert headers["webhook-signature"] == signature(secret, headers, body)
            if json.loads(body)["type"] == event:
                return headers["webhook-id"], json.loads(body)
        return None


def signature(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """As Standard Webhooks has it: HMAC-SHA256 over id, time and body, with the bytes that the secret stands for."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


class _Hook(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append((headers, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """The test's output stays its own."""


def _serve(server: Any) -> None:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
