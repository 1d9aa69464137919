"""What readers add: comments, reports of them, and what they watch."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from leaderboard.models.catalogue import Hardware, LanguageModel
from leaderboard.models.result import Result


class Comment(models.Model):
    """A remark on a result, in Markdown; rendered and sanitised on the way out, never stored as HTML."""

    result = models.ForeignKey(Result, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField(max_length=5000)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, editable=False)
    #: by its author; the place stays, the text is emptied
    deleted_at = models.DateTimeField(null=True, editable=False)
    #: by a moderator
    hidden_at = models.DateTimeField(null=True, editable=False)
    hidden_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"comment {self.pk} by {self.author_id}"


class CommentReport(models.Model):
    """Someone asks a moderator to look at a comment."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="reports")
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True, editable=False)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["comment", "raised_by"], name="one_report_per_reader")]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="report_queue", condition=models.Q(handled_at=None))
        ]

    def __str__(self) -> str:
        return f"report of comment {self.comment_id}"


class Watch(models.Model):
    """Someone wants to hear of new results of a model or a GPU."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches")
    model = models.ForeignKey(LanguageModel, null=True, on_delete=models.CASCADE, related_name="+")
    hardware = models.ForeignKey(Hardware, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "watches"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(model=None, hardware__isnull=False) | models.Q(model__isnull=False, hardware=None),
                name="watches_one_thing",
            ),
            models.UniqueConstraint(fields=["user", "model"], name="watches_model_once"),
            models.UniqueConstraint(fields=["user", "hardware"], name="watches_hardware_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.model_id or self.hardware_id}"
