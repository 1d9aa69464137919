"""What the site remembers of its own running, where it belongs to none of its apps."""

from __future__ import annotations

from django.db import models


class Backup(models.Model):
    """The last backup that was made whole: one row, written anew by each."""

    #: the moment that was saved; what came later is not in it
    made_at = models.DateTimeField()
    folder = models.CharField(max_length=1000)
    #: database and files together
    size_bytes = models.PositiveBigIntegerField()
    was_read_back = models.BooleanField()

    def __str__(self) -> str:
        return f"backup of {self.made_at:%Y-%m-%d %H:%M} UTC"
