"""API tokens: a secret that lets a script act as its user."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.user import User

TOKEN_PREFIX = "lem"  # noqa: S105 - the public first part of every token
TOKEN_SECRET_BYTES = 32


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Read your own private data"
    SUBMIT = "submit", "Submit results"
    JOBS = "jobs", "Order benchmark jobs"
    INGEST = "ingest", "Send live events"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> ApiTokenQuerySet:
        """Tokens that open a door now: not revoked, not expired, of an active user."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class ApiToken(models.Model):
    """One secret that lets a script act as its user within scopes; only its SHA-256 is kept.

    The secret is 256 random bits, so a plain hash is as good as a slow one.
    """

    key_id = models.CharField(max_length=12, unique=True, editable=False)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({TOKEN_PREFIX}_{self.key_id}_…)"

    def matches(self, secret: str) -> bool:
        return hmac.compare_digest(self.secret_sha256, hash_secret(secret))

    def allows(self, scope: str) -> bool:
        return scope in self.scopes

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token_parts() -> tuple[str, str]:
    """A fresh (key id, secret); key ids hold no underscore, so that a token splits in three."""
    return secrets.token_hex(6), secrets.token_hex(TOKEN_SECRET_BYTES)
