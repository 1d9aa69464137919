"""No name pretends to be the site, a moderator or nobody."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.names import clean_display_name, refuse_reserved


@pytest.mark.parametrize(
    "name",
    [
        "lemsite moderator", "Moderator", "The Moderators", "ＡＤＭＩＮ", "lemsite", "Ada (admin)", "moderator_7",
        "Ada\u202e", "A\u200bda", "\u3164", "Ada\u2800", "\ufeffAda",
    ],
    ids=[
        "both", "alone", "many", "full width", "the site", "in brackets", "joined", "turned", "zero width", "filler",
        "blank", "mark",
    ],
)  # fmt: skip
def test_a_shown_name_that_pretends_or_hides_is_refused(name):
    with pytest.raises(ValidationError):
        clean_display_name(name)


@pytest.mark.parametrize("name", ["Ada Lovelace", "Radmin Novak", "Moderato", "Support Crew", "李明"], ids=range(5))
def test_plain_shown_names_are_taken(name):
    assert clean_display_name(name) == name


@pytest.mark.parametrize("name", ["lemsite-moderator", "the.admin", "Moderator_1"])
def test_a_user_name_that_pretends_is_refused(name):
    with pytest.raises(ValidationError):
        refuse_reserved(name)
