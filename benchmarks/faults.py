"""Let one service after another fail under a site that is in use, and count what its people notice.

    python -m benchmarks.faults [--fault "database away" …] [--for-s 60] [--log faults.log]

A real site (web processes, background worker, a database of its own), read by a few people, with a sender and a viewer
of a live run, people who upload and order jobs, and a simulated GPU host. One fault at a time strikes, lasts, and is
mended; then everything must come back by itself. Afterwards every event, upload and job that was acknowledged must be
there, once. docs/reliability.md says what is promised, and has the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.faults_at_work.kinds import KINDS, Fault  # noqa: E402
from benchmarks.faults_at_work.scene import Scene, logged  # noqa: E402
from benchmarks.faults_at_work.services import NotHere  # noqa: E402
from benchmarks.load.deployment import deployed  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

BEFORE_S, TICK_S = 8.0, 0.5
HEAD = (
    "fault", "reader's requests and answers meanwhile", "longest wait s", "longest gap of the viewer s",
    "events acknowledged", "lost", "twice", "unseen", "uploads taken", "lost", "jobs", "lost", "run twice",
    "back after s: page, ingest, viewer, upload, job", "tracebacks",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="Let services fail under a site in use, and count what is noticed.")
    parser.add_argument("--fault", action="append", choices=[kind.name for kind in KINDS], help="all unless given")
    parser.add_argument("--for-s", type=float, default=60.0, help="how long each fault lasts")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="what the sites log, kept")
    arguments = parser.parse_args()
    chosen = [kind for kind in KINDS if not arguments.fault or kind.name in arguments.fault]
    print_machine(["sqlite", "postgresql"])
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    wrong = [show(kind(), arguments.for_s, arguments.log) for kind in chosen]
    return int(any(wrong))


def show(fault: Fault, for_s: float, log: Path) -> bool:
    """Prints a row; True when something acknowledged was lost or came twice, or something did not come back."""
    try:
        with ExitStack() as stack:
            scene = Scene(fault, stack.enter_context(logged(log)))
            options = fault.prepare(stack)
            settings: dict[str, Any] = scene.settings | options
            setup = {name: getattr(fault, name) for name in ("web", "engine", "proxy", "redis")}
            site = stack.enter_context(deployed(**setup | settings))
            scene.begin(site)
            stack.callback(scene.end)
            time.sleep(BEFORE_S)
            last(fault, scene, for_s)
            scene.wait_until_back()
            scene.end()
            row, is_wrong = scene.judge()
    except NotHere as error:
        print(f"| {fault.name} | left out: {error} |", flush=True)
        return False
    print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)
    return is_wrong


def last(fault: Fault, scene: Scene, for_s: float) -> None:
    began = scene.struck_at = time.monotonic()
    fault.strike(scene.site)
    while (elapsed := time.monotonic() - began) < for_s:
        fault.go_on(scene.site, elapsed)
        time.sleep(TICK_S)
    fault.mend(scene.site)
    scene.mended_at = time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
