"""Commands that run as children of the web server: started first, started again if they die, stopped last."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from django.conf import settings

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0


class ChildCommand:
    """One `manage.py` command as an exec'ed process in a session of its own.

    An own process because django-q forks, which must not happen in a process with threads. An own session because
    Ctrl-C in a terminal goes to every process of the session, and a child is to be told once, by its parent.
    """

    def __init__(self, name: str, *arguments: str, stop_within_s: float) -> None:
        self._name, self._arguments, self._stop_within_s = name, arguments, stop_within_s
        self._stopping = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._restart_when_dead, name=f"{arguments[0]}-watch", daemon=True)

    def watch(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        self._process.terminate()
        try:
            self._process.wait(self._stop_within_s)
        except subprocess.TimeoutExpired:
            logger.warning("The %s did not finish within %s s", self._name, self._stop_within_s)
        self._end_session()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *self._arguments, "--parent", str(os.getpid())]
        return subprocess.Popen(command, start_new_session=True)  # noqa: S603  nothing of it comes from outside

    def _restart_when_dead(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            if self._process.poll() is not None:
                logger.error("The %s ended with code %s; starting it again", self._name, self._process.returncode)
                self._end_session()
                self._process = self._start()

    def _end_session(self) -> None:
        """Whatever the child left behind goes too: its own children do not notice that it has died."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
