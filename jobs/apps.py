from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


class JobsConfig(AppConfig):
    name = "jobs"


@register
def known_times(**kwargs: object) -> list[CheckMessage]:
    """A misspelt time would be no time at all."""
    from jobs.times import NAMES

    unknown = [name for name in settings.LEMSITE_JOB_TIMES if name not in NAMES]
    return [
        Error(f"LEMSITE_JOB_TIMES has {name!r}; it may have {', '.join(NAMES)}.", id="jobs.E001") for name in unknown
    ]
