"""uvicorn, as a site behind a proxy needs it: told to stop, it first says that it is not ready, and loses nothing."""

import logging
import signal
import socket
import time
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from django.conf import settings
from uvicorn.supervisors import Multiprocess, multiprocess

from lemsite.lib import draining

if TYPE_CHECKING:
    from runs.broadcast import Broadcaster

logger = logging.getLogger(__name__)

#: how long requests that run may take to finish once nothing new is taken; what is cut off was not acknowledged
FINISH_WITHIN_S = 20


class WebServer(uvicorn.Server):
    """Stops in four steps: not ready, no new connections, the streams end, the running requests end (ADR 19)."""

    _stops_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second SIGTERM changes nothing, as systemd and a parent may both send one; Ctrl-C does not wait."""
        if draining.is_draining():
            if sig == signal.SIGINT:
                self._stops_at = 0.0
            return
        draining.begin()
        # Who never was ready has nobody who has to hear of it.
        wait_s = settings.DRAIN_S if self.started else 0
        self._stops_at = time.monotonic() + wait_s
        logger.info("Told to stop: not ready any more, serving for another %s s", wait_s)

    async def on_tick(self, counter: int) -> bool:
        if draining.is_draining() and time.monotonic() >= self._stops_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The listeners first: who comes back at once is refused here, and the proxy asks another process.
        for server in self.servers:
            server.close()
        broadcaster = _broadcaster()
        await broadcaster.end_streams()
        await super().shutdown(sockets)
        await broadcaster.finish()
        logger.info("Stopped")


class WebProcess(multiprocess.Process):
    """One of several web processes."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = WebServer(config=self.config)
        return self._server

    def always_pong(self) -> None:
        """Answers the parent, which closes its end before this process has ended."""
        with suppress(EOFError, OSError):
            super().always_pong()


class WebProcesses(Multiprocess):
    """uvicorn's supervisor, with our processes: it makes them by the name that its own module gives them."""

    def run(self) -> None:
        multiprocess.Process = WebProcess  # type: ignore[misc]  # there is no other way in
        super().run()


def _broadcaster() -> "Broadcaster":
    # Not above: further web processes import this module before Django has loaded the apps.
    from runs.broadcast import broadcaster

    return broadcaster
