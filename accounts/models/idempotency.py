"""Requests that may be sent twice and are done once."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.user import User


class IdempotencyKey(models.Model):
    """One request that its sender may send again under the same key, and its answer once it has been done.

    Of the body only the digest is kept. Without a status it is being answered by whoever knows `claim`.
    """

    #: another one each time the request is taken up
    claim = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="idempotency_keys")
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    claimed_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    #: JSON as it was sent
    body = models.TextField(blank=True)
    location = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "path", "key"], name="one_answer_per_key")]
        indexes: ClassVar = [models.Index(fields=["claimed_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id} at {self.path}"
