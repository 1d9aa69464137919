"""What of people's news, requests and sessions is not kept for ever. Audit lines are, always."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import DeliveryState, IdempotencyKey, Notification, WebhookDelivery
from accounts.services.idempotency import KEPT
from lemsite.lib.pruning import Rule, older_than

#: one that is being made has its row a moment before its session has
NEW_SESSION = timedelta(days=1)


def old_notifications(now: datetime) -> QuerySet[Notification]:
    before = older_than(settings.KEEP_NOTIFICATIONS_DAYS, now)
    return Notification.objects.filter(created_at__lt=before) if before else Notification.objects.none()


def old_deliveries(now: datetime) -> QuerySet[WebhookDelivery]:
    """Settled ones; their log of attempts goes along."""
    before = older_than(settings.KEEP_WEBHOOK_DELIVERIES_DAYS, now)
    settled = WebhookDelivery.objects.exclude(state=DeliveryState.WAITING)
    return settled.filter(created_at__lt=before) if before else settled.none()


def old_keys(now: datetime) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(claimed_at__lt=now - KEPT)


def expired_sessions(now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=now)


def ended_sign_ins(now: datetime) -> QuerySet[UserSession]:
    """Addresses and browsers of sessions that are over."""
    living = Session.objects.filter(pk=OuterRef("session_key"))
    over: QuerySet[UserSession] = UserSession.objects.filter(~Exists(living), last_seen_at__lt=now - NEW_SESSION)
    return over


RULES = (
    Rule("notifications", old_notifications),
    Rule("settled webhook deliveries", old_deliveries),
    Rule("keys of requests that were answered", old_keys),
    Rule("expired sessions", expired_sessions),
    Rule("sign-ins of sessions that are over", ended_sign_ins),
)
