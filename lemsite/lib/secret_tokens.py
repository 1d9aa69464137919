"""Secrets for machines: a prefix that says what for, 30 random characters, and a checksum of six.

Whatever is mistyped, cut off or made up is refused without asking the database, and secret scanners can find the rest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARACTERS = 30
CHECK_CHARACTERS = 6
#: how much of a secret is shown, so that people can tell them apart
SHOWN_CHARACTERS = 8

_SHAPE = re.compile(rf"([a-z]{{3}})_[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECK_CHARACTERS}}}", re.ASCII)


def make(prefix: str) -> str:
    """A fresh secret with 178 random bits."""
    body = f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return body + _checksum(body)


def is_well_formed(plain: str, prefix: str) -> bool:
    """Whether this may be a secret of that kind; says nothing of whether it opens a door."""
    match = _SHAPE.fullmatch(plain)
    if match is None or match[1] != prefix:
        return False
    return secrets.compare_digest(plain[-CHECK_CHARACTERS:], _checksum(plain[:-CHECK_CHARACTERS]))


def hash_secret(plain: str) -> str:
    """What is kept of a secret. With so many random bits a plain hash is as good as a slow one."""
    return hashlib.sha256(plain.encode()).hexdigest()


def shown(plain: str) -> str:
    return plain[:SHOWN_CHARACTERS]


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
