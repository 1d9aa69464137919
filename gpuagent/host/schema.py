"""What the site sends, as types. Nothing else of it is believed: a name becomes a folder, a list becomes GPUs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ExecutorName = Literal["container", "process", "simulate", "race"]
Directive = Literal["continue", "cancel", "kill", "abandon", "forget", "resume", "upload"]

GpuUuid = Annotated[str, StringConstraints(pattern=r"^(GPU|MIG)-[0-9A-Za-z-]{1,70}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=+*?/-]{1,200}$")]
#: a repository of Hugging Face; `..` and `--` are refused when it is used
ModelId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")
]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]

MAX_CONFIG = 256 * 1024


class _Wire(BaseModel):
    """A newer site may add fields; those that are known must be right."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class JobLimits(_Wire):
    fetch_s: float = Field(default=3600, gt=0, le=24 * 3600)
    wall_s: float = Field(default=7200, gt=0, le=24 * 3600)
    silence_s: float = Field(default=1800, gt=0, le=24 * 3600)
    memory_mib: int = Field(default=65536, gt=0)
    cpus: float = Field(default=8, gt=0)
    pids: int = Field(default=1024, gt=0)
    disk_mib: int = Field(default=102400, gt=0)


class ModelWanted(_Wire):
    id: ModelId
    revision: Revision | None = None
    gated: bool = False


class Offer(_Wire):
    """One execution that the site would like."""

    attempt: UUID
    job: int
    number: int = 1
    accept_within_s: float = Field(default=30, gt=0)
    gpus: tuple[GpuUuid, ...] = Field(max_length=64)
    executor: ExecutorName
    #: llem's name of the inference library
    engine: str = Field(default="", max_length=20)
    simulated: bool = False
    image: str | None = Field(default=None, max_length=300)
    config: str = Field(max_length=MAX_CONFIG)
    config_sha256: Sha256
    limits: JobLimits = JobLimits()
    collect: tuple[Pattern, ...] = Field(default=(), max_length=50)
    model: ModelWanted | None = None

    @property
    def id(self) -> str:
        return str(self.attempt)


class Times(_Wire):
    """Seconds."""

    poll_s: float = Field(default=3, gt=0)
    heartbeat_s: float = Field(default=10, gt=0)
    lease_s: float = Field(default=60, gt=0)
    offer_s: float = Field(default=30, gt=0)
    flush_s: float = Field(default=2, gt=0)


class Limits(_Wire):
    log_chunk: int = Field(default=1 << 20, gt=0)
    log_total: int = Field(default=64 << 20, gt=0)
    artifact_chunk: int = Field(default=8 << 20, gt=0)
    #: a file up to this size comes with its announcement, together no more than a batch; 0 where a site takes none so
    artifact_inline: int = Field(default=0, ge=0)
    artifact_batch: int = Field(default=0, ge=0)
    artifact_total: int = Field(default=1 << 30, gt=0)
    artifacts: int = Field(default=200, gt=0)
    telemetry_batch: int = Field(default=600, gt=0)
    events_batch: int = Field(default=1000, gt=0)


class Told(_Wire):
    """What the site wants of one attempt."""

    id: UUID
    do: Directive = "continue"
    #: where its copy of the log ends; only at the start of a session
    log_offset: int | None = None
    #: a race: all lanes start so many seconds from now
    go_in_s: float | None = None


class SessionReply(_Wire):
    session: str
    times: Times = Times()
    limits: Limits = Limits()
    attempts: tuple[Told, ...] = ()
    drain: bool = False
    #: sentences for the operator
    warnings: tuple[str, ...] = ()


class HeartbeatReply(_Wire):
    times: Times | None = None
    attempts: tuple[Told, ...] = ()
    drain: bool = False
    rotate_token: bool = False


class Enrolled(_Wire):
    agent: str
    token: str = Field(min_length=20, max_length=200)


class Verdict(_Wire):
    verdict: Literal["accepted", "late"]
    job_state: str = ""
