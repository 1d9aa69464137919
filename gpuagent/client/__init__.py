"""A lemsite from Python: `Client` and `AsyncClient` for its API, `Run` to stream a program's progress to it live.

docs/client.md is the guide. Each name is loaded when it is first used: a program that only logs loads no models.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuagent.client.benchmarks import Uploaded
    from gpuagent.client.errors import (
        ApiError,
        BadReply,
        BadRequest,
        Conflict,
        Damaged,
        Forbidden,
        Gone,
        LemError,
        NotConfigured,
        NotFound,
        RateLimited,
        Refused,
        ReplyLost,
        ServerError,
        SiteAway,
        TooLarge,
        Unauthorized,
        WaitedTooLong,
    )
    from gpuagent.client.live import Counts, Gpu, Run, Score, Tick
    from gpuagent.client.sinks import Download
    from gpuagent.client.sites import AsyncClient, Client
    from gpuagent.client.uploads import NothingToSend

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadReply",
    "BadRequest",
    "Client",
    "Conflict",
    "Counts",
    "Damaged",
    "Download",
    "Forbidden",
    "Gone",
    "Gpu",
    "LemError",
    "NotConfigured",
    "NotFound",
    "NothingToSend",
    "RateLimited",
    "Refused",
    "ReplyLost",
    "Run",
    "Score",
    "ServerError",
    "SiteAway",
    "Tick",
    "TooLarge",
    "Unauthorized",
    "Uploaded",
    "WaitedTooLong",
]

#: where what is not an error comes from
_PLACES = dict.fromkeys(("Counts", "Gpu", "Run", "Score", "Tick"), "live") | {
    "AsyncClient": "sites",
    "Client": "sites",
    "Download": "sinks",
    "NothingToSend": "uploads",
    "Uploaded": "benchmarks",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'errors')}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
