"""People and programs that use a site while something fails; each writes down what it got, and when.

They do what a well-meant client does: readers come again, senders repeat until they are acknowledged, a viewer comes
back with Last-Event-ID.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

PATIENCE_S = 30.0
RUN = "fault"
PAGES = ("/", "/models/", "/runs/", "/live/", "/hardware/", "/methodology/", "/api/runs", "/api/benchmarks?limit=5")
STATIC = "/robots.txt"
READ_EVERY_S, SEND_EVERY_S, UPLOAD_EVERY_S, COME_BACK_S = 0.1, 0.05, 2.0, 0.5
RETRY_S = 0.25


@dataclass(frozen=True, slots=True)
class Answer:
    """One request of a reader, or of somebody who uploads."""

    at: float
    took_s: float
    kind: str
    path: str


def kind_of(status: int, headers: http.client.HTTPMessage) -> str:
    if status in (200, 201, 202):
        return "stale" if headers.get("Warning", "").startswith("110") else "200" if status == 200 else str(status)
    if status in (503, 507, 502, 429):
        return f"{status}" if headers.get("Retry-After") or status == 502 else f"{status} without Retry-After"
    return str(status)


class Person(threading.Thread):
    """Goes on until told to stop."""

    def __init__(self, port: int, token: str = "") -> None:
        super().__init__(daemon=True)
        self._port, self._token = port, token
        self._stops = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def stop(self) -> None:
        self._stops.set()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[str, bytes]:
        """(kind of the answer, its body); the kind names the error where there is no answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request(method, path, body, named)
            answer = self._connection.getresponse()
            content = answer.read()
        except ConnectionRefusedError:
            found = "refused"
        except TimeoutError:
            found = "hang"
        except (OSError, http.client.HTTPException):
            found = "cut off"
        else:
            return kind_of(answer.status, answer.headers), content
        self._connection.close()
        return found, b""


class Reader(Person):
    """Reads one page after another."""

    def __init__(self, port: int, pages: Sequence[str] = PAGES) -> None:
        super().__init__(port)
        self._pages = pages
        self.answers: list[Answer] = []

    def run(self) -> None:
        for number in count():
            if self._stops.wait(READ_EVERY_S):
                return
            path, at = self._pages[number % len(self._pages)], time.monotonic()
            kind, _ = self.ask("GET", path)
            self.answers.append(Answer(at, time.monotonic() - at, kind, path))


class Sender(Person):
    """Sends events, each until it is acknowledged."""

    def __init__(self, port: int, token: str, place: int) -> None:
        super().__init__(port, token)
        self._place = place
        #: (when, event ids) of each batch that was acknowledged
        self.acknowledged: list[tuple[float, list[str]]] = []
        self.refused: Counter[str] = Counter()

    def run(self) -> None:
        for number in count():
            if self._stops.wait(SEND_EVERY_S):
                return
            ids = [f"{self._place}-{number}-{part}" for part in range(3)]
            body = json.dumps([_event(one) for one in ids]).encode()
            while not self._sent(body) and not self._stops.wait(RETRY_S):
                pass
            else:
                if not self._stops.is_set():
                    self.acknowledged.append((time.monotonic(), ids))

    def _sent(self, body: bytes) -> bool:
        kind, _ = self.ask("POST", "/api/ingest", body, X_Ingest_Token=self._token, Content_Type="application/json")
        if kind != "200":
            self.refused[kind] += 1
        return kind == "200"


def start_run(port: int, token: str) -> None:
    body = json.dumps({"kind": "run_start", "payload": {"runId": RUN}}).encode()
    kind, content = Person(port).ask("POST", "/api/ingest", body, X_Ingest_Token=token, Content_Type="application/json")
    if kind != "200":
        raise RuntimeError(f"The run did not start: {kind} {content[:200].decode()}")


def _event(event_id: str) -> dict[str, object]:
    ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    figures = {"tokenPerSec": 100.0, "latencyMs": 10.0, "vramUsedMB": 1000.0, "evalProgressIdx": 1, "evalTotal": 2}
    return {"runId": RUN, "ts": ts, "gpuId": "0", "model": "m", "useCase": "u", "eventId": event_id, **figures}


class Viewer(Person):
    """Follows the run, and takes an event only when it has come whole."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._last = ""
        self.seen: Counter[str] = Counter()
        self.seen_at: list[float] = []
        self.connections = 0

    def run(self) -> None:
        while not self._stops.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            try:
                headers = {"Last-Event-ID": self._last} if self._last else {}
                connection.request("GET", f"/api/runs/{RUN}/stream", headers=headers)
                answer = connection.getresponse()
                self.connections += answer.status == 200
                for number, text in _messages(answer) if answer.status == 200 else ():
                    self._last = number
                    self.seen[json.loads(text)["eventId"]] += 1
                    self.seen_at.append(time.monotonic())
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            self._stops.wait(COME_BACK_S)


def _messages(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    number = text = ""
    while line := answer.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = value
        elif name == "data":
            text = value
        elif not name:
            if number and text:
                yield number, text
            number = text = ""


@dataclass
class Uploads:
    """What was taken, by its id."""

    taken: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)


class Uploader(Person):
    """Uploads one result after another, now and then to be read in the background."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        super().__init__(port)
        self._tokens = tokens
        self.answers: list[Answer] = []
        self.uploads = Uploads()

    def run(self) -> None:
        for number in count():
            if self._stops.wait(UPLOAD_EVERY_S):
                return
            in_background = number % 3 == 2
            at = time.monotonic()
            kind, content = self.ask(
                "POST",
                "/api/benchmarks" + ("?background=1" if in_background else ""),
                json.dumps(_result(number)).encode(),
                Authorization=f"Bearer {self._tokens[number % len(self._tokens)]}",
                Content_Type="application/json",
            )
            self.answers.append(Answer(at, time.monotonic() - at, kind, "upload"))
            if kind in ("201", "202"):
                taken = json.loads(content)
                if in_background:
                    self.uploads.batches.append(str(taken["batch"]["id"]))
                else:
                    self.uploads.taken.append(str(taken["id"]))


def _result(number: int) -> dict[str, object]:
    return {
        "model": "meta-llama/Llama-3.1-8B",
        "hardware": "H100-SXM",
        "gpu_count": 1,
        "backend": "vllm",
        "precision": "fp16",
        "batch_size": 32,
        "output_tokens": 100_000,
        "duration_s": 50.0 + number / 100,
        "total_energy_j": 25_000.0 + number,
        "energy_scope": "gpu",
        "started_at": "2026-05-01T12:00:00Z",
    }
