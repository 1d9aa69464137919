"""What was decided about people and what they wrote: who, when, and why."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from lemsite.lib.append_only import AppendOnly


class AuditAction(models.TextChoices):
    BAN = "ban", "Banned"
    LIFT_BAN = "lift-ban", "Ban lifted"
    HIDE_COMMENT = "hide-comment", "Comment hidden"
    SHOW_COMMENT = "show-comment", "Comment shown again"
    DISMISS_REPORT = "dismiss-report", "Report dismissed"
    DELETE_ACCOUNT = "delete-account", "Account deleted"
    REMOVE_SECOND_FACTOR = "remove-2fa", "Second factor removed"
    REVOKE_LEAKED_TOKEN = "leaked-token", "Leaked token revoked"
    DISABLE_WEBHOOK = "disable-webhook", "Webhook switched off"


class AuditEvent(AppendOnly):
    """One line of the audit log that is about no submission; those have ReviewEvent. Never changed."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    action = models.CharField(max_length=20, choices=AuditAction)
    #: whom it is about
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    #: what it is about, such as "comment 12"
    subject = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True, max_length=2000)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.created_at:%Y-%m-%d %H:%M}"
