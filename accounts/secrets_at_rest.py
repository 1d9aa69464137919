"""Secrets that have to be read again, such as webhook signing keys: encrypted with a key made from SECRET_KEY.

A dump of the database alone shows none of them. SECRET_KEY_FALLBACKS still open what older keys closed.
"""

from __future__ import annotations

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"lemsite secrets at rest"


class Unreadable(Exception):
    """It was encrypted with a key that this site no longer has."""


def encrypt(plain: str) -> str:
    return _box().encrypt(plain.encode()).decode()


def decrypt(text: str) -> str:
    """Raises Unreadable when neither SECRET_KEY nor SECRET_KEY_FALLBACKS fit."""
    try:
        return _box().decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("It was encrypted with another SECRET_KEY.") from error


def _box() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@cache
def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
