"""GPU hosts: what the site knows of them, and the secrets by which it knows them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.models import User
from leaderboard.models import Hardware

AGENT_TOKEN_PREFIX = "gpa"  # noqa: S105 - the public first part of every token
ENROLMENT_PREFIX = "gpe"


class Agent(models.Model):
    """A GPU host that takes jobs. It is not a user: its tokens open the agent API and nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="agents")
    #: words that a job may demand of its host
    labels: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    #: takes no new job; what runs is finished
    is_draining = models.BooleanField(default=False)
    #: set aside for failing: takes no job until its operator clears it
    quarantined_at = models.DateTimeField(null=True, blank=True, editable=False)
    quarantine_reason = models.CharField(max_length=200, blank=True)
    #: attempts in a row that ended because of the host
    failures_in_a_row = models.PositiveSmallIntegerField(default=0, editable=False)
    #: runs without a GPU: takes simulated jobs only, and nothing it reports is ever ranked
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    #: taken out of service for good; its name and its history stay
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: the last call of its agent
    last_seen_at = models.DateTimeField(null=True, editable=False)
    #: as the latest session told it: agent version, os, driver, cuda, docker, executors, images
    host: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False)
    #: the host's clock less the site's, seconds
    clock_offset_s = models.FloatField(null=True, editable=False)
    #: the newest heartbeat's figures: {"gpus": [{"uuid", "power_w", "util", "mem_mib", "temp_c"}], "disk_free_mib"}
    vitals: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [("operate", "Can connect GPU hosts")]

    def __str__(self) -> str:
        return self.name

    @property
    def takes_jobs(self) -> bool:
        return not self.is_draining and self.quarantined_at is None and self.retired_at is None


class AgentToken(models.Model):
    """One secret by which an agent is known; only its SHA-256 is kept.

    The secret has 178 random bits, so a plain hash is as good as a slow one.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="tokens")
    secret_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    #: its first characters, by which people tell tokens apart
    shown = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    #: rotated: the token still opens the API until then, so that a host that misses the reply is not locked out
    replaced_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.shown}…"


class EnrolmentCode(models.Model):
    """A secret that makes one agent, once, within an hour."""

    secret_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80, help_text="what the agent will be called")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, editable=False)
    agent = models.OneToOneField(Agent, null=True, on_delete=models.SET_NULL, related_name="enrolment")

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class AgentSession(models.Model):
    """One living process of an agent with its disk. A second one with a copied token is refused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="sessions")
    #: written once into the agent's folder, so a copy of the folder elsewhere is the only way to have it twice
    instance_id = models.CharField(max_length=64)
    boot_id = models.CharField(max_length=64)
    protocol = models.PositiveSmallIntegerField(default=1)
    executors: models.JSONField[Any, Any] = models.JSONField(default=list)
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent"], condition=models.Q(ended_at=None), name="one_living_session_per_agent"
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} since {self.started_at:%Y-%m-%d %H:%M}"


class Gpu(models.Model):
    """One GPU of a host, by its UUID."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="gpus")
    uuid = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    hardware = models.ForeignKey(Hardware, null=True, on_delete=models.SET_NULL, related_name="+")
    memory_mib = models.PositiveIntegerField()
    compute_capability = models.CharField(max_length=8, blank=True)
    power_limit_w = models.FloatField(null=True)
    is_mig = models.BooleanField(default=False)
    #: what its driver can measure: {"energy_counter", "power", "instant", "scope"}
    nvml: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: whether the latest session still had it
    is_present = models.BooleanField(default=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    quarantine_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["agent", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "uuid"], name="one_gpu_per_uuid")]

    def __str__(self) -> str:
        return f"{self.name} of {self.agent_id}"
