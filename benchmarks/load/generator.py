"""One stretch of load in a process of its own: reads what to do from standard input, prints what it met. Both are JSON.

{"port": 8000, "rate": 50, "seconds": 10, "seed": 1, "made": {…}, "kinds": {"board": 1.0} or null}
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from dataclasses import asdict

from benchmarks.load.day import Day
from benchmarks.load.open_loop import Load, run


def main() -> None:
    told = json.load(sys.stdin)
    day = Day(told["made"], told["seed"], told["kinds"])
    load = Load(told["port"], day, rate=told["rate"], seconds=told["seconds"], seed=told["seed"])
    gc.freeze()
    run(load)
    used = resource.getrusage(resource.RUSAGE_SELF)
    met = {kind: asdict(each) for kind, each in load.met.items()}
    own = {"cpu_s": used.ru_utime + used.ru_stime, "late_ms": load.late_ms}
    json.dump({"met": met, "own": own, "events": day.events}, sys.stdout)


if __name__ == "__main__":
    main()
