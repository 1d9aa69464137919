"""The site as a sender sees it: one POST per batch, and what its answer means."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from types import TracebackType

import httpx2

CONNECT_S = 3.0
ANSWER_S = 10.0
MAX_RETRY_AFTER_S = 300.0
#: this client's own threads, whose requests are not the host program's
_threads: set[int] = set()


class Outcome(Enum):
    #: the site has the messages, or has said which of them it will never take
    DONE = "done"
    #: the site is away or busy: the same again later
    LATER = "later"
    #: wrong address or token: the same again with other settings
    REFUSED = "refused"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    #: one sentence about what is wrong, or ""
    problem: str = ""
    #: messages that the site refused for good
    rejected: int = 0
    #: how long the site asks to be left alone
    wait_s: float = 0.0


class Site:
    """A connection to one lemsite; use it in one thread."""

    def __init__(self, url: str, token: str) -> None:
        self._address = url.rstrip("/") + "/api/ingest"
        headers = {"X-Ingest-Token": token, "Content-Type": "application/json", "User-Agent": "gpuagent"}
        self._client = httpx2.Client(headers=headers, timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S))

    def __enter__(self) -> Site:
        _threads.add(threading.get_ident())
        logging.getLogger("httpx2").addFilter(_is_of_the_host_program)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _threads.discard(threading.get_ident())
        self._client.close()

    def send(self, lines: Sequence[bytes]) -> Answer:
        """Send messages, each a JSON object; never raises."""
        try:
            response = self._client.post(self._address, content=b"[" + b",".join(lines) + b"]")
            return _understood(response, len(lines))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            return Answer(Outcome.REFUSED, f"{self._address} cannot be asked: {error}")
        except (httpx2.HTTPError, OSError) as error:
            return Answer(Outcome.LATER, f"{type(error).__name__}: {error}")


def _is_of_the_host_program(record: logging.LogRecord) -> bool:
    """httpx notes every request at INFO; ours would fill the log of a program that has never asked for them."""
    return record.thread not in _threads


def _understood(response: httpx2.Response, count: int) -> Answer:
    status = response.status_code
    if status == 200:
        return _accepted(response, count)
    problem = f"HTTP {status}: {response.text[:200]}"
    if status in {408, 425, 429} or status >= 500:
        return Answer(Outcome.LATER, problem, wait_s=_retry_after(response.headers.get("Retry-After", "")))
    if status == 413:
        return Answer(Outcome.TOO_LARGE, problem)
    if status < 400 or status in {401, 403, 404}:
        return Answer(Outcome.REFUSED, problem)
    return Answer(Outcome.DONE, problem, rejected=count)


def _accepted(response: httpx2.Response, count: int) -> Answer:
    try:
        body = response.json()
        if body["ok"] is not True:
            raise ValueError(body)
        rejected = body.get("rejected") or []
        problem = str(rejected[0]["error"]) if rejected else ""
        return Answer(Outcome.DONE, problem, rejected=min(len(rejected), count))
    except (ValueError, LookupError, TypeError, AttributeError):
        # Such as the sign-in page of a network: the messages did not arrive.
        return Answer(Outcome.LATER, f"the answer is not a lemsite's: {response.text[:80]!r}")


def _retry_after(text: str) -> float:
    """Seconds, from either form of the header."""
    try:
        wait_s = float(text)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return 0.0 if math.isnan(wait_s) else min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
