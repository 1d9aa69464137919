"""Pages ask the database as often for many rows as for a few."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification, NotificationKind, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.tokens import create_token
from leaderboard.models import Comment, Dispute, Provenance, Share, SubmissionStatus, UploadBatch, Watch
from leaderboard.models.batch import BatchState
from tests.factories import (
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)

pytestmark = pytest.mark.django_db
PAGES = (
    "/account/", "/account/notifications/", "/account/tokens/", "/account/webhooks/", "/account/watches/",
    "/account/sessions/", "/account/settings/", "/account/delete/", "/u/owner/", "/disputes/", "/", "/models/",
    "/hardware/", "{submission}", "{private}", "{batch}", "{hook}", "{result}",
)  # fmt: skip


@pytest.fixture
def rows(owner):
    """A function that adds one more of everything, and the addresses of the rows that hold it."""
    draft = SubmissionFactory(owner=owner, status=SubmissionStatus.DRAFT, visibility="draft")
    private = SubmissionFactory(owner=owner, status=SubmissionStatus.DRAFT, visibility="private")
    batch = UploadBatch.objects.create(owner=owner, provenance=Provenance.UPLOAD, state=BatchState.FAILED)
    hook = WebhookEndpoint.objects.create(user=owner, url="https://example.org/0", secret="x")
    result = published_result()

    def add(number: int) -> None:
        SubmissionFactory(owner=owner)
        published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))
        ResultFactory(submission=draft, position=number)
        ResultFactory(submission=private, position=number)
        Share.objects.create(submission=private, user=UserFactory())
        Comment.objects.create(result=result, author=UserFactory(), text="Nice.")
        Dispute.objects.create(result=result, raised_by=UserFactory(), reason="Too fast.")
        Notification.objects.create(user=owner, kind=NotificationKind.REVIEW, title="News", url="/")
        create_token(user=owner, name=f"t{number}", scopes=["read"])
        WebhookEndpoint.objects.create(user=owner, url=f"https://example.org/{number}", secret="x")
        delivery = WebhookDelivery.objects.create(
            endpoint=hook, event_id=f"00000000-0000-4000-8000-{number:012}", body="{}", next_attempt_at=hook.created_at
        )
        WebhookAttempt.objects.create(delivery=delivery, status=500, duration_ms=1)
        Watch.objects.create(user=owner, model=LanguageModelFactory())
        Watch.objects.create(user=owner, hardware=HardwareFactory())
        batch.refused.append({"file": f"{number}.json", "message": "It is empty."})
        batch.save()

    add.addresses = {  # type: ignore[attr-defined]
        "submission": f"/submissions/{draft.pk}/",
        "private": f"/submissions/{private.pk}/",
        "batch": f"/batches/{batch.pk}/",
        "hook": f"/account/webhooks/{hook.pk}/",
        "result": f"/results/{result.pk}/",
    }
    return add


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_as_often_for_twelve_as_for_two(client, owner, rows, page):
    client.force_login(owner)
    address = page.format(**rows.addresses)
    for number in (1, 2):
        rows(number)
    few = _queries(client, address)
    for number in range(3, 13):
        rows(number)

    assert _queries(client, address) <= few


def _queries(client, address):
    cache.clear()
    UserSession.objects.all().delete()
    client.get(address)
    cache.clear()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        response = client.get(address)
    assert response.status_code == 200, address
    return len(asked)
