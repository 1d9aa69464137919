from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class LemsiteConfig(AppConfig):
    name = "lemsite"

    def ready(self) -> None:
        post_migrate.connect(_ensure_schedules, sender=self)
        from lemsite.observing import task_ids

        task_ids.connect()
        # Imported only where they are set: each of them makes every start longer.
        if settings.SENTRY_DSN:
            from lemsite.observing import errors_elsewhere

            errors_elsewhere.start()
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            from lemsite.observing import tracing

            tracing.start()


def _ensure_schedules(using: str, **kwargs: Any) -> None:
    # Here, because the task knows all apps, which are not loaded yet when this one is.
    from lemsite.tasks import ensure_schedules

    ensure_schedules(using)
