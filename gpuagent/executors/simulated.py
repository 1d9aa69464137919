"""Pretends to be llem: `python -m gpuagent.executors.simulated CONFIG OUT`, for hosts without a GPU.

It reads the same configuration, takes real time, puts load on the simulated GPUs, tells its steps, and writes results
of the same shape; every one of them says that it is simulated. SIGINT ends it with 130, as it ends llem.

LEM_SIMULATED_WINDOW_S bounds the seconds of all measured windows together (20), LEM_SIMULATED_FAULT is one of crash,
hang, no_cuda, no_results, to see what the site makes of it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import yaml

from gpuagent.executors import bundle, plausible
from gpuagent.executors.bundle import Study
from gpuagent.executors.plausible import BadStudy, Figures
from gpuagent.executors.progress import Progress
from gpuagent.gpu import fake

INTERRUPTED = 130
BAD_CONFIG = 2
ALL_WINDOWS_S = 20.0
LEAST_WINDOW_S = 0.05
LONGEST_WINDOW_S = 10.0

_BOLD, _GREEN, _RED, _YELLOW, _CYAN, _PLAIN = (f"\x1b[{code}m" for code in ("1", "32", "31", "33", "36", "0"))
_NO_CUDA = "Pre-flight failed: 1 issue(s) found\n  ✗ CUDA not available - is a GPU present and CUDA installed?"
_OUT_OF_MEMORY = "CUDA out of memory: the weights and the cache of this batch take {needed:.0f} MiB of {there} MiB."


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Program:
    """One study, from its configuration to its results."""

    def __init__(self, document: Any, out: Path) -> None:
        cells, cycles = plausible.study_of(document)
        self._runs = [(cell, cycle) for cycle in range(1, cycles + 1) for cell in cells]
        self._study = Study(out, _study_name(document), self._runs)
        self._gpus = len([uuid for uuid in os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",") if uuid])
        together = float(os.environ.get("LEM_SIMULATED_WINDOW_S", ALL_WINDOWS_S))
        self._longest_s = min(LONGEST_WINDOW_S, max(LEAST_WINDOW_S, together / len(self._runs)))
        self._pause_s = self._longest_s / 20
        self._progress = Progress()
        self._load_folder = self._progress.folder or out.parent
        self._fault = os.environ.get("LEM_SIMULATED_FAULT", "")

    def run(self) -> int:
        """Run everything and return the exit code: 1 for a single run that failed, 0 for any study, as llem does."""
        say(f"{_YELLOW}SIMULATED: no GPU takes part, and every figure is made up.{_PLAIN}")
        try:
            succeeded = [self._one(place) for place in range(len(self._runs))]
        except KeyboardInterrupt:
            self._study.end("interrupted")
            say(f"\n{_YELLOW}Interrupted.{_PLAIN}")
            return INTERRUPTED
        finally:
            fake.take_load_off(self._load_folder)
        self._study.end("completed")
        say(f"{_BOLD}Saved:{_PLAIN} {self._study.folder.name}")
        return 0 if len(self._runs) > 1 or all(succeeded) else 1

    def _one(self, place: int) -> bool:
        cell, cycle = self._runs[place]
        run = plausible.figures(cell, gpus=self._gpus, cycle=cycle, longest_s=self._longest_s)
        self._progress.run(place + 1, len(self._runs))
        self._study.begin(place)
        engine, dtype = cell["engine"], plausible.precision_of(cell)
        say(f"\n{_BOLD}Experiment:{_PLAIN} {cell['task']['model']} | {engine} | {dtype} | n_prompts={run.requests}")
        self._step(1, "checking", "Checking CUDA, model access")
        if problem := self._problem(run):
            return self._fail(place, *problem)
        self._step(2, "baseline", "Measuring baseline idle power")
        self._step(3, "load", f"Loading model {cell['task']['model']}")
        fake.put_load(self._load_folder, power_w=run.power_w, util=run.util, mem_mib=round(run.peak_mib))
        self._step(4, "warmup", "Warming up (6 prompts)")
        self._measure(place, cell, run)
        return True

    def _problem(self, run: Figures) -> tuple[str, str] | None:
        if self._fault == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._fault == "hang":
            _hang()
        if self._fault == "no_cuda":
            return "PreFlightError", _NO_CUDA
        if self._fault == "no_results":
            return "EngineError", "The engine ended without a result."
        if not run.fits:
            message = _OUT_OF_MEMORY.format(needed=run.peak_mib, there=plausible.GPU_MEMORY_MIB)
            return "EngineError", message
        return None

    def _fail(self, place: int, kind: str, message: str) -> bool:
        self._study.fail(place, kind, message)
        say(f"{_RED}{kind}: {message}{_PLAIN}")
        return False

    def _measure(self, place: int, cell: dict[str, Any], run: Figures) -> None:
        self._progress.step("measure", "Measuring inference", 5, 6, state="start")
        say(f"     [5/6]  {_CYAN}Measuring{_PLAIN}  inference ({run.requests} prompts) ...")
        began, start = datetime.now(UTC), time.monotonic()
        self._tell_prompts(run, start)
        lasted_s = time.monotonic() - start
        self._progress.step("measure", "Measuring inference", 5, 6, state="done")
        say(f"     [5/6]  {_CYAN}Measuring{_PLAIN}  inference {_GREEN}DONE{_PLAIN}  {lasted_s:.1f}s")
        # Off at once: the host's own energy of the window ends here, too.
        fake.take_load_off(self._load_folder)
        folder = self._study.bundle_folder(place)
        result = bundle.write_bundle(folder, cell, run, gpus=self._gpus, began=began, lasted_s=lasted_s)
        self._step(6, "save", "Saving results")
        self._study.complete(place, result)
        rate = run.output_tokens / lasted_s
        say(f"{_GREEN}✓{_PLAIN} Energy {result['total_energy_j']:.1f} J, {rate:.1f} output tok/s")

    def _tell_prompts(self, run: Figures, start: float) -> None:
        """Wait for the window to pass, and say now and then how far it is."""
        parts = 10 if run.window_s > 1 else 1
        for part in range(1, parts + 1):
            time.sleep(max(0.0, start + run.window_s * part / parts - time.monotonic()))
            if parts > 1:
                say(f"              · {run.requests * part // parts}/{run.requests} prompts")

    def _step(self, index: int, name: str, title: str) -> None:
        self._progress.step(name, title, index, 6, state="start")
        say(f"     [{index}/6]  {_CYAN}{title}{_PLAIN} ...")
        time.sleep(self._pause_s)
        self._progress.step(name, title, index, 6, state="done")
        say(f"     [{index}/6]  {_CYAN}{title}{_PLAIN} {_GREEN}DONE{_PLAIN}")


def _hang() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("This run hangs.")
    while True:
        signal.pause()


def _study_name(document: Any) -> str:
    name = str(document.get("study_name") or "study")
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:60]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m gpuagent.executors.simulated CONFIG OUT\n")
        return BAD_CONFIG
    config, out = Path(arguments[0]), Path(arguments[1])
    try:
        program = Program(yaml.safe_load(config.read_text()), out)
    except (BadStudy, yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        say(f"{_RED}ConfigError: {error}{_PLAIN}")
        return BAD_CONFIG
    return program.run()


if __name__ == "__main__":
    sys.exit(main())
