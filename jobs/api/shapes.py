"""What agents send, as types: names become rows and pages, numbers become charts, so each has its limits."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from jobs.limits import (
    ARTIFACT_INLINE_BYTES,
    ARTIFACT_TOTAL_BYTES,
    EVENTS_BATCH,
    MAX_ARTIFACTS,
    TELEMETRY_BATCH,
)
from lemsite.lib.hidden_characters import hidden_character

MAX_COUNT = 2**31 - 1
#: events and samples of one attempt: a sample a second for eleven days
MAX_SEQ = 1_000_000


def _without_hidden(text: str) -> str:
    if hidden_character(text):
        raise ValueError("it holds a control character")
    return text


Shown = AfterValidator(_without_hidden)
Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]*$")]
Short = Annotated[str, StringConstraints(max_length=40), Shown]
Name = Annotated[str, StringConstraints(max_length=120), Shown]
Line = Annotated[str, StringConstraints(max_length=200), Shown]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Number = Annotated[float, Field(ge=-1e15, le=1e15)]
Id = Annotated[UUID, Field(strict=False)]
Moment = Annotated[datetime, Field(strict=False)]
GpuUuid = Annotated[str, StringConstraints(max_length=80, pattern=r"^(GPU|MIG)-[0-9A-Za-z-]+$")]


class Told(BaseModel):
    """What a newer agent says beside what is known here is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class Enrolling(Told):
    code: Annotated[str, Field(max_length=100)] = ""
    simulated: bool = False


class GpuTold(Told):
    uuid: GpuUuid
    name: Name
    memory_mib: Count = 0
    cc: Annotated[str, StringConstraints(max_length=8)] | None = ""
    mig: bool = False
    power_limit_w: Number | None = None
    nvml: dict[Word, bool | str | None] = {}


class HostFacts(Told):
    """Shown on the host's page; everything may be missing."""

    os: Line | None = None
    driver: Line | None = None
    cuda: Line | None = None
    docker: Line | None = None
    toolkit: Line | None = None
    python: Line | None = None
    cpus: Count | None = None
    memory_mib: Count | None = None


class AttemptTold(Told):
    id: Id
    phase: Annotated[str, Field(max_length=20)] = ""
    exit: Any = None


class SessionTold(Told):
    instance_id: Word
    boot_id: Word
    agent_version: Short = ""
    protocols: Annotated[list[int], Field(min_length=1, max_length=20)] = [1]
    host: HostFacts = HostFacts()
    gpus: Annotated[list[GpuTold], Field(max_length=64)] = []
    executors: Annotated[list[Word], Field(max_length=10)] = []
    images: Annotated[list[Line], Field(max_length=50)] = []
    labels: Annotated[list[Short], Field(max_length=20)] = []
    attempts: Annotated[list[AttemptTold], Field(max_length=200)] = []
    simulated: bool = False
    agent_time: Moment | None = None


class EventTold(Told):
    seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]
    t: Number = 0.0
    type: Word
    data: dict[str, Any] = {}


class EventsTold(Told):
    events: Annotated[list[EventTold], Field(max_length=EVENTS_BATCH)]


Column = Annotated[list[Number | None], Field(max_length=TELEMETRY_BATCH)]


class GpuColumns(Told):
    uuid: GpuUuid
    power_w: Column | None = None
    energy_mj: Column | None = None
    util: Column | None = None
    mem_mib: Column | None = None
    temp_c: Column | None = None
    clock_mhz: Column | None = None
    reasons: Column | None = None


class TelemetryTold(Told):
    first_seq: Annotated[int, Field(ge=1, le=MAX_SEQ)]
    t: Annotated[list[Number], Field(max_length=TELEMETRY_BATCH)]
    gpu: Annotated[list[GpuColumns], Field(max_length=64)] = []


class ArtifactTold(Told):
    name: Annotated[str, Field(min_length=1, max_length=300)]
    size: Annotated[int, Field(ge=0, le=ARTIFACT_TOTAL_BYTES)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    #: the whole of a small file, in base 64
    content: Annotated[str, Field(max_length=4 * (ARTIFACT_INLINE_BYTES // 3 + 1))] | None = None


class ArtifactsTold(Told):
    files: Annotated[list[ArtifactTold], Field(min_length=1, max_length=MAX_ARTIFACTS)]


#: "bytes 8192-10239/*"; an empty stretch cannot be said so, and need not be
RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/\*", re.ASCII)
#: "sha-256=:<base64>:" of RFC 9530
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):", re.ASCII)
