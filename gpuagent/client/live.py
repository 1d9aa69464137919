"""Streams a program's progress to a lemsite, live: `with Run("nightly", gpus=["a100-0"]) as run: run.log(…)`.

Logging takes microseconds, never blocks and never raises. docs/client.md tells what happens when the site is away.
"""

from __future__ import annotations

import atexit
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Literal, Unpack

from gpuagent import messages
from gpuagent.messages import Gpu, Message, Score, Tick
from gpuagent.sender import Sender
from gpuagent.site import Site
from gpuagent.spool import SUFFIX, Spool, default_folder
from gpuagent.tally import Counts, Tally

__all__ = ["Counts", "Gpu", "Run", "Score", "Tick"]

Status = Literal["finished", "failed", "stopped"]
CLOSE_S = 10.0


class Run:
    """One live run, from its construction to `end`; usable from all threads of a process.

    Site and token come from LEM_URL and LEM_TOKEN unless given. Where one is missing, or where anything else fails,
    the program goes on without a live run, and the logger `gpuagent.client` says so once.
    """

    def __init__(
        self,
        label: str,
        *,
        gpus: Sequence[Gpu | str],
        models: Sequence[str] = (),
        url: str = "",
        token: str = "",
        run_id: str = "",
        note: str = "",
    ) -> None:
        self.id = run_id or _new_id(label)
        self._tally = Tally()
        self._process = os.getpid()
        self._has_ended = False
        lanes = [Gpu(gpu) if isinstance(gpu, str) else gpu for gpu in gpus]
        #: what a tick need not say
        self._score_defaults: Message = {"runId": self.id} | ({"model": str(models[0])} if len(models) == 1 else {})
        self._tick_defaults = self._score_defaults | ({"gpuId": lanes[0].name} if len(lanes) == 1 else {})
        # Several processes may share one run: their events must not take each other's for repeats.
        self._event_ids = map(f"{secrets.token_hex(6)}-{{}}".format, count(1))
        address = (url or os.environ.get("LEM_URL", "")).rstrip("/")
        self._sender = _open(address, token or os.environ.get("LEM_TOKEN", ""), self._tally)
        self._offer(partial(messages.run_start, self.id, label=label, gpus=lanes, models=models, note=note))
        atexit.register(self.end, "stopped")

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self.end("finished")
        else:
            self.end("failed" if isinstance(error, Exception) else "stopped", note=type(error).__name__)

    @property
    def counts(self) -> Counts:
        """What became of the messages so far."""
        return self._tally.counts

    def log(self, **tick: Unpack[Tick]) -> None:
        """One moment of one lane. A value that cannot be sent is told once in the log, and the tick is left out."""
        self._offer(partial(self._progress, tick))

    def score(self, **score: Unpack[Score]) -> None:
        """How well the model did on one test case."""
        self._offer(partial(messages.score, score, self._score_defaults))

    def end(self, status: Status = "finished", *, note: str = "") -> None:
        """End the run and bring what is left to the site or to the disk; takes ten seconds at the most."""
        if self._has_ended or self._process != os.getpid():
            return
        self._offer(partial(messages.run_end, self.id, status, note))
        self._has_ended = True
        atexit.unregister(self.end)
        if self._sender:
            self._sender.close(CLOSE_S)
        self._tell_losses()

    def _progress(self, tick: Mapping[str, Any]) -> Message:
        return messages.progress(tick, self._tick_defaults | {"eventId": next(self._event_ids)})

    def _offer(self, make: Callable[[], Message]) -> None:
        """Whatever goes wrong in here, the program must not notice."""
        try:
            self._tally.add(logged=1)
            if self._sender is None or self._has_ended or self._process != os.getpid():
                self._tally.add(dropped=1)
                self._tally.warn_once("closed", "Logged to a run that has ended, or in a forked process: not sent")
                return
            self._sender.offer(make())
        except Exception as error:  # noqa: BLE001 - converting a foreign value can raise anything
            self._tally.add(rejected=1)
            self._tally.warn_once("unusable", "A message cannot be sent and is left out: %s", error)

    def _tell_losses(self) -> None:
        counts = self.counts
        if counts.dropped or counts.rejected:
            text = "Of %d messages of run %s, %d were rejected and %d were lost"
            self._tally.warn_once("losses", text, counts.logged, self.id, counts.rejected, counts.dropped)


def _open(url: str, token: str, tally: Tally) -> Sender | None:
    missing = [name for name, value in (("LEM_URL", url), ("LEM_TOKEN", token)) if not value]
    if missing:
        tally.warn_once("closed", "%s not set: this run is not sent anywhere", " and ".join(missing))
        return None
    try:
        folder = default_folder()
        # The time first, so that the oldest spool sorts first.
        path = folder / f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        sender = Sender(partial(Site, url, token), Spool(path, url), partial(Spool.left_behind, folder, url), tally)
        sender.start()
    except (OSError, RuntimeError) as error:
        tally.warn_once("closed", "No live run: %s", error)
        return None
    return sender


def _new_id(label: str) -> str:
    """Readable, and never twice: such as nightly-20260501-120000-3f9a2c."""
    words = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:80] or "run"
    return f"{words}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
