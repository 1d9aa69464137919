"""The order of version numbers, where text would put 0.10 before 0.9."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\d+|[a-z]+")
#: what stands before the release, in this order, and what after it; any other word counts as before
_WORDS = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "pre": -1, "post": 1, "r": 1}
_UNKNOWN_WORD, _RELEASE, _NUMBER = -5, 0, 2

Key = tuple[tuple[tuple[int, int], ...], str]


def version_key(version: str) -> Key:
    """What versions are sorted by: numbers as numbers, 0.6.0rc1 before 0.6.0, 0.6.0.post1 after it.

    What follows a plus sign says how it was built and decides only between equals; so does the text itself.
    """
    public = version.strip().lower().partition("+")[0].removeprefix("v")
    parts = [_part(text) for text in _PARTS.findall(public)]
    release = next((place for place, (kind, _) in enumerate(parts) if kind != _NUMBER), len(parts))
    while release and parts[release - 1] == (_NUMBER, 0):
        # 0.6 and 0.6.0 are one release.
        del parts[release - 1]
        release -= 1
    return (*parts, (_RELEASE, 0)), version


def _part(text: str) -> tuple[int, int]:
    if text.isdigit():
        return _NUMBER, int(text[:18])
    return _WORDS.get(text, _UNKNOWN_WORD), 0
