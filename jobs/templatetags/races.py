"""The next race, for pages of apps that do not know of races."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from jobs.presenting.races import next_race_banner
from jobs.queries.races import next_race

register = template.Library()


@register.inclusion_tag("jobs/_next_race.html")
def next_race_note() -> dict[str, Any]:
    """Nothing where no race is ahead."""
    now = timezone.now()
    race = next_race(now)
    return {"race": next_race_banner(race, now) if race else None}
