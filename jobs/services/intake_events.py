"""Events of an attempt: numbered by the host, stored once each, asked for again where a number is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from jobs.limits import EVENTS_BATCH
from jobs.models import Attempt, AttemptEvent, JobKind
from jobs.services import intake, racing
from jobs.services.errors import AgentRefused

#: how far ahead of the first missing number a host may be
MAX_AHEAD = 100 * EVENTS_BATCH


def store(*, attempt: Attempt, events: Sequence[Mapping[str, Any]]) -> int:
    """Keep what is new of {"seq", "t", "type", "data"}, in any order; returns the number that is missing first.

    What a lane of a race tells is in its live run before it is here: told twice it counts once, told never it is gone.
    """
    if len(events) > EVENTS_BATCH:
        raise AgentRefused(413, "too_large", f"Send at most {EVENTS_BATCH} events at once.")
    if events and attempt.job.kind == JobKind.RACE and attempt.state in intake.OPEN:
        racing.forward(attempt=attempt, events=events)
    return _store(attempt, events)


@transaction.atomic
def _store(attempt: Attempt, events: Sequence[Mapping[str, Any]]) -> int:
    attempt = intake.locked(attempt)
    new = [event for event in events if event["seq"] >= attempt.next_event]
    if not new:
        return attempt.next_event
    intake.refuse_closed(attempt)
    if max(event["seq"] for event in new) >= attempt.next_event + MAX_AHEAD:
        detail = f"Number {attempt.next_event} is missing first: send from there."
        raise AgentRefused(409, "events_gap", detail, next_seq=attempt.next_event)
    AttemptEvent.objects.bulk_create(
        (
            AttemptEvent(attempt=attempt, seq=event["seq"], t_s=event["t"], type=event["type"], data=event["data"])
            for event in new
        ),
        ignore_conflicts=True,
    )
    following = first_missing(attempt)
    Attempt.objects.filter(pk=attempt.pk).update(next_event=following)
    return following


def first_missing(attempt: Attempt) -> int:
    """The end of the gap-free beginning, from what was known of it."""
    expected: int = attempt.next_event
    known = attempt.events.filter(seq__gte=expected).order_by("seq").values_list("seq", flat=True)
    for seq in known.iterator():
        if seq != expected:
            break
        expected += 1
    return expected
