from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsConfig(AppConfig):
    name = "runs"

    def ready(self) -> None:
        post_migrate.connect(_ensure_schedules, sender=self)


def _ensure_schedules(using: str, **kwargs: Any) -> None:
    # Here, because the tasks bring numpy along, and most commands need neither.
    from runs.tasks import ensure_schedules

    ensure_schedules(using)
