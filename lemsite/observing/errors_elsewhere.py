"""Errors to Sentry, or what speaks its protocol, without anything that a visitor sent or a secret that was at hand.

They are taken from the log, where every error stands already: nothing of a request is ever collected.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from lemsite import __version__
from lemsite.lib import request_ids
from lemsite.observing.middleware import route_of

#: tokens of this site, of webhooks and of the hub, wherever a message repeats one
_SECRETS = re.compile(r"\b(?:lem|bmu|gpa|gpe|whsec|hf)_[A-Za-z0-9_+/=-]{8,}|\bBearer\s+\S+", re.IGNORECASE)
#: what comes after a question mark, and credentials before a host
_IN_URLS = re.compile(r"(?<=\?)[^\s\"']+|(?<=://)[^/\s@]+@")
WITHOUT = ("breadcrumbs", "contexts", "extra", "modules", "request", "server_name", "user")
#: its messages end with the path, which may hold a secret
OF_REQUESTS = "django.request"


def start() -> None:
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=__version__,
        environment="production" if settings.PRODUCTION else "development",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        before_send=strip,
        shutdown_timeout=2,
    )


def strip(event: Any, hint: Any) -> Any:
    """What is left: the exception, its stack with file and line, the route, the request's id."""
    for name in WITHOUT:
        event.pop(name, None)
    record: logging.LogRecord | None = hint.get("log_record")
    request = getattr(record, "request", None)
    if isinstance(request, HttpRequest):
        event["transaction"] = route_of(request)
    event["tags"] = {"request_id": request_ids.current()}
    entry = event.get("logentry") or {}
    message = scrub(str(entry.get("formatted") or entry.get("message") or ""))
    event["logentry"] = {"message": "A request failed" if event.get("logger") == OF_REQUESTS else message}
    for exception in (event.get("exception") or {}).get("values", []):
        exception["value"] = scrub(exception.get("value") or "")
        for frame in (exception.get("stacktrace") or {}).get("frames", []):
            frame.pop("vars", None)
    return event


def scrub(text: str) -> str:
    return _IN_URLS.sub("[removed]", _SECRETS.sub("[removed]", text))
