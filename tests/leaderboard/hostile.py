"""Rows in which every text that people give is hostile, and the pages that show them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.utils import timezone

from accounts.models import Notification, NotificationKind
from leaderboard.models import (
    Comment,
    Dispute,
    DisputeState,
    Finding,
    Measurement,
    RawFile,
    Result,
    ReviewEvent,
    SubmissionStatus,
    UnknownName,
)
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    SubmissionFactory,
    UserFactory,
    published_result,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</script><script>alert(1)</script>",
    "{{7*7}}{% debug %}",
    "[a](javascript:alert(1))",
)


def seeded(bad: str, owner: Any) -> Result:
    """A published result in which every text is hostile."""
    owner.display_name = bad
    owner.save()
    model = LanguageModelFactory(
        name=f"org/{bad.replace('/', '')}", title=bad, organisation=bad, family=bad, licence=bad, source_url=""
    )
    gpu = HardwareFactory(
        name=bad, vendor=bad, architecture=bad, note=bad, price_source=bad, slug="hostile",
        sources=[{"key": "a", "text": bad, "is_found": True}],
    )  # fmt: skip
    submission = SubmissionFactory(
        owner=owner,
        status=SubmissionStatus.PUBLISHED,
        note=bad,
        shape=bad[:40],
        redacted=[bad],
        stated={"dataset": bad},
    )
    result = published_result(
        submission=submission, model=model, hardware=gpu, backend=BackendFactory(name=bad), model_name=bad,
        hardware_name=bad, backend_name=bad, backend_version=bad, dataset=bad, tool=bad, tool_version=bad,
        config_hash=bad, file=bad, source_name=bad, source_url="https://example.org/", source_date="2024",
        warnings=[bad], notes={"tokens_per_joule": bad, "model": bad}, config={bad: bad}, environment={bad: [bad]},
    )  # fmt: skip
    Finding.objects.create(
        result=result, code="X1", severity="R", observed=bad, limit=bad, message=bad, field=bad, check_set="1"
    )
    Measurement.objects.create(result=result, cycle=1, tokens_per_joule=2.0)
    RawFile.objects.create(submission=submission, name=bad, sha256="a" * 64, size_bytes=1, original_sha256="b" * 64)
    ReviewEvent.objects.create(
        submission=submission, actor=owner, action="submit", from_status="draft", to_status="pending", reason=bad
    )
    UnknownName.objects.create(kind="model", name=bad, written_as=bad)
    Notification.objects.create(user=owner, kind=NotificationKind.COMMENT, title=bad, text=bad)
    seed_discussion(result, bad, owner)
    return result


def seed_discussion(result: Result, bad: str, owner: Any) -> None:
    """What readers and moderators write below a result, in every state."""
    reader, moderator = UserFactory(display_name=bad), UserFactory(display_name=bad)
    for state in DisputeState.values:
        Dispute.objects.create(
            result=result, raised_by=UserFactory(display_name=bad), reason=bad, resolution=bad, state=state,
            evidence_url="https://example.org/?q=<script>", resolved_by=moderator, resolved_at=timezone.now(),
        )  # fmt: skip
    Comment.objects.create(result=result, author=reader, text=bad, edited_at=timezone.now())
    Comment.objects.create(result=result, author=reader, text=f"> {bad}\n\n- `{bad}`\n\n[{bad}](https://example.org/)")
    Comment.objects.create(result=result, author=owner, text=bad, hidden_at=timezone.now(), hidden_reason=bad)


def pages(result: Result) -> list[str]:
    model = result.model.name
    return [
        "/?min_trust=T1",
        "/?view=all&hardware=hostile",
        f"/results/{result.pk}/",
        "/models/",
        f"/models/{quote(model)}/",
        "/hardware/",
        "/hardware/hostile/",
        f"/submissions/{result.submission_id}/",
        "/account/",
        "/account/notifications/",
        f"/u/{result.submission.owner.username}/",
        "/disputes/",
    ]
