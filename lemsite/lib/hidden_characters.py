"""Characters that a reader can't see and that change what a text seems to say."""

from __future__ import annotations

import re
import unicodedata

#: controls but line break and tab, lone surrogates, and what turns the direction of the text around it
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def hidden_character(text: str) -> str:
    """The first hidden character as people write it, such as "U+202E RIGHT-TO-LEFT OVERRIDE"; "" if there is none."""
    found = HIDDEN.search(text)
    if found is None:
        return ""
    return f"U+{ord(found[0]):04X} {unicodedata.name(found[0], '')}".strip()


def shown_characters(text: str) -> str:
    """The text with a visible mark in place of each hidden character."""
    return HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def is_blank(text: str) -> bool:
    """True for a text in which nothing can be seen: spaces, separators and format characters such as U+200B."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)
