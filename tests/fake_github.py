"""The part of GitHub that signing in needs, on loopback: OAuth 2 with PKCE, the user and their addresses.

In one process: `with FakeGitHub() as github: github.person = Person(id=1, login="octo")`. For a site that runs as
another process, give it `GITHUB_URL=github.url`, `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` from here. The people
of `choices` get a page of their own with one button each, as a browser needs it; otherwise consent is given at once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "fake-client", "fake-secret"


@dataclass(frozen=True)
class Person:
    """Someone at GitHub. An address is (text, is primary, is verified)."""

    id: int = 1
    login: str = "octo"
    name: str = "Octo Cat"
    emails: tuple[tuple[str, bool, bool], ...] = (("octo@example.org", True, True),)


@dataclass
class Grant:
    """One consent: a code that is used once, by whoever knows the verifier behind the challenge."""

    person: Person
    redirect_uri: str
    challenge: str


@dataclass
class FakeGitHub:
    person: Person = field(default_factory=Person)
    choices: tuple[Person, ...] = ()
    #: what was asked: (path, parameters)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: answer every request of the site's own with this status
    broken: int = 0
    denies: bool = False
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"github": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def authorize(self, query: Mapping[str, str], person: Person) -> str:
        """Where the browser goes after consent: back to the site, with a code and the state it brought."""
        if self.denies:
            return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': query.get('state', '')})}"
        code = secrets.token_hex(8)
        self.grants[code] = Grant(person, query["redirect_uri"], query.get("code_challenge", ""))
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query.get('state', '')})}"

    def exchange(self, form: Mapping[str, str]) -> dict[str, str]:
        """A token for a code, as GitHub answers it: errors come with status 200."""
        grant = self.grants.pop(form.get("code", ""), None)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return {"error": "incorrect_client_credentials"}
        if grant is None or form.get("redirect_uri") != grant.redirect_uri:
            return {"error": "bad_verification_code"}
        if not grant.challenge or challenge_of(form.get("code_verifier", "")) != grant.challenge:
            return {"error": "bad_verification_code", "error_description": "PKCE"}
        token = f"gho_{secrets.token_hex(16)}"
        self.tokens[token] = grant.person
        return {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"}


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    github: FakeGitHub

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = _plain(parts.query)
        self.github.requests.append((parts.path, query))
        if parts.path == "/login/oauth/authorize":
            self._authorize(query)
        elif parts.path in ("/api/v3/user", "/api/v3/user/emails"):
            self._user(parts.path)
        else:
            self._answer(404, b"not found", "text/plain")

    def do_POST(self) -> None:
        form = _plain(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        self.github.requests.append((self.path, form))
        if self.path != "/login/oauth/access_token":
            self._answer(404, b"not found", "text/plain")
        elif self.github.broken:
            self._json({"message": "broken"}, self.github.broken)
        else:
            self._json(self.github.exchange(form))

    def _authorize(self, query: dict[str, str]) -> None:
        people = {str(person.id): person for person in self.github.choices}
        if people and query.get("as") not in people:
            buttons = "".join(
                f'<p><a id="as-{person.id}" href="?{escape(urlencode({**query, "as": person.id}))}">'
                f"{escape(person.login)}</a></p>"
                for person in people.values()
            )
            head = '<!doctype html><title>Fake GitHub</title><link rel="icon" href="data:,">'
            self._answer(200, f"{head}{buttons}".encode(), "text/html")
            return
        self.send_response(302)
        self.send_header("Location", self.github.authorize(query, people.get(query.get("as", ""), self.github.person)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _user(self, path: str) -> None:
        person = self.github.tokens.get(self.headers.get("Authorization", "").rpartition(" ")[2])
        if person is None or self.github.broken:
            self._json({"message": "Bad credentials"}, self.github.broken or 401)
        elif path.endswith("/emails"):
            self._json([{"email": e, "primary": first, "verified": sure} for e, first, sure in person.emails])
        else:
            url = f"{self.github.url}/{person.login}"
            self._json({"id": person.id, "login": person.login, "name": person.name, "email": None, "html_url": url})

    def _json(self, body: Any, status: int = 200) -> None:
        self._answer(status, json.dumps(body).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet: tests look at `requests`."""


def _plain(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
