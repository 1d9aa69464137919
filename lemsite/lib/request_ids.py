"""The id of the request that is being answered: in every log record, in the response, on error pages."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar, Token

HEADER = "X-Request-ID"
#: what a proxy may name a request; anything else gets an id of ours
_SANE = re.compile(r"[A-Za-z0-9_-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Empty where no request, and no task of one, is being worked on."""
    return _current.get()


def new() -> str:
    return secrets.token_hex(8)


def sane(given: str) -> str:
    """The id as given, or a new one where it is none."""
    return given if _SANE.fullmatch(given) else new()


def begin(request_id: str) -> Token[str]:
    return _current.set(request_id)


def end(token: Token[str]) -> None:
    _current.reset(token)
