"""People: their account, their preferences, and whether they may write."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """A person: reader, contributor or moderator.

    A deleted account keeps its row, without anything personal: audit lines and published results refer to it.
    """

    display_name = models.CharField("name shown", max_length=80, blank=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta(AbstractUser.Meta):
        permissions: ClassVar = [("moderate", "Can review submissions")]

    def __str__(self) -> str:
        return "a deleted user" if self.deleted_at else self.display_name or self.username

    @property
    def is_moderator(self) -> bool:
        return self.is_active and self.has_perm("accounts.moderate")


class Preferences(models.Model):
    """A reader's own prices and grid, used where the URL says nothing, and which e-mails they want."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preferences", primary_key=True)
    usd_per_gpu_hour = models.FloatField("$ per GPU-hour", null=True, blank=True)
    usd_per_kwh = models.FloatField("$ per kWh", null=True, blank=True)
    pue = models.FloatField("PUE", null=True, blank=True)
    co2_g_per_kwh = models.FloatField("grid, gCO2/kWh", null=True, blank=True)
    #: kinds of notifications (NotificationKind) that are not sent by e-mail
    muted_emails: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class BanQuerySet(models.QuerySet["Ban"]):
    def in_force(self) -> BanQuerySet:
        return self.filter(lifted_at=None).filter(models.Q(until=None) | models.Q(until__gt=timezone.now()))


class Ban(models.Model):
    """Someone may read, withdraw and delete, but neither submit nor comment nor dispute, until a date or for good."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="bans")
    reason = models.TextField(max_length=2000, help_text="The person reads it.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    lifted_at = models.DateTimeField(null=True, editable=False)

    objects = BanQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.user} until {self.until:%Y-%m-%d}" if self.until else f"{self.user} for good"
