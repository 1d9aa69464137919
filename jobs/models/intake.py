"""What comes in from a host while an attempt runs: its log, events, telemetry and files."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from jobs.models.attempt import Attempt


class LogChunk(models.Model):
    """A stretch of the log's bytes. Chunks follow one another without gap or overlap."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="log_chunks")
    start = models.PositiveBigIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["start"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "start"], name="one_chunk_per_start")]

    def __str__(self) -> str:
        return f"{self.attempt_id} from {self.start}"


class AttemptEvent(models.Model):
    """Something that the executor told: a step began or ended, a race lane ticked."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    #: seconds since the start, on the host's monotonic clock
    t_s = models.FloatField()
    type = models.CharField(max_length=20)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "seq"], name="one_event_per_number")]

    def __str__(self) -> str:
        return f"{self.attempt_id} {self.seq}"


class TelemetryBatch(models.Model):
    """Samples of the GPUs at one a second, in columns; null where the driver could not say."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="telemetry")
    first_seq = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    #: {"t": [s], "gpu": [{"uuid", "power_w", "energy_mj", "util", "mem_mib", "temp_c", "clock_mhz", "reasons"}]}
    columns: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        ordering: ClassVar = ["first_seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "first_seq"], name="one_batch_per_first_sample")
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} from {self.first_seq}"


class Artifact(models.Model):
    """A file that an attempt made. It lies in the storage under its hash once all of it has come and is what it was
    said to be; until then in pieces."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=300)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    received_bytes = models.PositiveBigIntegerField(default=0)
    completed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "name"], name="one_artifact_per_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def storage_name(self) -> str:
        """Where the whole file lies."""
        return f"artifacts/{self.sha256[:2]}/{self.sha256}"

    def piece_name(self, offset: int) -> str:
        return f"artifacts/pieces/{self.pk}/{offset:015d}"
