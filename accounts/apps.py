from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import receivers  # noqa: F401 - connects them
        from accounts.api import schema  # noqa: F401  drf-spectacular finds extensions by import

        post_migrate.connect(_ensure_schedules, sender=self)


def _ensure_schedules(using: str, **kwargs: Any) -> None:
    # Here, because models cannot be imported before all apps are ready.
    from accounts.tasks import ensure_schedules

    ensure_schedules(using)
