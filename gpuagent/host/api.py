"""The site as its agent sees it: one method for each call, all HTTP is here.

A call ends in one of three ways: its reply, `Away` (the same again later) or `Refused` (the same again is of no use).
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from gpuagent import __version__
from gpuagent.host.schema import Directive, Enrolled, HeartbeatReply, Offer, SessionReply, Verdict

PROTOCOL = "1"
BASE = "/api/agent/v1"
CONNECT_S = 5.0
ANSWER_S = 30.0
MAX_REPLY = 4 << 20
MAX_RETRY_AFTER_S = 15 * 60.0
FIRST_WAIT_S, LAST_WAIT_S = 0.5, 60.0
RETRIED = {408, 425, 429}
DIRECTIVES = {"continue", "cancel", "kill", "abandon", "forget"}

Reply = TypeVar("Reply", bound=BaseModel)


class Away(Exception):
    """No usable reply: the site, the network or its database is away. What was sent may have arrived."""

    def __init__(self, problem: str, retry_after_s: float = 0.0) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """The site has understood and says no."""

    def __init__(self, status: int, code: str, detail: str, body: dict[str, Any] | None = None) -> None:
        super().__init__(f"HTTP {status} {code}: {detail}")
        self.status, self.code, self.detail, self.body = status, code, detail, body or {}


class Backoff:
    """How long to wait after failures in a row: full jitter, at most a minute, and what the site asks for."""

    def __init__(self, first_s: float = FIRST_WAIT_S, last_s: float = LAST_WAIT_S) -> None:
        self._first_s, self._last_s = first_s, last_s
        self._failures = 0

    def good(self) -> None:
        self._failures = 0

    def wait_s(self, asked_s: float = 0.0) -> float:
        self._failures = min(self._failures + 1, 16)
        jittered = random.uniform(0, min(self._last_s, self._first_s * 2**self._failures))  # noqa: S311 - spreads retries, no secret
        if asked_s:
            # Not everybody at the same moment.
            return min(asked_s, MAX_RETRY_AFTER_S) + jittered
        return jittered


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx2.Headers
    content: bytes

    def json(self) -> dict[str, Any]:
        """Raises Away: a reply that is not of a lemsite, such as the sign-in page of a network, did not arrive."""
        try:
            value = json.loads(self.content)
        except ValueError:
            raise Away(f"the reply is not a lemsite's: {self.content[:80]!r}") from None
        if not isinstance(value, dict):
            raise Away("the reply is not a lemsite's")
        return value

    def read(self, shape: type[Reply]) -> Reply:
        try:
            return shape.model_validate(self.json())
        except ValidationError as error:
            raise Away(f"the reply is not understood: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from None


class Api:
    """One connection pool, used by all threads. The token is asked for with each call: it may be replaced any time."""

    def __init__(
        self,
        url: str,
        token: Callable[[], str] | None,
        *,
        told: Callable[[str, Directive], None] = lambda attempt_id, directive: None,
        timeout_s: float = ANSWER_S,
    ) -> None:
        headers = {"User-Agent": f"gpuagent/{__version__}", "X-Agent-Protocol": PROTOCOL}
        self._token, self._told = token, told
        self._session = ""
        self._lock = threading.Lock()
        self._client = httpx2.Client(
            base_url=url.rstrip("/") + BASE, headers=headers, timeout=httpx2.Timeout(timeout_s, connect=CONNECT_S)
        )

    def close(self) -> None:
        self._client.close()

    def use_session(self, session: str) -> None:
        self._session = session

    # /meta, /enroll, /session, /token/rotate

    def meta(self) -> dict[str, Any]:
        return self._call("GET", "/meta").json()

    def enroll(self, code: str, about: dict[str, Any]) -> Enrolled:
        return self._call("POST", "/enroll", body={"code": code, **about}).read(Enrolled)

    def open_session(self, about: dict[str, Any]) -> SessionReply:
        return self._call("POST", "/session", body=about).read(SessionReply)

    def close_session(self) -> None:
        self._call("DELETE", "/session")

    def rotate(self) -> str:
        token = self._call("POST", "/token/rotate", body={}).json().get("token")
        if not isinstance(token, str) or len(token) < 20:
            raise Away("the reply holds no token")
        return token

    # /claim, /attempts/<id>/accept, decline

    def claim(self, claim_id: str, gpus: list[str]) -> tuple[Offer | None, float]:
        """An offer, or None and how many seconds the site asks to wait."""
        answer = self._call("POST", "/claim", body={"claim_id": claim_id, "gpus": gpus})
        if answer.status == 204:
            return None, _seconds(answer.headers.get("Retry-After", ""))
        return answer.read(Offer), 0.0

    def accept(self, attempt_id: str, gpus: list[str]) -> None:
        self._call("POST", f"/attempts/{attempt_id}/accept", body={"gpus": gpus})

    def decline(self, attempt_id: str, code: str, detail: str) -> None:
        self._call("POST", f"/attempts/{attempt_id}/decline", body={"code": code, "detail": detail[:500]})

    # what runs

    def heartbeat(self, body: dict[str, Any]) -> HeartbeatReply:
        return self._call("POST", "/heartbeat", body=body).read(HeartbeatReply)

    def log(self, attempt_id: str, offset: int, content: bytes) -> int:
        """Send bytes from `offset` on; the end of the site's copy, which is elsewhere if it had other ideas."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {offset}-{offset + len(content) - 1}/*",
            "Content-Digest": _digest(content),
        }
        try:
            answer = self._call("PATCH", f"/attempts/{attempt_id}/log", content=content, headers=headers)
        except Refused as refused:
            if refused.status != 416:
                raise
            # An empty copy has no range to tell.
            return _end_of_range(str(refused.body.get("range", ""))) or _offset(refused.body.get("size", 0))
        end = _end_of_range(answer.headers.get("Range", ""))
        return offset + len(content) if end is None else end

    def events(self, attempt_id: str, events: list[dict[str, Any]]) -> int:
        """The number that the site expects next."""
        return self._next_seq(f"/attempts/{attempt_id}/events", {"events": events})

    def telemetry(self, attempt_id: str, batch: dict[str, Any]) -> int:
        return self._next_seq(f"/attempts/{attempt_id}/telemetry", batch)

    def _next_seq(self, path: str, body: dict[str, Any]) -> int:
        answer = self._call("POST", path, body=body).json()
        if not isinstance(number := answer.get("next_seq"), int):
            raise Away("the reply holds no next_seq")
        return number

    # files and the report

    def artifact(self, attempt_id: str, name: str, size: int, sha256: str) -> tuple[str, int]:
        """Its id, and how much of it the site has."""
        body = {"name": name, "size": size, "sha256": sha256}
        return _begun(self._call("POST", f"/attempts/{attempt_id}/artifacts", body=body).json())

    def artifacts(self, attempt_id: str, files: list[dict[str, Any]], contents: list[bytes]) -> list[tuple[str, int]]:
        """The same of several small files at once, which go along: the site has all of what is new to it."""
        told = [
            {**file, "content": base64.b64encode(content).decode()}
            for file, content in zip(files, contents, strict=True)
        ]
        answer = self._call("POST", f"/attempts/{attempt_id}/artifacts", body={"files": told}).json()
        begun = answer.get("files")
        if not isinstance(begun, list) or len(begun) != len(files):
            raise Away("the reply does not name the files")
        return [_begun(one if isinstance(one, dict) else {}) for one in begun]

    def artifact_piece(self, artifact_id: str, offset: int, content: bytes) -> int:
        """How much of it the site has now. Raises Refused with 422 if the whole is not what it was said to be."""
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
        try:
            answer = self._call("PATCH", f"/artifacts/{artifact_id}", content=content, headers=headers)
        except Refused as refused:
            if refused.status == 409 and "offset" in refused.body:
                return _offset(refused.body["offset"])
            raise
        told = answer.headers.get("Upload-Offset")
        return offset + len(content) if told is None else _offset(told)

    def finish(self, attempt_id: str, report: bytes) -> Verdict:
        headers = {"Content-Type": "application/json"}
        return self._call("POST", f"/attempts/{attempt_id}/finish", content=report, headers=headers).read(Verdict)

    # how

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        if body is not None:
            content = json.dumps(body, allow_nan=False).encode()
            headers = {"Content-Type": "application/json"}
        try:
            answer = self._ask(method, path, content, headers or {})
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise Refused(0, "bad_address", str(error)) from None
        except (httpx2.HTTPError, OSError) as error:
            raise Away(f"{type(error).__name__}: {error}") from None
        self._pass_on(path, answer.headers.get("X-Attempt-Directive", ""))
        return _accepted(answer)

    def _ask(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Answer:
        headers = dict(headers)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token()}"
        if self._session:
            headers["X-Agent-Session"] = self._session
        with self._client.stream(method, path, content=content, headers=headers) as response:
            found = bytearray()
            for piece in response.iter_bytes():
                found += piece
                if len(found) > MAX_REPLY:
                    raise Away(f"the reply is larger than {MAX_REPLY} bytes")
            return Answer(response.status_code, response.headers, bytes(found))

    def _pass_on(self, path: str, directive: str) -> None:
        if directive in DIRECTIVES and (match := re.fullmatch(r"/attempts/([^/]+)/.*", path)):
            self._told(match[1], directive)  # type: ignore[arg-type]  # one of DIRECTIVES, as the line above has checked


def _accepted(answer: Answer) -> Answer:
    """The answer if it is a yes. Raises Away or Refused."""
    if answer.status < 300:
        return answer
    try:
        body = answer.json()
    except Away:
        body = {}
    detail = str(body.get("detail") or answer.content[:200].decode(errors="replace"))
    if answer.status >= 500 or answer.status in RETRIED:
        raise Away(f"HTTP {answer.status}: {detail}", _seconds(answer.headers.get("Retry-After", "")))
    if answer.status == 416:
        body = {**body, "range": answer.headers.get("Range", "")}
    if answer.status == 409 and "Upload-Offset" in answer.headers:
        body = {**body, "offset": answer.headers["Upload-Offset"]}
    raise Refused(answer.status, str(body.get("code", "")), detail, body)


def _digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def _end_of_range(text: str) -> int | None:
    """`bytes=0-10239` ends before 10240. An empty copy may be told as `bytes=0-0/0`, `bytes */0` or nothing."""
    if match := re.fullmatch(r"bytes[= ](\d+)-(\d+)", text.strip()):
        return int(match[2]) + 1
    if re.fullmatch(r"bytes[= ]\*/(\d+)", text.strip()):
        return int(text.rpartition("/")[2])
    return None


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), MAX_RETRY_AFTER_S)
    except ValueError:
        return 0.0


def _begun(answer: dict[str, Any]) -> tuple[str, int]:
    """The id of a file, and how much of it the site has."""
    return _path_part(answer.get("id")), _offset(answer.get("offset", 0))


def _offset(value: object) -> int:
    try:
        offset = int(str(value))
    except ValueError:
        raise Away("the reply holds no offset") from None
    if offset < 0:
        raise Away("the reply holds no offset")
    return offset


def _path_part(value: object) -> str:
    """An id that is sent back as a part of an address: nothing that could lead elsewhere."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,64}", value):
        raise Away("the reply holds no id")
    return value
