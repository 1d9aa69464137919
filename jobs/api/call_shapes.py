"""What agents send when they ask for work, report that they live and finish, as types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from jobs.api.shapes import Count, GpuUuid, Id, Moment, Number, Told, Word
from jobs.limits import MAX_ARTIFACTS

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9_]+$")]
Gpus = Annotated[list[GpuUuid], Field(max_length=64)]


class ClaimTold(Told):
    claim_id: Word
    #: those that it would use now; all that are free when it does not say
    gpus: Gpus | None = None


class AcceptTold(Told):
    gpus: Gpus | None = None


class DeclineTold(Told):
    code: Code
    detail: Annotated[str, Field(max_length=2000)] = ""


class BeatTold(Told):
    """Forgiving: a heartbeat that is refused for a word would cost its host all its leases."""

    id: Id
    phase: Annotated[str, Field(max_length=2000)] = ""
    step: Annotated[str, Field(max_length=2000)] = ""
    step_i: Count | None = None
    step_n: Count | None = None


class GpuVitals(Told):
    uuid: GpuUuid
    power_w: Number | None = None
    util: Number | None = None
    mem_mib: Number | None = None
    temp_c: Number | None = None


class HeartbeatTold(Told):
    attempts: Annotated[list[BeatTold], Field(max_length=200)] = []
    gpus: Annotated[list[GpuVitals], Field(max_length=64)] = []
    disk_free_mib: Number | None = None
    agent_time: Moment | None = None


class LogEnd(Told):
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class LastSeq(Told):
    last_seq: Count = 0


class FileTold(Told):
    name: Annotated[str, Field(min_length=1, max_length=300)]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class EnergyTold(Told):
    uuid: GpuUuid
    counter_j: Number | None = None
    integral_j: Number | None = None


class FinishTold(Told):
    """Kept as it is, with what a newer agent says beside it."""

    model_config = ConfigDict(extra="allow")

    finish_id: Word
    outcome: Literal["succeeded", "failed", "cancelled", "timed_out", "infra_failed", "abandoned"]
    code: Code = "ok"
    detail: Annotated[str, Field(max_length=20_000)] | None = None
    exit_code: int | None = None
    signal: Any = None
    run_s: Number | None = None
    log: LogEnd | None = None
    telemetry: LastSeq | None = None
    events: LastSeq | None = None
    artifacts: Annotated[list[FileTold], Field(max_length=MAX_ARTIFACTS)] = []
    energy: Annotated[list[EnergyTold], Field(max_length=64)] = []
