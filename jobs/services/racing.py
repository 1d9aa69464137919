"""A race while it runs: its lanes get ready, start together and stream into one live run.

Called by the agent API, partly inside its transactions, so nothing here locks a job: the race's row comes last in the
order of locks. What has to change other jobs is done by race_settling, in a task of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as NotYet
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django_q.tasks import async_task

from jobs.models import Attempt, AttemptState, Gpu, Job, Race, RaceState
from jobs.services import clock
from jobs.services.errors import AgentRefused
from jobs.services.lane_messages import messages_of
from runs.broadcast import broadcaster
from runs.ingest import writer
from runs.models import Run, RunStatus
from runs.services import start_run
from runs.wire import GpuConfig, RunStart
from runs.writer import Committed, WriterBusy

logger = logging.getLogger(__name__)

READY = "ready"
#: the hosts of lanes that are ready ask every second, so all of them know the moment before it has come
START_IN = timedelta(seconds=5)
GB_PER_MIB = 2**20 / 1e9
STORED_WITHIN_S = 15.0
SETTLE = "jobs.services.race_settling.settle_race"
#: states in which a host may still bring events of its lane
SPEAKING = (AttemptState.RUNNING, AttemptState.UPLOADING, AttemptState.LOST)


@transaction.atomic
def lane_ready(attempt: Attempt) -> None:
    """The host of this lane waits for the start; once all do, the moment is set. Safe to call again."""
    race_id = attempt.job.race_id
    if race_id is None:
        return
    if not Attempt.objects.filter(pk=attempt.pk, state=AttemptState.RUNNING).update(phase=READY):
        return
    race = Race.objects.select_for_update().get(pk=race_id)
    if race.state == RaceState.WAITING:
        _start_if_all_ready(race)
    elif has_missed_the_start(attempt, race) and attempt.job.cancel_requested_at is None:
        settle_soon(race_id)


def go_in_s(attempt: Attempt) -> float | None:
    """Seconds until this lane starts; None for what is no race, and while other lanes are not ready."""
    if attempt.job.race_id is None:
        return None
    if attempt.phase == READY:
        lane_ready(attempt)
    race = Race.objects.get(pk=attempt.job.race_id)
    if race.go_at is None or has_missed_the_start(attempt, race):
        return None
    return max(0.0, (race.go_at - clock.db_now()).total_seconds())


def forward(attempt: Attempt, events: Sequence[Mapping[str, Any]]) -> None:
    """Bring a lane's ticks and scores to everyone who watches; the same events again are stored once.

    Not inside a transaction: the live path's writer has one of its own, which would wait for ours.
    Raises AgentRefused when they cannot be stored now, so that the agent sends them again.
    """
    if attempt.job.race_id is None:
        return
    told = {event.get("type") for event in events}
    if READY in told:
        lane_ready(attempt)
    if "go" in told:
        Attempt.objects.filter(pk=attempt.pk, phase=READY).update(phase=AttemptState.RUNNING)
    race = Race.objects.select_related("run").get(pk=attempt.job.race_id)
    if race.go_at is None or attempt.state not in SPEAKING or has_missed_the_start(attempt, race):
        return
    messages = messages_of(attempt, events, race=race)
    if not messages:
        return
    try:
        writer.submit(messages, race.owner_id).result(STORED_WITHIN_S)
    except (WriterBusy, DatabaseError, NotYet):
        raise AgentRefused(503, "busy", "Live events cannot be stored at the moment; send them again.") from None


def lane_ended(job: Job) -> None:
    """A lane is over, in whatever way. The others, and the race itself, follow after the commit."""
    if job.race_id is not None:
        settle_soon(job.race_id)


def settle_soon(race_id: int) -> None:
    transaction.on_commit(partial(async_task, SETTLE, race_id))


def has_missed_the_start(attempt: Attempt, race: Race) -> bool:
    """Began only after the others had gone: a lane that joins later would not be in the same race."""
    return race.go_at is not None and (attempt.accepted_at is None or attempt.accepted_at > race.go_at)


def tell_viewers(run: Run) -> None:
    """Pages that show the run fetch it anew."""
    transaction.on_commit(partial(broadcaster.publish, Committed(runs={run.key})))


def _start_if_all_ready(race: Race) -> None:
    ready = (
        Attempt.objects.filter(job__race=race, state=AttemptState.RUNNING, phase=READY)
        .select_related("job", "agent")
        .order_by("job_id")
    )
    lanes = {attempt.job_id: attempt for attempt in ready}
    if len(lanes) < race.jobs.count():
        return
    go_at = clock.db_now() + START_IN
    if race.starts_at is not None:
        go_at = max(go_at, race.starts_at)
    Race.objects.filter(pk=race.pk).update(state=RaceState.STARTED, go_at=go_at)
    _open_run(race, list(lanes.values()), go_at)


def _open_run(race: Race, lanes: Sequence[Attempt], go_at: datetime) -> None:
    run = race.run
    body = RunStart(
        runId=run.key,
        startedAt=go_at,
        promptLabel=race.label,
        gpus=[_lane(attempt) for attempt in lanes],
        models=sorted({attempt.job.config["model"] for attempt in lanes}),
        simulated=race.is_simulated,
    )
    start_run(run_id=run.pk, body=body)
    # A run that waited for long may have been taken for silent and closed.
    Run.objects.filter(pk=run.pk).update(ended_at=None, status=RunStatus.RUNNING, note="")
    tell_viewers(run)


def _lane(attempt: Attempt) -> GpuConfig:
    """A lane is its host with all of its GPUs: which of them the model server uses, only the operator knows."""
    gpus = list(Gpu.objects.filter(agent=attempt.agent_id, is_present=True).select_related("hardware"))
    prices = [gpu.hardware.usd_per_gpu_hour if gpu.hardware else None for gpu in gpus]
    return GpuConfig(
        name=attempt.job.config["lane"],
        type=" + ".join(sorted({gpu.name for gpu in gpus})),
        vramGB=round(sum(gpu.memory_mib for gpu in gpus) * GB_PER_MIB, 1) or None,
        costPerHour=sum(price for price in prices if price is not None) if prices and None not in prices else None,
    )
