"""Uploads that are read in the background, and what an uploader stated before for the same kind of file."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from leaderboard.models.submission import Licence, Provenance, Submission, Visibility


class BatchState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READING = "reading", "Being read"
    DONE = "done", "Read"
    FAILED = "failed", "Nothing could be read"


class UploadBatch(models.Model):
    """One upload of many files on its way to a draft: what was good is in `submission`, the rest is named."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="batches")
    provenance = models.CharField(max_length=10, choices=Provenance)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.DRAFT)
    licence = models.CharField(max_length=20, choices=Licence, default=Licence.CC_BY)
    note = models.TextField(blank=True, max_length=2000)
    stated: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: what was uploaded, in storage until it has been read: [{"name", "stored_as", "size_bytes"}]
    uploads: models.JSONField[Any, Any] = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.WAITING)
    files_total = models.PositiveIntegerField(default=0)
    files_done = models.PositiveIntegerField(default=0)
    #: [{"file", "message"}] of files that could not be read and results that cannot be right
    refused: models.JSONField[Any, Any] = models.JSONField(default=list)
    submission = models.ForeignKey(Submission, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: the last sign of life of the task that reads it
    touched_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name_plural = "upload batches"
        indexes: ClassVar = [models.Index(fields=["owner", "-created_at"], name="batch_by_owner")]

    def __str__(self) -> str:
        return f"{self.files_total} files, {self.get_state_display().lower()}"


class StatedDefaults(models.Model):
    """What someone last stated for files of one shape; offered for the next one, never applied unseen."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    shape = models.CharField(max_length=40)
    values: models.JSONField[Any, Any] = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "stated defaults"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "shape"], name="one_default_per_shape")]

    def __str__(self) -> str:
        return f"{self.shape} of {self.user_id}"
