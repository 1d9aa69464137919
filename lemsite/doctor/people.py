"""Who may decide, and how well their accounts are kept."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import check_password

from accounts.models import User
from lemsite.doctor import Ill, Level, check, warn

MANY_SUPERUSERS = 5
#: each costs as much as a sign-in does
TRIED_PASSWORDS = ("admin", "password", "changeme", "lemsite")
MOST_TRIED = 10


@check("superusers")
def superusers() -> Iterator[Ill]:
    count = User.objects.filter(is_superuser=True, is_active=True).count()
    if not count:
        yield warn(
            "There is no superuser.",
            "nobody can make moderators or map unknown names",
            "Run: manage.py createsuperuser",
        )
    if count > MANY_SUPERUSERS:
        yield warn(
            f"{count} people are superusers.",
            "each of their passwords opens everything",
            "Take the flag from those who only moderate: they need the permission 'Can review submissions'.",
        )


@check("second_factor")
def second_factor() -> Iterator[Ill]:
    have = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user")
    without = User.objects.filter(is_staff=True, is_active=True).exclude(pk__in=have)
    names = list(without.order_by("username").values_list("username", flat=True)[:5])
    if names and settings.PRODUCTION:
        yield Ill(
            f"Staff without a second factor: {', '.join(names)}.",
            "a stolen password opens the admin"
            if not settings.ADMIN_REQUIRE_2FA
            else "they cannot open the admin until they have one",
            "Ask them to set one up under Account, Security.",
            Level.WARNING if settings.ADMIN_REQUIRE_2FA else Level.ERROR,
        )


@check("weak_passwords", is_slow=True)
def weak_passwords() -> Iterator[Ill]:
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("-is_superuser", "pk")
    for user in staff[:MOST_TRIED]:
        if any(check_password(guess, user.password) for guess in (user.username, *TRIED_PASSWORDS)):
            yield Ill(
                f"The password of {user.username} is one that everybody tries first.",
                "anyone can open the admin",
                f"Run: manage.py changepassword {user.username}",
                Level.ERROR if settings.PRODUCTION else Level.WARNING,
            )
