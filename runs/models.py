from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from leaderboard.models import Hardware

MAX_KEY = 200


class RunStatus(models.TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class RunQuerySet(models.QuerySet["Run"]):
    def real(self) -> RunQuerySet:
        return self.filter(is_simulated=False)

    def open(self) -> RunQuerySet:
        return self.filter(ended_at=None)


class Run(models.Model):
    """A live session: lanes that stream events in, then a record to look at and to replay."""

    key = models.CharField(max_length=MAX_KEY, unique=True, help_text="the sender's own id")
    label = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.RUNNING)
    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, db_index=True)
    models_named: models.JSONField[Any, Any] = models.JSONField(default=list, db_column="models")
    is_simulated = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="runs")
    #: the greatest seq given to an event; grows under this row's lock, so that seq order is commit order
    last_seq = models.BigIntegerField(default=0)
    last_event_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: events up to this seq are in the Parquet file, the rest in the table
    sealed_seq = models.BigIntegerField(default=0)
    sealed_at = models.DateTimeField(null=True)
    event_count = models.BigIntegerField(default=0)
    #: the closing state of every lane
    snapshot: models.JSONField[Any, Any] = models.JSONField(default=dict)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-started_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["-started_at", "-id"], name="run_newest")]

    def __str__(self) -> str:
        return self.label or self.key


class Lane(models.Model):
    """One GPU or group of GPUs of a run, and what an hour of it costs."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="lanes")
    name = models.CharField(max_length=MAX_KEY, help_text="the gpuId of its events")
    type = models.CharField(max_length=MAX_KEY, blank=True)
    vram_gb = models.FloatField(null=True)
    cost_per_hour_usd = models.FloatField(null=True)
    position = models.PositiveIntegerField(default=0)
    hardware = models.ForeignKey(Hardware, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "name"], name="one_lane_per_name")]

    def __str__(self) -> str:
        return self.name


class ProgressEvent(models.Model):
    """One tick of one lane, kept as the text that readers get.

    The foreign key has no database constraint: checking it costs a quarter of the ingest rate, and the writer makes
    the run in the same transaction.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_constraint=False, db_index=False)
    seq = models.BigIntegerField(help_text="order of commit within the run")
    ts = models.DateTimeField()
    gpu_id = models.CharField(max_length=MAX_KEY)
    #: the sender's id, which makes sending again harmless
    event_id = models.CharField(max_length=MAX_KEY, null=True)  # noqa: DJ001 - NULLs are not equal, "" would be
    body = models.TextField()

    class Meta:
        ordering: ClassVar = ["seq"]
        indexes: ClassVar = [models.Index(fields=["run", "ts", "seq"], name="event_by_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "seq"], name="one_event_per_seq"),
            models.UniqueConstraint(fields=["run", "event_id"], name="one_event_per_event_id"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.seq}"


class EvalScore(models.Model):
    """How well one model did on one test case of one use case."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    model = models.CharField(max_length=MAX_KEY)
    use_case = models.CharField(max_length=MAX_KEY)
    test_case_id = models.CharField(max_length=MAX_KEY)
    composite = models.FloatField()
    correctness = models.FloatField()
    completeness = models.FloatField()
    format_quality = models.FloatField()
    conciseness = models.FloatField()
    tok_per_s = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["model", "use_case", "test_case_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "model", "use_case", "test_case_id"], name="one_score_per_test_case")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.use_case} {self.test_case_id}"
