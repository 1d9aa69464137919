"""Sends what a program logs, from a thread of its own: batches, back-off, and the disk while the site is away."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

from gpuagent.messages import Message
from gpuagent.site import Answer, Outcome, Site
from gpuagent.spool import Spool
from gpuagent.tally import Tally

BATCH = 500
BATCH_WAIT_S = 0.25
MAX_WAITING = 20_000
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 60.0
NOTHING_TO_SEND = Answer(Outcome.DONE)


class Sender:
    """Takes messages without waiting, and brings each to the site, or to the disk.

    Order is kept while the site answers. Messages go through three places: the queue that `offer` fills, the hand
    (at most one batch, in the thread), and the spool, which once it holds anything comes before the hand.
    """

    def __init__(
        self, connect: Callable[[], Site], spool: Spool, old: Callable[[], Iterator[Spool]], tally: Tally
    ) -> None:
        self._connect, self._spool, self._find_old, self._tally = connect, spool, old, tally
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._hand: list[bytes] = []
        #: the spool is shared with the thread that closes, should this one hang
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._give_up_at = float("inf")
        self._retry_at = 0.0
        self._failures = 0
        self._is_refused = False
        self._batch = BATCH
        self._old: Iterator[Spool] = iter(())
        self._old_spool: Spool | None = None
        self._thread = threading.Thread(target=self._run, name="gpuagent-sender", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError where the machine gives no further thread."""
        self._thread.start()

    def offer(self, message: Message) -> None:
        """Never blocks, not even on a lock that a signal handler could have interrupted."""
        if self._queue.qsize() >= MAX_WAITING:
            self._tally.add(dropped=1)
            self._tally.warn_once("full", "More is logged than can be sent; what finds no room in memory is dropped")
        else:
            self._queue.put(message)

    def close(self, timeout_s: float) -> None:
        """Send what is left, or write it to disk, within about this time."""
        self._give_up_at = time.monotonic() + timeout_s / 2
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            # A request hangs. Should it succeed after all, these are sent a second time, which is harmless.
            self._take(self._queue.qsize())
            self._keep()

    # --- everything below runs in the thread

    def _run(self) -> None:
        try:
            with self._connect() as site:
                self._old = self._find_old()
                while not self._closing.is_set():
                    self._round(site)
                self._finish(site)
        except Exception as error:  # noqa: BLE001 - a fault in here must never reach the program, nor lose its data
            self._tally.warn_once("fault", "The sender has failed (%r); what is logged stays on disk", error)
            while not self._closing.wait(BATCH_WAIT_S):
                self._take(BATCH - len(self._hand))
                self._keep()
        self._leave()

    def _round(self, site: Site) -> None:
        """Take what was logged within a moment, then send one batch, or keep it while the site is away."""
        self._collect()
        if self._is_refused or time.monotonic() < self._retry_at:
            self._keep()
            # With no room on disk the hand stays full, and there is nothing to collect until the site is back.
            if len(self._hand) >= BATCH:
                self._closing.wait(BATCH_WAIT_S)
        elif not self._spool.is_empty:
            self._keep()
            self._send_from(self._spool, site)
        elif self._hand:
            self._send_hand(site)
        else:
            self._send_old(site)

    def _finish(self, site: Site) -> None:
        """One more try, however long the back-off would be, until nothing is left or the site fails again."""
        self._retry_at = 0.0
        while not self._is_refused and self._retry_at == 0.0 and time.monotonic() < self._give_up_at:
            self._take(BATCH - len(self._hand))
            if not self._hand and self._spool.is_empty:
                return
            self._round(site)

    def _leave(self) -> None:
        while True:
            self._take(BATCH)
            if not self._hand:
                break
            self._keep()
            if self._hand:
                self._tally.add(dropped=len(self._hand))
                self._tally.warn_once("lost", "The site is away and the disk takes no more: messages are lost")
                self._hand.clear()
        with self._lock:
            for spool in (self._spool, self._old_spool):
                if spool:
                    spool.close()

    def _collect(self) -> None:
        """Fill the hand: what is there, and what comes within a moment if there is nothing else to do."""
        has_backlog = not self._spool.is_empty and time.monotonic() >= self._retry_at and not self._is_refused
        until = time.monotonic() + (0 if has_backlog or self._closing.is_set() else BATCH_WAIT_S)
        while len(self._hand) < BATCH:
            try:
                message = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if message is None:
                return
            self._hand.append(_line(message))

    def _take(self, count: int) -> None:
        """What is in the queue now, up to a number of messages."""
        for _ in range(count):
            try:
                message = self._queue.get_nowait()
            except queue.Empty:
                return
            if message is not None:
                self._hand.append(_line(message))

    def _keep(self) -> None:
        """From the hand to the disk. A disk that takes nothing leaves them in the hand."""
        with self._lock:
            if not self._hand:
                return
            try:
                self._spool.append(self._hand)
            except OSError as error:
                self._tally.warn_once("disk", "The site is away, and %s: messages wait in memory only", error)
                return
            self._tally.add(spooled=len(self._hand))
            self._hand.clear()

    def _send_hand(self, site: Site) -> None:
        lines = self._hand[: self._batch]
        answer = site.send(lines)
        if self._is_done(answer, len(lines)):
            self._count(answer, len(lines))
            with self._lock:
                del self._hand[: len(lines)]
        elif self._batch >= len(lines):
            self._keep()

    def _send_from(self, spool: Spool, site: Site) -> None:
        with self._lock:
            lines, place = spool.read(self._batch)
        answer = site.send(lines) if lines else NOTHING_TO_SEND
        if self._is_done(answer, len(lines)):
            # Messages of an earlier process were counted there.
            if spool is self._spool:
                self._count(answer, len(lines))
            with self._lock:
                spool.drop(place)
        if spool.damaged:
            self._tally.warn_once("damaged", "%s has lines that a crash had cut; they are left out", spool.path)

    def _send_old(self, site: Site) -> None:
        """One batch of what an earlier process could not send; only when there is nothing newer."""
        if self._old_spool is None:
            self._old_spool = next(islice(self._old, 1), None)
        elif self._old_spool.is_empty:
            self._old_spool.close()
            self._old_spool = None
        else:
            self._send_from(self._old_spool, site)

    def _is_done(self, answer: Answer, count: int) -> bool:
        """Whether the messages need not be sent again; else when to try."""
        if answer.outcome is Outcome.TOO_LARGE and count > 1:
            self._batch = max(1, count // 2)
            return False
        if answer.outcome is Outcome.LATER:
            self._back_off(answer)
            return False
        if answer.outcome is Outcome.REFUSED:
            self._is_refused = True
            problem = "The site does not take this run (%s); it stays on disk. Check the address and the token."
            self._tally.warn_once("refused", problem, answer.problem)
            return False
        self._failures = 0
        if answer.rejected or answer.outcome is Outcome.TOO_LARGE:
            self._tally.warn_once("rejected", "The site rejects messages, which are not sent again: %s", answer.problem)
        return True

    def _count(self, answer: Answer, count: int) -> None:
        rejected = count if answer.outcome is Outcome.TOO_LARGE else answer.rejected
        self._tally.add(sent=count - rejected, rejected=rejected)

    def _back_off(self, answer: Answer) -> None:
        """Twice as long each time, and not at the same moment as everyone else's client."""
        wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2**self._failures) * random.uniform(0.5, 1.0)  # noqa: S311
        self._failures = min(self._failures + 1, 16)
        self._retry_at = time.monotonic() + max(wait_s, answer.wait_s)
        self._tally.warn_once("away", "The site is away (%s); messages are kept until it is back", answer.problem)


def _line(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
