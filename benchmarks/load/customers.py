"""People who order benchmarks through the API, and cancel a few."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CONFIG = {
    "model": "Qwen/Qwen2.5-0.5B-Instruct",
    "engine": "transformers",
    "precision": "bf16",
    "batch_sizes": [1],
    "n_cycles": 1,
}
LOOK_AGAIN_S = 0.3


@dataclass
class Customer(threading.Thread):
    """Orders `share` jobs, as long as `wants_more` says so, and cancels a share of them."""

    port: int
    token: str
    share: int
    cancelling: float
    dice: random.Random
    #: None: enough for now; False: enough for good
    wants_more: Callable[[], bool | None]
    ordered: list[int] = field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        while len(self.ordered) < self.share and (more := self.wants_more()) is not False:
            job = self._order() if more else None
            if job is None:
                time.sleep(LOOK_AGAIN_S)
                continue
            self.ordered.append(job)
            if self.dice.random() < self.cancelling:
                time.sleep(self.dice.uniform(0, 1))
                self._post(f"/api/jobs/{job}/cancel", {})

    def _order(self) -> int | None:
        """None when the site is away, or as many are queued as one may have."""
        status, job = self._post("/api/jobs", {"kind": "llem", "config": CONFIG, "simulate": True})
        return int(job["id"]) if status == http.HTTPStatus.CREATED else None

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status in (400, 401, 403, 404, 422):
                raise RuntimeError(f"{path}: HTTP {answer.status}: {text[:300].decode()}")
            return answer.status, json.loads(text) if answer.status < 300 else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
