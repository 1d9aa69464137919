"""What the people and programs of a mixed day ask for, in which shares, and what a right answer to each looks like.

The same seed makes the same requests. Nine in ten are readers', the shares within them are assumptions, not taken from
a real site's log: there is none yet. Static files are few because their names are hashed and browsers keep them.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from benchmarks.load.closed_loop import Requests
from benchmarks.load.customers import CONFIG

#: of anonymous readers; each has an address of its own, as behind a proxy
READERS = 5_000
#: how often a reader comes back to an address that somebody has seen, and asks whether it has changed
ASKS_AGAIN = 0.3
EVENTS_PER_INGEST = 10
SORTS = (
    "-tokens_per_joule", "-throughput_tokens_per_s", "energy_per_output_token_j", "ttft_ms_p50",
    "cost_per_million_tokens_usd", "avg_power_w",
)  # fmt: skip
FILTERS = ("backend=vllm", "precision=bf16", "precision=fp8", "gpu_count=1", "min_trust=T1", "q=llama", "batch_size=32")
CHARTS = ("scatter", "frontier", "heatmap", "sweep", "roofline", "coverage")
PAGE, JSON, TEXT = b"</html>", b"{", b""


@dataclass(frozen=True)
class Kind:
    """A class of requests: its share of all, and how long the slowest of a hundred may take."""

    share: float
    limit_ms: float
    is_reader: bool = True


KINDS = {
    "board": Kind(0.30, 1000),
    "result": Kind(0.14, 1000),
    "model or GPU": Kind(0.08, 1000),
    "compare": Kind(0.04, 1000),
    "analysis": Kind(0.06, 1000),
    "chart": Kind(0.04, 1000),
    "live": Kind(0.08, 1000),
    "static file": Kind(0.16, 500),
    "API read": Kind(0.04, 1000, is_reader=False),
    "ingest": Kind(0.035, 500, is_reader=False),
    "upload": Kind(0.003, 5000, is_reader=False),
    "estimate": Kind(0.004, 1000, is_reader=False),
    "order": Kind(0.001, 1000, is_reader=False),
    "claim": Kind(0.010, 1000, is_reader=False),
    "heartbeat": Kind(0.007, 1000, is_reader=False),
}
PAGES = ("board", "result", "model or GPU", "compare", "analysis", "live")


@dataclass
class Asked:
    """One request, and what its answer must be."""

    kind: str
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    statuses: tuple[int, ...] = (200,)
    #: what stands in the body of a right answer, and what must not
    has: bytes = TEXT
    has_not: bytes = b""
    #: a second try is harmless, as browsers know
    is_safe: bool = True

    def encode(self, host: str) -> bytes:
        headers = {"Host": host, "Accept-Encoding": "gzip"} | self.headers
        if self.body or self.method != "GET":
            headers["Content-Length"] = str(len(self.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + self.body


class Day:
    """Makes the requests of one stretch of time. `made` is what benchmarks.load.day_rows has put into the site."""

    def __init__(self, made: dict[str, Any], seed: int, kinds: dict[str, float] | None = None) -> None:
        self._made, self._dice = made, random.Random(seed)
        shares = kinds or {name: kind.share for name, kind in KINDS.items()}
        self._names, self._shares = list(shares), list(shares.values())
        self._etags: dict[tuple[str, bool], str] = {}
        self._events = Requests(0, "", run=made["run"], batch=EVENTS_PER_INGEST)
        self.events = made.get("first_event", 0)
        self._makers = {
            "board": self._board, "result": self._result, "model or GPU": self._catalogue, "compare": self._compare,
            "analysis": self._analysis, "chart": self._chart, "live": self._live, "static file": self._static,
            "API read": self._api, "ingest": self._ingest, "upload": self._upload, "estimate": self._estimate,
            "order": self._order, "claim": self._claim, "heartbeat": self._heartbeat,
        }  # fmt: skip

    def next(self) -> Asked:
        [kind] = self._dice.choices(self._names, self._shares)
        asked = self._makers[kind]()
        if KINDS[kind].is_reader or kind == "API read":
            reader = self._dice.randrange(READERS)
            asked.headers["X-Forwarded-For"] = f"10.{reader >> 16}.{reader >> 8 & 255}.{reader & 255}"
            self._asks_again(asked)
        return asked

    def saw(self, asked: Asked, etag: str) -> None:
        self._etags[asked.path, "HX-Request" in asked.headers] = etag

    def _asks_again(self, asked: Asked) -> None:
        etag = self._etags.get((asked.path, "HX-Request" in asked.headers))
        if etag and self._dice.random() < ASKS_AGAIN:
            asked.headers["If-None-Match"] = etag
            asked.statuses = (200, 304)

    def _board(self) -> Asked:
        """A third the plain page, the others a state that somebody has chosen, half of them by a click (htmx)."""
        if self._dice.random() < 0.35:
            return Asked("board", "/", has=PAGE)
        state = f"sort={self._dice.choice(SORTS)}"
        for chosen in self._dice.sample(self._choices(), self._dice.choice((0, 1, 1, 2))):
            state += f"&{chosen}"
        if self._dice.random() < 0.2:
            state += "&view=all"
        if self._dice.random() < 0.5:
            # Where no result fits there is no table, and that is right.
            return Asked("board", f"/?{state}", headers={"HX-Request": "true"}, has=b'id="results-title"')
        return Asked("board", f"/?{state}", has=PAGE)

    def _choices(self) -> list[str]:
        model, gpu = self._skewed("models"), self._skewed("hardware")
        return [*FILTERS, urlencode({"model": model}), f"hardware={gpu}", "ttft_ms_p50_max=500", "usd_per_kwh=0.3"]

    def _result(self) -> Asked:
        return Asked("result", f"/results/{self._skewed('results')}/", has=PAGE)

    def _catalogue(self) -> Asked:
        paths = (
            "/models/",
            f"/models/{self._skewed('models')}/",
            "/hardware/",
            f"/hardware/{self._skewed('hardware')}/",
        )
        return Asked("model or GPU", self._dice.choices(paths, (2, 5, 1, 2))[0], has=PAGE)

    def _compare(self) -> Asked:
        chosen = self._dice.sample(self._made["results"][:200], self._dice.choice((2, 2, 3, 4)))
        return Asked("compare", "/compare/?" + urlencode({"result": chosen}, doseq=True), has=PAGE)

    def _analysis(self) -> Asked:
        states = (
            "",
            f"?ttft_ms_p50_max={self._dice.choice((200, 500, 1000))}",
            f"?hardware={self._skewed('hardware')}",
        )
        return Asked("analysis", "/analysis/" + self._dice.choice(states), has=PAGE)

    def _chart(self) -> Asked:
        return Asked("chart", f"/charts/{self._dice.choice(CHARTS)}.json", has=JSON)

    def _live(self) -> Asked:
        run = self._made["run"]
        paths = ("/live/", f"/runs/{run}/", "/runs/", "/live/strip/", f"/api/runs/{run}")
        path = self._dice.choices(paths, (4, 3, 1, 2, 1))[0]
        return Asked("live", path, has=JSON if path.startswith("/api") else TEXT, has_not=b"Traceback")

    def _static(self) -> Asked:
        return Asked("static file", self._dice.choice(self._made["static"]))

    def _api(self) -> Asked:
        state = self._dice.choice(["", *FILTERS, "view=all&limit=100"])
        one = f"/api/benchmarks/{self._skewed('results')}"
        paths = (f"/api/benchmarks?{state}", one, "/api/models", "/api/hardware", "/api/runs")
        return Asked("API read", self._dice.choices(paths, (5, 3, 1, 1, 1))[0], has=JSON)

    def _ingest(self) -> Asked:
        _, _, body = self._events.make(self.events).partition(b"\r\n\r\n")
        self.events += EVENTS_PER_INGEST
        headers = {"X-Ingest-Token": self._made["ingest_token"], "Content-Type": "application/json"}
        return self._post("ingest", "/api/ingest", body, headers, has_not=b'"rejected":[{')

    def _upload(self) -> Asked:
        """A measurement that nobody has handed in yet."""
        tokens, at = 64_000 + self._dice.randrange(1_000_000), self._dice.uniform(900, 1100)
        said = {
            "model": "meta-llama/Llama-3.1-8B-Instruct", "hardware": "h100-sxm", "backend": "vllm",
            "gpu_count": 1, "precision": "bf16", "batch_size": 8, "energy_scope": "gpu", "output_tokens": tokens,
            "duration_s": tokens / at, "total_energy_j": tokens / self._dice.uniform(2.8, 3.4),
        }  # fmt: skip
        return self._post("upload", "/api/benchmarks", json.dumps(said).encode(), self._person(), statuses=(201,))

    def _estimate(self) -> Asked:
        body = {"kind": "llem", "config": CONFIG, "simulate": True}
        return self._post("estimate", "/api/jobs/estimate", json.dumps(body).encode(), self._person())

    def _order(self) -> Asked:
        body = {"kind": "llem", "config": CONFIG, "simulate": True}
        return self._post("order", "/api/jobs", json.dumps(body).encode(), self._person(), statuses=(201,))

    def _claim(self) -> Asked:
        claim = {"claim_id": uuid.UUID(int=self._dice.getrandbits(128)).hex}
        return self._post("claim", "/api/agent/v1/claim", json.dumps(claim).encode(), self._host(), statuses=(200, 204))

    def _heartbeat(self) -> Asked:
        return self._post("heartbeat", "/api/agent/v1/heartbeat", b"{}", self._host())

    def follow_up(self, asked: Asked, body: bytes) -> list[Asked]:
        """What a host does with an offer: it accepts the job, and reports at once that it failed."""
        if not asked.path.endswith("/claim") or not body:
            return []
        attempt = json.loads(body)["attempt"]
        path = f"/api/agent/v1/attempts/{attempt}"
        report = {"finish_id": f"finish-{attempt}", "outcome": "failed", "code": "failed"}
        calls: tuple[tuple[str, dict[str, str]], ...] = (("accept", {}), ("finish", report))
        return [
            self._post("claim", f"{path}/{call}", json.dumps(said).encode(), asked.headers, has=JSON)
            for call, said in calls
        ]

    def _post(self, kind: str, path: str, body: bytes, headers: dict[str, str], **wanted: Any) -> Asked:
        headers = {"Content-Type": "application/json"} | headers
        return Asked(kind, path, "POST", headers, body, is_safe=False, **wanted)

    def _person(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._dice.choice(self._made['tokens'])}"}

    def _host(self) -> dict[str, str]:
        return dict(self._dice.choice(self._made["hosts"]))

    def _skewed(self, name: str) -> str:
        """The first of what there is far more often than the last."""
        choices = self._made[name]
        return str(choices[int(len(choices) * self._dice.random() ** 2)])
