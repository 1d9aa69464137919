"""Results: one measured configuration each, every metric a column of its own."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from leaderboard.metrics import RANKED
from leaderboard.models.catalogue import Backend, Hardware, LanguageModel
from leaderboard.models.submission import Submission


class Trust(models.IntegerChoices):
    """How much stands behind a result; a greater number is more. See docs/checks.md."""

    DRAFT = 0, "Draft"
    SELF_REPORTED = 10, "Self-reported"
    PUBLISHED = 20, "Published"
    CHECKS_PASSED = 30, "Checks passed"
    RUN_HERE = 40, "Run here"
    REPRODUCED = 50, "Reproduced"

    @property
    def code(self) -> str:
        return TRUST_CODES[self]

    @classmethod
    def from_code(cls, code: str) -> Trust:
        """Raises KeyError for anything but T0 to T4 and Published, in any case."""
        return _TRUST_BY_CODE[code.lower()]


TRUST_CODES: dict[int, str] = {0: "T0", 10: "T1", 20: "Published", 30: "T2", 40: "T3", 50: "T4"}
_TRUST_BY_CODE = {code.lower(): Trust(value) for value, code in TRUST_CODES.items()}


class Metrics(models.Model):
    """The measured figures that a result and each of its cycles share. Units are in the names."""

    output_tokens = models.BigIntegerField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    duration_s = models.FloatField(null=True)
    throughput_tokens_per_s = models.FloatField(null=True)
    total_throughput_tokens_per_s = models.FloatField(null=True)
    requests_per_s = models.FloatField(null=True)
    total_energy_j = models.FloatField(null=True)
    #: by the host's own sampling of its GPUs, beside what the tool says; only jobs of this site have it
    host_energy_j = models.FloatField(null=True)
    adjusted_energy_j = models.FloatField(null=True)
    energy_per_output_token_j = models.FloatField(null=True)
    energy_per_total_token_j = models.FloatField(null=True)
    tokens_per_joule = models.FloatField(null=True)
    total_tokens_per_joule = models.FloatField(null=True)
    avg_power_w = models.FloatField(null=True)
    idle_power_w = models.FloatField(null=True)
    flops_per_second = models.FloatField(null=True)
    peak_memory_mb = models.FloatField(null=True)
    peak_memory_total_mb = models.FloatField(null=True)
    ttft_ms_mean = models.FloatField(null=True)
    ttft_ms_p50 = models.FloatField(null=True)
    ttft_ms_p90 = models.FloatField(null=True)
    ttft_ms_p95 = models.FloatField(null=True)
    ttft_ms_p99 = models.FloatField(null=True)
    itl_ms_mean = models.FloatField(null=True)
    itl_ms_p50 = models.FloatField(null=True)
    itl_ms_p90 = models.FloatField(null=True)
    itl_ms_p95 = models.FloatField(null=True)
    itl_ms_p99 = models.FloatField(null=True)
    tpot_ms_mean = models.FloatField(null=True)
    tpot_ms_p50 = models.FloatField(null=True)
    tpot_ms_p90 = models.FloatField(null=True)
    tpot_ms_p95 = models.FloatField(null=True)
    tpot_ms_p99 = models.FloatField(null=True)
    e2e_ms_mean = models.FloatField(null=True)
    e2e_ms_p50 = models.FloatField(null=True)
    e2e_ms_p90 = models.FloatField(null=True)
    e2e_ms_p95 = models.FloatField(null=True)
    e2e_ms_p99 = models.FloatField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class ResultQuerySet(models.QuerySet["Result"]):
    def ranked(self) -> ResultQuerySet:
        return self.filter(is_ranked=True)

    def visible_to(self, user: User | AnonymousUser) -> ResultQuerySet:
        return self.filter(submission__in=Submission.objects.visible_to(user))


#: what facets filter by and count, from the columns of a group on
FACET_COLUMNS = (
    "model", "hardware", "gpu_count", "energy_scope", "backend", "precision", "batch_size", "trust",
    "is_ranked",  # always true here, but without it SQLite does not see that the index has all that is asked
)  # fmt: skip


def sort_indexes(metric: str) -> tuple[models.Index, ...]:
    """What a table sorted by `metric` walks, from the best or the worst result on.

    A filter may be met by few rows far from the top, so the first index holds the facets too and the walk never
    leaves it. The rows of one model or one GPU lie closest together, and are asked for most: they have their own.
    """
    present = models.Q(("is_ranked", True), (f"{metric}__isnull", False))
    return (
        models.Index(fields=[metric, "id", *FACET_COLUMNS], name=f"by_{metric}"[:30], condition=present),
        models.Index(fields=["model", metric, "id"], name=f"model_by_{metric}"[:30], condition=present),
        models.Index(fields=["hardware", metric, "id"], name=f"gpu_by_{metric}"[:30], condition=present),
    )


class Result(Metrics):
    """One measured configuration: the mean over its cycles. What a table ranks is a Result.

    `is_ranked` is true while the result is public, mapped and unblocked; ranking.py keeps it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveIntegerField(default=0, help_text="order within the submission")

    model = models.ForeignKey(
        LanguageModel, null=True, on_delete=models.PROTECT, related_name="results", db_index=False
    )
    model_name = models.CharField(max_length=200, blank=True)
    hardware = models.ForeignKey(Hardware, null=True, on_delete=models.PROTECT, related_name="results", db_index=False)
    hardware_name = models.CharField(max_length=200, blank=True)
    backend = models.ForeignKey(Backend, null=True, on_delete=models.PROTECT, related_name="results", db_index=False)
    backend_name = models.CharField(max_length=80, blank=True)
    backend_version = models.CharField(max_length=80, blank=True)
    gpu_count = models.PositiveIntegerField(null=True)
    precision = models.CharField(max_length=10, blank=True)
    batch_size = models.PositiveIntegerField(null=True)
    concurrency = models.PositiveIntegerField(null=True)
    request_rate_per_s = models.FloatField(null=True)
    tensor_parallel = models.PositiveIntegerField(null=True)
    pipeline_parallel = models.PositiveIntegerField(null=True)
    dataset = models.CharField(max_length=200, blank=True)
    max_input_tokens = models.PositiveIntegerField(null=True)
    max_output_tokens = models.PositiveIntegerField(null=True)
    requests = models.PositiveIntegerField(null=True)
    success_rate = models.FloatField(null=True)
    power_limit_w = models.FloatField(null=True)
    prefix_caching = models.BooleanField(null=True)
    speculative_decoding = models.BooleanField(null=True)
    tool = models.CharField(max_length=80, blank=True)
    tool_version = models.CharField(max_length=80, blank=True)
    config_hash = models.CharField(max_length=80, blank=True)
    energy_scope = models.CharField(max_length=10, blank=True)
    energy_method = models.CharField(max_length=20, blank=True)
    quality_composite = models.FloatField(null=True)
    runs = models.PositiveIntegerField(null=True)
    #: seconds of one GPU per 10^6 output tokens: any $/GPU-hour turns it into a price
    gpu_seconds_per_million_tokens = models.FloatField(null=True)
    #: at the catalogue's $/GPU-hour
    cost_per_million_tokens_usd = models.FloatField(null=True)

    trust = models.PositiveSmallIntegerField(choices=Trust, default=Trust.DRAFT)
    is_ranked = models.BooleanField(default=False)
    #: equal identities are the same measurement given twice
    identity = models.CharField(max_length=64, blank=True, db_index=True)

    #: field -> file, computed or stated; a field that is not there is missing
    origins: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: field -> one sentence on how it was derived or why it is missing
    notes: models.JSONField[Any, Any] = models.JSONField(default=dict)
    #: metric -> {"n", "mean", "sd", "ci95_low", "ci95_high", "cv"} over the cycles
    statistics: models.JSONField[Any, Any] = models.JSONField(default=dict)
    config: models.JSONField[Any, Any] = models.JSONField(default=dict)
    environment: models.JSONField[Any, Any] = models.JSONField(default=dict)
    warnings: models.JSONField[Any, Any] = models.JSONField(default=list)
    file = models.CharField(max_length=300, blank=True)

    source_name = models.CharField(max_length=500, blank=True)
    source_url = models.URLField(max_length=500, blank=True)
    source_date = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ResultQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["submission", "position"]
        indexes: ClassVar = [
            models.Index(fields=["submission", "position"], name="result_in_submission"),
            # Facets are counted, and the results of one group compared, without reading the wide rows.
            models.Index(fields=FACET_COLUMNS, name="result_facets", condition=models.Q(is_ranked=True)),
            *(index for metric in RANKED for index in sort_indexes(metric)),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} on {self.gpu_count or '?'} x {self.hardware_name}"


class Measurement(Metrics):
    """One cycle of a result: one independent repeat of the same configuration."""

    result = models.ForeignKey(Result, on_delete=models.CASCADE, related_name="measurements")
    cycle = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["cycle"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["result", "cycle"], name="one_measurement_per_cycle")]

    def __str__(self) -> str:
        return f"cycle {self.cycle}"


class Finding(models.Model):
    """What one check of a check set found on a result."""

    class Severity(models.TextChoices):
        BLOCK = "B", "Blocks ranking"
        REVIEW = "R", "For a moderator"
        WARN = "W", "Warning"

    result = models.ForeignKey(Result, on_delete=models.CASCADE, related_name="findings")
    code = models.CharField(max_length=10)
    severity = models.CharField(max_length=1, choices=Severity)
    observed = models.CharField(max_length=200)
    limit = models.CharField(max_length=200)
    message = models.TextField()
    field = models.CharField(max_length=60, blank=True)
    check_set = models.CharField(max_length=20)

    class Meta:
        ordering: ClassVar = ["severity", "code"]

    def __str__(self) -> str:
        return f"{self.code} ({self.severity})"
