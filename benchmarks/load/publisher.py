"""Sends events at a fixed rate, each at its moment however long the others take, and tells when each was acknowledged.

    python -m benchmarks.load.publisher PORT TOKEN RUN EVENTS_PER_S SECONDS

A process of its own: beside the viewers it would notice an acknowledgement late, and make them look quick.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.load.closed_loop import Requests

CONNECTIONS = 16
_own = threading.local()


def main() -> None:
    port, token, run = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    rate, seconds = float(sys.argv[4]), float(sys.argv[5])
    event = Requests(port, token, run=run, batch=1).event
    began = time.monotonic()

    def send(number: int) -> float:
        return _send(port, token, event % number)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        acknowledged = []
        for number in range(round(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            acknowledged.append(pool.submit(send, number))
    print(json.dumps([each.result() for each in acknowledged]))


def _send(port: int, token: str, body: str) -> float:
    """Returns when the event was acknowledged, on the clock that all processes share."""
    if not hasattr(_own, "connection"):
        _own.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    _own.connection.request("POST", "/api/ingest", body, {"X-Ingest-Token": token, "Content-Type": "application/json"})
    answer = _own.connection.getresponse()
    moment = time.monotonic()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"HTTP {answer.status}: {text.decode()}")
    return moment


if __name__ == "__main__":
    main()
