"""Comparisons that people keep on their account, under a name and with a short link."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.models import User
from leaderboard.models import SavedComparison
from leaderboard.services.short_links import NotAPageToLinkTo, short_link

MAX_SAVED = 200
MAX_NAME = 100


class ComparisonRefused(ValueError):
    """It cannot be saved or named so; the message says why."""


@transaction.atomic
def save_comparison(*, owner: User, name: str, url: str) -> SavedComparison:
    """Keep the comparison at `url`, a path of this site with its query."""
    name = clean_name(name)
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if SavedComparison.objects.filter(owner=owner).count() >= MAX_SAVED:
        raise ComparisonRefused(f"You keep {MAX_SAVED} comparisons, the most there can be. Delete one first.")
    try:
        link = short_link(url)
    except NotAPageToLinkTo as error:
        raise ComparisonRefused(str(error)) from None
    if SavedComparison.objects.filter(owner=owner, name=name).exists():
        raise _taken(name)
    return SavedComparison.objects.create(owner=owner, name=name, link=link)


def rename_comparison(*, comparison: SavedComparison, name: str) -> None:
    comparison.name = clean_name(name)
    try:
        with transaction.atomic():
            comparison.save(update_fields=["name"])
    except IntegrityError:
        raise _taken(comparison.name) from None


def delete_comparison(*, comparison: SavedComparison) -> None:
    """Its short link stays: others may have it."""
    comparison.delete()


def clean_name(name: str) -> str:
    """On one line, without control characters. Raises ComparisonRefused."""
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not 1 <= len(cleaned) <= MAX_NAME:
        raise ComparisonRefused(f"A name has 1 to {MAX_NAME} characters.")
    return cleaned


def _taken(name: str) -> ComparisonRefused:
    return ComparisonRefused(f"You have a comparison named “{name}” already. Choose another name.")
