"""What people are told: in the site, by e-mail and by webhook."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from accounts.models.user import User


class NotificationKind(models.TextChoices):
    """Why someone is told something; e-mails and webhooks are chosen by kind."""

    REVIEW = "review", "Decisions on your submissions"
    COMMENT = "comment", "Comments on your results"
    DISPUTE = "dispute", "Disputes about your results, and their outcome"
    JOB = "job", "Jobs of yours that ended"
    WATCH = "watch", "New results of models and hardware that you watch"
    MODERATION = "moderation", "Work that waits for moderators"
    ACCOUNT = "account", "Your account: tokens, webhooks, bans"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)


class Notification(models.Model):
    """One thing that one person was told."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=12, choices=NotificationKind)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    #: path on this site
    url = models.CharField(max_length=500, blank=True)
    #: the same on every channel: webhooks send it as their id
    event_id = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, editable=False)
    #: when the e-mail went out; null while it waits, and for kinds that are muted
    emailed_at = models.DateTimeField(null=True, editable=False)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notification_by_user"),
            models.Index(fields=["user"], name="notification_unread", condition=models.Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return self.title


class WebhookEndpoint(models.Model):
    """An address that is told of one person's events, signed as Standard Webhooks says."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    #: encrypted (accounts.secrets_at_rest); plain it is "whsec_" and 32 bytes in base64
    secret = models.TextField(editable=False)
    #: the one before, valid beside it while receivers change over
    previous_secret = models.TextField(blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    #: NotificationKind values; empty means all
    kinds: models.JSONField[Any, Any] = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    #: since when every attempt has failed; null after a success
    failing_since = models.DateTimeField(null=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    disabled_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class WebhookDelivery(models.Model):
    """One event for one endpoint: the frozen body, and where it stands. Delivered at least once, with one id."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="one_delivery_per_event"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], name="webhook_due", condition=models.Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"


class WebhookAttempt(models.Model):
    """One request that was sent, for the delivery log. The reply's body is never kept."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(auto_now_add=True)
    #: HTTP status, null when none came
    status = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField()
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"
