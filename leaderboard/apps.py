from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    verbose_name = "Leaderboard"

    def ready(self) -> None:
        from leaderboard import receivers  # noqa: F401 - connects them

        post_migrate.connect(_ensure_schedules, sender=self)


def _ensure_schedules(using: str, **kwargs: Any) -> None:
    # Here, because models cannot be imported before all apps are ready.
    from leaderboard.tasks import ensure_schedules

    ensure_schedules(using)
