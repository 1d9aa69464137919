"""Attempts: each is one physical execution of a job on one host, with a row before its process starts."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from jobs.models.agent import Agent, AgentSession, Gpu
from jobs.models.job import Job


class AttemptState(models.TextChoices):
    OFFERED = "offered", "Offered"
    RUNNING = "running", "Running"
    #: the process has ended and its GPUs are free
    UPLOADING = "uploading", "Uploading"
    LOST = "lost", "Lost"
    DECLINED = "declined", "Declined"
    OFFER_EXPIRED = "offer_expired", "Offer expired"
    DONE = "done", "Done"


A = AttemptState
ACTIVE = (A.OFFERED, A.RUNNING, A.UPLOADING)


class Outcome(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    TIMED_OUT = "timed_out", "Timed out"
    #: the host's fault, not the job's: it is tried again
    INFRA_FAILED = "infra_failed", "The host failed"
    ABANDONED = "abandoned", "Abandoned"


class Verdict(models.TextChoices):
    ACCEPTED = "accepted", "Counts"
    LATE = "late", "Too late, kept as evidence"


class Attempt(models.Model):
    """One physical execution of a job on one host."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="attempts")
    session = models.ForeignKey(AgentSession, null=True, on_delete=models.SET_NULL, related_name="attempts")
    #: made by the agent before it asks: the same id gets the same offer again
    claim_id = models.CharField(max_length=64)
    state = models.CharField(max_length=15, choices=AttemptState, default=AttemptState.OFFERED)
    #: what the host says it does: fetching, ready, running, stopping, uploading
    phase = models.CharField(max_length=20, blank=True)
    #: UUIDs of the GPUs it was given
    gpu_uuids: models.JSONField[Any, Any] = models.JSONField(default=list)
    executor = models.CharField(max_length=12)
    offered_at = models.DateTimeField()
    offer_until = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    #: renewed by every call of the host; past it the host is unreachable, and past the grace the attempt is lost
    lease_until = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    #: the process ended
    ended_at = models.DateTimeField(null=True)
    #: the agent's report was accepted
    finished_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=80, blank=True)
    step_index = models.PositiveIntegerField(null=True)
    step_count = models.PositiveIntegerField(null=True)

    log_bytes = models.PositiveBigIntegerField(default=0)
    #: when its log and samples went, long after the job had ended (jobs.retention)
    records_dropped_at = models.DateTimeField(null=True)
    #: end of the gap-free prefix: the sequence number that is expected next
    next_event = models.PositiveIntegerField(default=1)
    next_telemetry = models.PositiveIntegerField(default=1)

    finish_id = models.CharField(max_length=64, blank=True)
    finish_sha256 = models.CharField(max_length=64, blank=True)
    #: the agent's report as it sent it
    finish: models.JSONField[Any, Any] = models.JSONField(default=dict)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["job", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number"),
            models.UniqueConstraint(fields=["agent", "claim_id"], name="attempt_claim"),
            models.UniqueConstraint(
                fields=["job"],
                condition=models.Q(state__in=[A.OFFERED, A.RUNNING, A.UPLOADING]),
                name="one_active_attempt",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=models.Q(verdict="accepted"), name="one_accepted_verdict"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "offer_until"], name="attempt_offers"),
            models.Index(fields=["state", "lease_until"], name="attempt_leases"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of job {self.job_id}"


class GpuHold(models.Model):
    """A GPU that an attempt has; deleted when its process has ended. No GPU is ever given twice."""

    gpu = models.OneToOneField(Gpu, on_delete=models.CASCADE, related_name="hold")
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="holds")
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.gpu_id} for {self.attempt_id}"


class Decline(models.Model):
    """A host that would not run a job, and why; it is not asked again for a while."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="declines")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.agent_id} declined {self.job_id}: {self.code}"
