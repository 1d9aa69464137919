"""What a person sets for themselves: the name shown, which e-mails they get, and their own prices and grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from accounts.models import NotificationKind, Preferences, User
from accounts.names import clean_display_name

PRICES = ("usd_per_gpu_hour", "usd_per_kwh", "pue", "co2_g_per_kwh")


def preferences_of(user: User) -> Preferences:
    """Theirs, or what holds for who has set nothing."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


@transaction.atomic
def save_settings(
    *, user: User, display_name: str, emails: Iterable[str], prices: Mapping[str, float | None]
) -> Preferences:
    """Keep the settings; `emails` are the kinds that are wanted. Raises ValidationError for a name that is not right.

    A kind that comes into being later is sent until it is muted.
    """
    user.display_name = clean_display_name(display_name)
    user.save(update_fields=["display_name"])
    wanted = set(emails)
    values = {name: prices.get(name) for name in PRICES}
    muted = [kind.value for kind in NotificationKind if kind.value not in wanted]
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults={**values, "muted_emails": muted})
    return preferences
