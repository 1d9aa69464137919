"""Samples of the GPUs in columns, numbered by the host: stretches that follow one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from jobs.limits import TELEMETRY_BATCH
from jobs.models import Attempt, TelemetryBatch
from jobs.services import intake
from jobs.services.errors import AgentRefused

#: what is kept of a GPU, in the order of the protocol
COLUMNS = ("power_w", "energy_mj", "util", "mem_mib", "temp_c", "clock_mhz", "reasons")


@transaction.atomic
def store(*, attempt: Attempt, first_seq: int, t: Sequence[float], gpus: Sequence[Mapping[str, Any]]) -> int:
    """Keep the samples that are new; returns the number that is expected next.

    A stretch that begins later is not kept: the host goes back, so that nothing here ever overlaps or has a hole.
    """
    _check(t, gpus)
    attempt = intake.locked(attempt)
    known = attempt.next_telemetry - first_seq
    if known < 0 or known >= len(t):
        return attempt.next_telemetry
    intake.refuse_closed(attempt)
    columns = {
        "t": list(t[known:]),
        "gpu": [
            {"uuid": gpu["uuid"], **{name: list(gpu[name][known:]) for name in COLUMNS if gpu.get(name) is not None}}
            for gpu in gpus
        ],
    }
    count = len(t) - known
    TelemetryBatch.objects.create(attempt=attempt, first_seq=attempt.next_telemetry, count=count, columns=columns)
    following = attempt.next_telemetry + count
    Attempt.objects.filter(pk=attempt.pk).update(next_telemetry=following)
    return following


def _check(t: Sequence[float], gpus: Sequence[Mapping[str, Any]]) -> None:
    if len(t) > TELEMETRY_BATCH:
        raise AgentRefused(413, "too_large", f"Send at most {TELEMETRY_BATCH} samples at once.")
    for gpu in gpus:
        wrong = [name for name in COLUMNS if gpu.get(name) is not None and len(gpu[name]) != len(t)]
        if wrong:
            detail = f"{', '.join(wrong)}: as many values as there are times, {len(t)}."
            raise AgentRefused(422, "invalid", detail, fields=dict.fromkeys(wrong, "too few or too many"))
