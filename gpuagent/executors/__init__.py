"""How an attempt is run. All of it is derived from disk and process table: an agent that was killed loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    # The programs of a job import this package, too, and start with each of them.
    from gpuagent.host.folders import AttemptFolder
    from gpuagent.host.schema import Offer

Rung = Literal["int", "term", "kill"]


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended; `lost` says why nobody saw it."""

    exit_code: int | None = None
    signal: int | None = None
    run_s: float = 0.0
    started_at: str = ""
    ended_at: str = ""
    #: a code: host_rebooted, process_lost, …; empty for a process whose end was seen
    lost: str = ""
    detail: str = ""


class CannotStart(Exception):
    """The host is not able to start it; the text says why. `code` is for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Executor(Protocol):
    """One way to run an attempt. Every method may be called again after a crash, at any point."""

    def start(self, attempt: AttemptFolder, offer: Offer) -> None:
        """Start it detached, so that it survives the agent; nothing happens if it was started before."""
        ...

    def poll(self, attempt: AttemptFolder) -> Exit | None:
        """How it ended, None while it runs."""
        ...

    def signal(self, attempt: AttemptFolder, rung: Rung) -> None: ...

    def cleanup(self, attempt: AttemptFolder) -> None:
        """Remove what is left outside the attempt's folder, once the site has the report."""
        ...
