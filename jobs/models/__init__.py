"""Jobs and the GPU hosts that run them. A job is the wish, an attempt one physical execution of it."""

from jobs.models.agent import Agent, AgentSession, AgentToken, EnrolmentCode, Gpu
from jobs.models.attempt import (
    ACTIVE,
    Attempt,
    AttemptState,
    Decline,
    GpuHold,
    Outcome,
    Verdict,
)
from jobs.models.intake import Artifact, AttemptEvent, LogChunk, TelemetryBatch
from jobs.models.job import TERMINAL, TRANSITIONS, Engine, Job, JobEvent, JobKind, JobState, Race, RaceState
from jobs.models.looked_at import AuditRun, HostEvent, HostStep, UnknownExecution, UnsettledAttempt

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "TRANSITIONS",
    "Agent",
    "AgentSession",
    "AgentToken",
    "Artifact",
    "Attempt",
    "AttemptEvent",
    "AttemptState",
    "AuditRun",
    "Decline",
    "Engine",
    "EnrolmentCode",
    "Gpu",
    "GpuHold",
    "HostEvent",
    "HostStep",
    "Job",
    "JobEvent",
    "JobKind",
    "JobState",
    "LogChunk",
    "Outcome",
    "Race",
    "RaceState",
    "TelemetryBatch",
    "UnknownExecution",
    "UnsettledAttempt",
    "Verdict",
]
