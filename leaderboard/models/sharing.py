"""What readers keep and take away: short links, saved comparisons, dumps of all data, weekly digests."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.models import User


class ShortLink(models.Model):
    """A view under a short address: /l/<code>/ leads to `url`, a path of this site with its query."""

    code = models.CharField(max_length=16, primary_key=True)
    url = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code


class SavedComparison(models.Model):
    """A comparison that somebody gave a name."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_comparisons")
    name = models.CharField(max_length=100)
    link = models.ForeignKey(ShortLink, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_saved_comparison_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Dump(models.Model):
    """All public results as one Parquet file, with its data card beside it in storage."""

    #: day of the dump, such as "2026-11-21"; what a citation names
    version = models.CharField(max_length=20, unique=True)
    data_version = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    #: names in storage
    file = models.CharField(max_length=200)
    card = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)
    #: when the Hugging Face dataset had it, and why it has not
    pushed_at = models.DateTimeField(null=True)
    push_error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-version"]

    def __str__(self) -> str:
        return self.version


class WeeklyDigest(models.Model):
    """What one week brought: new results, new best ones, changes. Written once, when the week is over."""

    #: its Monday
    week = models.DateField(unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    content: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        ordering: ClassVar = ["-week"]

    def __str__(self) -> str:
        return f"week of {self.week}"
