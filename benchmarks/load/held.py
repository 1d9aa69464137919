"""Viewers that hold a live run open while the site is under load; a process of its own.

    python -m benchmarks.load.held PORT RUN COUNT SECONDS

Says `ready` once all are there, and at the end, as JSON, how many events they got and how many were cut off.
"""

from __future__ import annotations

import json
import resource
import sys

from benchmarks.load.site import allow_many_sockets
from benchmarks.load.viewers import Viewers


def main() -> None:
    port, run, count, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    allow_many_sockets()
    viewers = Viewers(port, run, "websocket")
    viewers.connect(count)
    print("ready", flush=True)
    viewers.read(seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    held = {"events": sum(viewer.events for viewer in viewers.all), "lost": viewers.lost, "resyncs": viewers.resyncs}
    print(json.dumps(held | {"cpu_s": used.ru_utime + used.ru_stime}))
    viewers.close()


if __name__ == "__main__":
    main()
