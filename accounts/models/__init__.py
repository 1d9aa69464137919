"""The rows of people: account, tokens, preferences, notifications, webhooks, keys of requests, log of decisions."""

from accounts.models.audit import AuditAction, AuditEvent
from accounts.models.idempotency import IdempotencyKey
from accounts.models.notification import (
    DeliveryState,
    Notification,
    NotificationKind,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.models.token import TOKEN_PREFIX, ApiToken, Scope, hash_secret, new_token_parts
from accounts.models.user import Ban, Preferences, User

__all__ = [
    "TOKEN_PREFIX",
    "ApiToken",
    "AuditAction",
    "AuditEvent",
    "Ban",
    "DeliveryState",
    "IdempotencyKey",
    "Notification",
    "NotificationKind",
    "Preferences",
    "Scope",
    "User",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "hash_secret",
    "new_token_parts",
]
