"""What an agent is told instead of what it asked for."""

from __future__ import annotations

from typing import Any


class AgentRefused(Exception):
    """An answer of the agent API other than success: a status, a code for programs and a sentence for people.

    `extra` stands beside them in the body, as RFC 9457 allows.
    """

    def __init__(self, status: int, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = extra
