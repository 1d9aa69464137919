"""Plays a simulated race through the site's own HTTP API; `serve` starts it where LEMSITE_SIMULATE is on."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from runs.simulation import CARDS, KEY_PREFIX, Message, Race, end_message

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 15.0
#: some two minutes of three lanes, should the site be away
MAX_WAITING = 2_000
LOOK_EVERY_S = 0.5


class Command(BaseCommand):
    help = "Stream a simulated race, marked as such, to a site; needs a token that may ingest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}", help="the site")
        parser.add_argument("--token", default=settings.INGEST_TOKEN, help="INGEST_TOKEN unless given")
        parser.add_argument("--minutes", type=float, default=5.0, help="how long a race takes")
        parser.add_argument("--forever", action="store_true", help="after a pause, start the next race")
        parser.add_argument("--pause", type=float, default=20.0, help="seconds between two races")
        parser.add_argument("--lanes", nargs="+", choices=sorted(CARDS), default=list(CARDS))
        parser.add_argument("--rate", type=float, default=5.0, help="events per second and lane, 2 to 10")
        parser.add_argument("--parent", type=int, help="stop when the process with this id is no longer the parent")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 2 <= options["rate"] <= 10 or options["minutes"] <= 0:
            raise CommandError("--rate is 2 to 10, and --minutes more than 0.")
        if not options["token"]:
            raise CommandError("There is no token: give --token, or set INGEST_TOKEN.")
        # httpx notes every request at INFO, which would be five lines a second.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if options["parent"]:
            threading.Thread(target=_stop_with, args=(options["parent"], stop), daemon=True).start()
        with Feed(options["url"], options["token"], stop) as feed:
            feed.end_left_open()
            self._play(feed, stop, options)

    def _play(self, feed: Feed, stop: threading.Event, options: dict[str, Any]) -> None:
        while not stop.is_set():
            race = Race(options["lanes"], datetime.now(UTC))
            run_race(race, feed, stop, seconds=options["minutes"] * 60, every_s=1 / options["rate"])
            if not options["forever"]:
                self.stdout.write(f"{race.key} has ended")
                return
            stop.wait(options["pause"])


class Feed:
    """Sends messages in order. While the site is away it keeps the newest, and asks again ever more slowly."""

    def __init__(self, url: str, token: str, stop: threading.Event) -> None:
        headers = {"X-Ingest-Token": token}
        self._client = httpx2.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        self._stop = stop
        self._waiting: deque[Message] = deque(maxlen=MAX_WAITING)
        self._retry_s = FIRST_RETRY_S
        self._retry_at = 0.0

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, *messages: Message) -> bool:
        """Whether all that waited has arrived. Raises CommandError when the site refuses the token."""
        self._waiting.extend(messages)
        if time.monotonic() < self._retry_at:
            return False
        batch = list(self._waiting)
        try:
            response = self._client.post("/api/ingest", json=batch)
        except httpx2.HTTPError as error:
            return self._back_off(str(error))
        if response.status_code == 401:
            raise CommandError(f"The site refuses the token: {response.text[:200]}")
        if response.status_code != 200:
            return self._back_off(f"HTTP {response.status_code}")
        if rejected := response.json()["rejected"]:
            logger.warning("The site rejects a simulated message: %s", rejected[0]["error"])
        self._waiting.clear()
        self._retry_s = FIRST_RETRY_S
        return True

    def send_last(self, message: Message) -> None:
        """A run's end is worth waiting for, unless this process is to stop too."""
        while not self.send(message) and not self._stop.is_set():
            self._stop.wait(max(0.0, self._retry_at - time.monotonic()))

    def end_left_open(self) -> None:
        """End the simulated runs whose simulation was killed; nobody else plays them."""
        with suppress(httpx2.HTTPError, ValueError, LookupError):
            runs = self._when_up(lambda: self._client.get("/api/runs")).json()["runs"]
            now = datetime.now(UTC)
            self.send(
                *(
                    end_message(run["id"], now, "stopped")
                    for run in runs
                    if run["id"].startswith(KEY_PREFIX) and run["endedAt"] is None
                )
            )

    def _when_up(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """The first start of a site takes a few seconds; raises ConnectError once this process is to stop."""
        while True:
            try:
                return ask()
            except httpx2.ConnectError:
                if self._stop.wait(FIRST_RETRY_S):
                    raise

    def _back_off(self, problem: str) -> bool:
        logger.info("The site is away (%s); trying again in %.1f s", problem, self._retry_s)
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        return False


def run_race(race: Race, feed: Feed, stop: threading.Event, *, seconds: float, every_s: float) -> None:
    """Play one race at the pace of the clock, from its start to its end."""
    began = last = time.monotonic()
    feed.send(race.start(datetime.now(UTC)))
    while time.monotonic() - began < seconds and not stop.wait(max(0.0, last + every_s - time.monotonic())):
        now = time.monotonic()
        feed.send(*race.tick(datetime.now(UTC), now - last))
        last = now
    status = "stopped" if stop.is_set() else "finished"
    feed.send_last(race.end(datetime.now(UTC), status))


def _stop_with(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    stop.set()
