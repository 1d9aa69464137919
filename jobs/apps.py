from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        # Here, because models cannot be imported before all apps are ready.
        from jobs.presenting.failures import job_failures
        from jobs.queries.failures import failed_mark
        from jobs.services.recorded import traces_of_job
        from leaderboard.queries.failures import Source, register_failures
        from leaderboard.services.recorded import register_recorder

        post_migrate.connect(_ensure_schedules, sender=self)
        register_failures("jobs", Source(job_failures, failed_mark))
        register_recorder("jobs", traces_of_job)


def _ensure_schedules(using: str, **kwargs: Any) -> None:
    # Here, because models cannot be imported before all apps are ready.
    from jobs.tasks import ensure_schedules

    ensure_schedules(using)


@register
def known_times(**kwargs: object) -> list[CheckMessage]:
    """A misspelt time would be no time at all."""
    from jobs.times import NAMES

    unknown = [name for name in settings.LEMSITE_JOB_TIMES if name not in NAMES]
    return [
        Error(f"LEMSITE_JOB_TIMES has {name!r}; it may have {', '.join(NAMES)}.", id="jobs.E001") for name in unknown
    ]
