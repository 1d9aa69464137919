"""What people look at: steps on hosts, executions that nobody knows or hears of, and what the daily audit found."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from jobs.models.agent import Agent
from jobs.models.attempt import Attempt
from lemsite.lib.append_only import AppendOnly


class HostStep(models.TextChoices):
    DRAIN = "drain", "Drained"
    RESUME = "resume", "Resumed"
    QUARANTINE = "quarantine", "Set aside"
    CLEAR = "clear", "Cleared"
    ROTATE = "rotate", "Tokens closed for a new code"
    RETIRE = "retire", "Retired"
    SETTLE = "settle", "Unknown execution looked into"


class HostEvent(AppendOnly):
    """One line of the audit log of hosts: which step, on which host, by whom, why, when. Never changed."""

    agent = models.ForeignKey(Agent, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False)
    step = models.CharField(max_length=20, choices=HostStep)
    #: a person; None for the site
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "step on a host"
        verbose_name_plural = "steps on hosts"

    def __str__(self) -> str:
        return f"{self.get_step_display()} {self.created_at:%Y-%m-%d %H:%M}"


class UnsettledAttempt(Attempt):
    """An attempt whose host went away with it, or that was given up and never reported: a moderator looks into it."""

    class Meta:
        proxy = True
        ordering: ClassVar = ["-offered_at"]
        verbose_name = "execution without its host"
        verbose_name_plural = "executions without their hosts"


class UnknownExecution(models.Model):
    """An attempt that a host has and this site does not, perhaps as the site was restored from a backup."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="unknown_executions")
    #: the id that the host told
    told_id = models.UUIDField()
    first_told_at = models.DateTimeField()
    last_told_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["-last_told_at"]
        verbose_name = "unknown execution"
        verbose_name_plural = "unknown executions"
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "told_id"], name="unknown_once_per_host")]

    def __str__(self) -> str:
        return f"{self.told_id} of {self.agent_id}"


class AuditRun(models.Model):
    """One daily audit of everything that must hold of jobs, logs and files."""

    ended_at = models.DateTimeField()
    rules = models.PositiveSmallIntegerField()
    #: [{"code", "rule", "broken": [sentence]}] of the rules that did not hold
    broken: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"audit {self.ended_at:%Y-%m-%d %H:%M}"
