"""Webhooks on the wire: signed as Standard Webhooks says, at least once, with one id over all attempts.

An attempt is claimed by a conditional update that counts it and sets when the next one is due should this process be
killed: two workers never make the same attempt, and one that is lost is made again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.secrets_at_rest import Unreadable, decrypt
from accounts.services.webhooks import SECRET_PREFIX, disable_endpoint
from lemsite.lib import safe_http

logger = logging.getLogger(__name__)

#: from one attempt to the next; the first is made at once, the last about a day later
DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=8),
    timedelta(hours=8),
)
ATTEMPTS = len(DELAYS) + 1
#: an attempt that nobody reports on was lost with its process
LEASE = timedelta(minutes=3)
#: how long an endpoint that failed is left alone with what it has not been sent yet
REST = timedelta(minutes=1)
GIVE_UP_AFTER = timedelta(days=5)
#: new attempts are begun only in this time of one task; each ends within safe_http.TOTAL_S
WORK_FOR_S = 45.0
THREADS = 8
#: looking a name up cannot be cut short: after this, the thread is left to itself
PATIENCE_S = safe_http.TOTAL_S + 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    duration_ms: int
    status: int | None = None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def sign(*, secrets: Sequence[str], event_id: str, timestamp: int, body: bytes) -> str:
    """The webhook-signature header: one `v1,…` for each secret, separated by spaces."""
    content = f"{event_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(SECRET_PREFIX)) for secret in secrets]
    digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def deliver_due(*, work_for_s: float = WORK_FOR_S) -> int:
    """Make every attempt that is due; returns how many. An endpoint that fails rests until the next task."""
    until = time.monotonic() + work_for_s
    resting: set[UUID] = set()
    made = 0
    while time.monotonic() < until and (claimed := list(claim_due(without=resting))):
        made += len(claimed)
        for delivery, outcome in _send_all(claimed):
            record(delivery=delivery, outcome=outcome)
            if not outcome.is_delivered:
                resting.add(delivery.endpoint_id)
    return made


def claim_due(*, without: Collection[UUID] = ()) -> Iterator[WebhookDelivery]:
    """The oldest due delivery of each of some endpoints, counted as attempted; at most one for each thread."""
    now = timezone.now()
    due = due_deliveries(now).exclude(endpoint__in=without)
    seen: set[UUID] = set()
    for delivery in due.select_related("endpoint").order_by("next_attempt_at", "pk")[: THREADS * 50]:
        if len(seen) == THREADS:
            return
        if delivery.endpoint_id not in seen and _claim(delivery, now):
            seen.add(delivery.endpoint_id)
            yield delivery


def due_deliveries(now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        state=DeliveryState.WAITING,
        next_attempt_at__lte=now,
        endpoint__disabled_at=None,
        endpoint__user__is_active=True,
    )


def _claim(delivery: WebhookDelivery, now: datetime) -> bool:
    rows = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, attempts=delivery.attempts, next_attempt_at__lte=now
    )
    if not rows.update(attempts=delivery.attempts + 1, next_attempt_at=now + LEASE):
        return False
    delivery.attempts += 1
    return True


def _send_all(claimed: Sequence[WebhookDelivery]) -> Iterator[tuple[WebhookDelivery, Outcome]]:
    """All at the same time. Threads are new each time: one that hangs must not take the place of a later attempt."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
    futures: dict[Future[Outcome], WebhookDelivery] = {}
    for delivery in claimed:
        try:
            secrets = secrets_of(delivery.endpoint)
        except Unreadable:
            yield delivery, Outcome(0, error="the secret cannot be read any more; make a new one")
            continue
        url, event_id, body = delivery.endpoint.url, str(delivery.event_id), delivery.body.encode()
        futures[threads.submit(_send, url, event_id, body, secrets)] = delivery
    wait(futures, timeout=PATIENCE_S)
    threads.shutdown(wait=False)
    for future, delivery in futures.items():
        yield delivery, _outcome(future)


def _outcome(future: Future[Outcome]) -> Outcome:
    if not future.done():
        return Outcome(int(PATIENCE_S * 1000), error=f"no answer within {safe_http.TOTAL_S:.0f} s")
    failure = future.exception()
    if failure is not None:
        # A fault of ours in one attempt must not keep the others from being made.
        logger.error("A webhook could not be sent", exc_info=failure)
        return Outcome(0, error="it could not be sent")
    return future.result()


def _send(url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> Outcome:
    """In a thread of its own: no database."""
    began = time.monotonic()
    timestamp = int(time.time())
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets=secrets, event_id=event_id, timestamp=timestamp, body=body),
    }
    status, error = None, ""
    try:
        status = safe_http.post(url, body=body, headers=headers, inside=settings.WEBHOOK_PRIVATE_HOSTS)
    except (safe_http.BadUrl, safe_http.Unreachable) as failure:
        error = str(failure)
    if status is not None and not 200 <= status < 300:
        error = "redirects are not followed" if 300 <= status < 400 else "the receiver answered with an error"
    return Outcome(int((time.monotonic() - began) * 1000), status, error)


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """What signs now, the newest first. Raises Unreadable."""
    secrets = [decrypt(endpoint.secret)]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret and until is not None and until > timezone.now():
        secrets.append(decrypt(endpoint.previous_secret))
    return secrets


@transaction.atomic
def record(*, delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Write down one attempt, and when the next is due. Nothing, when the delivery went with its endpoint meanwhile."""
    if not WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).exists():
        return
    WebhookAttempt.objects.create(
        delivery=delivery, status=outcome.status, duration_ms=outcome.duration_ms, error=outcome.error[:200]
    )
    # Of a lost attempt that was made again, either may still report.
    waiting = WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING)
    now = timezone.now()
    if outcome.is_delivered:
        waiting.update(state=DeliveryState.DELIVERED, delivered_at=now)
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(failing_since=None)
        return
    waiting = waiting.filter(attempts=delivery.attempts)
    if delivery.attempts >= ATTEMPTS:
        waiting.update(state=DeliveryState.FAILED)
    else:
        waiting.update(next_attempt_at=now + DELAYS[delivery.attempts - 1])
    _note_failure(delivery.endpoint_id, outcome, now)


def _note_failure(endpoint_id: UUID, outcome: Outcome, now: datetime) -> None:
    # What else is due there waits: a receiver that hangs would otherwise hold the worker once for each of them.
    others = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=DeliveryState.WAITING)
    others.filter(attempts=0, next_attempt_at__lt=now + REST).update(next_attempt_at=now + REST)
    WebhookEndpoint.objects.filter(pk=endpoint_id, failing_since=None).update(failing_since=now)
    endpoint = WebhookEndpoint.objects.select_related("user").get(pk=endpoint_id)
    if outcome.status == 410:
        disable_endpoint(endpoint=endpoint, reason="The receiver answered 410 Gone.")
    elif endpoint.failing_since is not None and now - endpoint.failing_since >= GIVE_UP_AFTER:
        disable_endpoint(endpoint=endpoint, reason=f"Every attempt of the last {GIVE_UP_AFTER.days} days failed.")
