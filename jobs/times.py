"""How long things may take between the site and its agents, in seconds. The reasons stand in docs/agent-protocol.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Times:
    #: between two questions for work; the agent adds up to a quarter either way
    poll_s: float = 3
    heartbeat_s: float = 10
    #: without a call for so long, the host is shown as unreachable
    lease_s: float = 60
    #: and after so much more, the attempt is lost and the job is queued again
    grace_s: float = 15 * 60
    #: within which an offer is accepted
    offer_s: float = 30
    #: log, events and telemetry of a running attempt; these calls carry a cancellation, too
    flush_s: float = 2
    #: the site has a process killed so long after its wall limit, should the host not have done so
    wall_grace_s: float = 5 * 60
    #: a host that declined a job is not asked again for so long
    declined_s: float = 10 * 60
    #: a rotated token still opens the API for so long
    rotation_s: float = 10 * 60

    def for_agents(self) -> dict[str, float]:
        """What an agent is told at the start of its session."""
        told = ("poll_s", "heartbeat_s", "lease_s", "offer_s", "flush_s")
        return {name: value for name, value in asdict(self).items() if name in told}


def times() -> Times:
    """The times in force: those above, with what settings.LEMSITE_JOB_TIMES says otherwise (tests and benchmarks)."""
    return Times(**settings.LEMSITE_JOB_TIMES)


NAMES = tuple(field.name for field in fields(Times))
