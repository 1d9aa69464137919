"""What people may be called: user names are for addresses and mentions, the name shown is for reading."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator

MAX_USERNAME = 39
MAX_DISPLAY_NAME = 80
NAME_TAKEN = "This name is taken. Choose another one."
#: the row of a deleted account is called so
DELETED_PREFIX = "deleted-"
#: paths of the API, or words that would speak for the site
RESERVED = frozenset({
    "admin", "administrator", "anonymous", "api", "lemsite", "me", "moderator", "moderators", "nobody", "root",
    "security", "staff", "support", "system",
})  # fmt: skip
#: as a word of any name: only the site says who decides here
OFFICIAL = frozenset({"admin", "administrator", "lemsite", "moderator", "moderators"})
#: letters and marks by their kind, and nothing to the eye
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def refuse_reserved(name: str) -> None:
    if speaks_for_site(name) or name.lower() in RESERVED or name.lower().startswith(DELETED_PREFIX):
        raise ValidationError(f"The name {name} is reserved. Choose another one.", code="reserved")


def speaks_for_site(name: str) -> bool:
    return not OFFICIAL.isdisjoint(re.split(r"[\W_]+", name.casefold()))


#: ASCII, so that no name can be drawn to look like another one
USERNAME_VALIDATORS = [
    RegexValidator(
        r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z",
        "Use letters A to Z, digits, and . _ - between them.",
    ),
    MaxLengthValidator(MAX_USERNAME),
    refuse_reserved,
]


def clean_display_name(text: str) -> str:
    """The name as it is kept: NFKC, single spaces. Raises ValidationError for what cannot be seen, turns text, or
    pretends to speak for the site.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co") or each in UNSEEN for each in name):
        raise ValidationError("Leave out control, invisible and text-direction characters.", code="hidden")
    if len(name) > MAX_DISPLAY_NAME:
        raise ValidationError(f"Use at most {MAX_DISPLAY_NAME} characters.", code="long")
    if speaks_for_site(name):
        raise ValidationError("Choose a name that does not sound like the site or its moderators.", code="reserved")
    return name
