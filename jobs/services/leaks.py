"""Tokens of GPU hosts that were found in public: closed at once, and the host's owner told."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import AuditAction, AuditEvent, NotificationKind
from accounts.services.notifications import notify
from jobs.models import AgentToken, EnrolmentCode
from jobs.models.agent import AGENT_TOKEN_PREFIX, ENROLMENT_PREFIX
from lemsite.lib import secret_tokens


@transaction.atomic
def revoke_leaked_host_token(*, plain: str, found_at: str) -> bool:
    """Whether this is a host's token or enrolment code. What was closed before is left as it is."""
    now, secret = timezone.now(), secret_tokens.hash_secret(plain)
    if secret_tokens.is_well_formed(plain, ENROLMENT_PREFIX):
        codes = EnrolmentCode.objects.filter(secret_sha256=secret)
        codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
        return codes.exists()
    if not secret_tokens.is_well_formed(plain, AGENT_TOKEN_PREFIX):
        return False
    token = AgentToken.objects.select_related("agent__owner").filter(secret_sha256=secret).first()
    if token is None:
        return False
    if AgentToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        agent, place = token.agent, found_at[:300] or "a public place"
        AuditEvent.objects.create(
            action=AuditAction.REVOKE_LEAKED_TOKEN, person=agent.owner, subject=f"host {agent.pk}", reason=place
        )
        notify(
            to=[agent.owner] if agent.owner else [],
            kind=NotificationKind.ACCOUNT,
            title=f"The token of {agent.name} was found in public"[:200],
            text=f"It stood at {place}. It is revoked; enrol the host again with a new code.",
            url=f"/agents/{agent.pk}/",
        )
    return True
