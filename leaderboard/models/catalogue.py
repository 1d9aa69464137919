"""The catalogue: what a result may be about. Unknown names are never guessed, they wait for a moderator."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models

#: the address of a model's page is made of both parts
ORG_AND_NAME = RegexValidator(r"^[^/\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+\Z", "Write it as org/name, with one slash.")
VENDOR_PREFIXES = ("nvidia ", "amd ", "intel ")


def fold_name(name: str) -> str:
    """The form under which names are compared: lower case, single spaces, no vendor in front."""
    folded = " ".join(name.lower().split())
    for prefix in VENDOR_PREFIXES:
        folded = folded.removeprefix(prefix)
    return folded


def fold_gpu_name(name: str) -> str:
    """`fold_name` with dashes and underscores as spaces: the labels of clusters hold none, NVIDIA-H100-80GB-HBM3."""
    return fold_name(name.replace("-", " ").replace("_", " "))


class LanguageModel(models.Model):
    """A language model as published: `org/name`, its size and its licence."""

    name = models.CharField(
        max_length=200, unique=True, validators=[ORG_AND_NAME], help_text="org/name, as on its model card"
    )
    title = models.CharField(max_length=120)
    organisation = models.CharField(max_length=80)
    family = models.CharField(max_length=80, db_index=True)
    parameters_total_b = models.FloatField(null=True, blank=True, help_text="10^9 parameters")
    parameters_active_b = models.FloatField(null=True, blank=True, help_text="10^9 parameters read per token")
    licence = models.CharField(max_length=80, blank=True)
    source_url = models.URLField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["family", "parameters_total_b", "name"]
        verbose_name = "model"

    def __str__(self) -> str:
        return self.name


class Hardware(models.Model):
    """One GPU profile: what it holds, how fast it reads, what it may draw, what an hour of it costs."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120, unique=True)
    vendor = models.CharField(max_length=40)
    architecture = models.CharField(max_length=60, blank=True)
    memory_gb = models.FloatField(null=True, blank=True, help_text="10^9 bytes")
    bandwidth_gb_per_s = models.FloatField(null=True, blank=True)
    fp16_dense_tflops = models.FloatField(null=True, blank=True)
    bf16_dense_tflops = models.FloatField(null=True, blank=True)
    fp8_dense_tflops = models.FloatField(null=True, blank=True)
    fp4_dense_tflops = models.FloatField(null=True, blank=True)
    tdp_w = models.FloatField(null=True, blank=True)
    usd_per_gpu_hour = models.FloatField(null=True, blank=True)
    price_source = models.CharField(max_length=300, blank=True)
    price_date = models.CharField(max_length=20, blank=True)
    note = models.TextField(blank=True)
    sources: models.JSONField[Any, Any] = models.JSONField(
        default=list, help_text='[{"key", "text", "is_found"}]: recalled figures are not found'
    )

    class Meta:
        ordering: ClassVar = ["vendor", "name"]
        verbose_name_plural = "hardware"

    def __str__(self) -> str:
        return self.name


class Backend(models.Model):
    """An inference engine."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80, unique=True)
    url = models.URLField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Alias(models.Model):
    """Another name of a catalogue row, folded by `fold`; unique, so that a name means one thing."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name = self.fold(self.name)
        super().save(*args, **kwargs)

    @staticmethod
    def fold(name: str) -> str:
        return fold_name(name)


class ModelAlias(Alias):
    """A name under which files call a model."""

    target = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="aliases")

    class Meta(Alias.Meta):
        verbose_name_plural = "model aliases"


class HardwareAlias(Alias):
    """A name under which files, NVML or the labels of a cluster call a GPU."""

    target = models.ForeignKey(Hardware, on_delete=models.CASCADE, related_name="aliases")

    class Meta(Alias.Meta):
        verbose_name_plural = "hardware aliases"

    @staticmethod
    def fold(name: str) -> str:
        return fold_gpu_name(name)


class BackendAlias(Alias):
    """A name under which files call a backend."""

    target = models.ForeignKey(Backend, on_delete=models.CASCADE, related_name="aliases")

    class Meta(Alias.Meta):
        verbose_name_plural = "backend aliases"


class UnknownName(models.Model):
    """A name that the catalogue does not know, waiting for a moderator to say what it is."""

    class Kind(models.TextChoices):
        MODEL = "model", "model"
        HARDWARE = "hardware", "hardware"
        BACKEND = "backend", "backend"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200, help_text="folded")
    written_as = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    model = models.ForeignKey(LanguageModel, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hardware = models.ForeignKey(Hardware, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    backend = models.ForeignKey(Backend, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    mapped_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["mapped_at", "-first_seen_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "name"], name="one_unknown_name_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.written_as}"
