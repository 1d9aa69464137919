"""How log records are written: a line each, for people, or a JSON object each, for programs."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from lemsite.lib import request_ids

# Control characters from a request could start a line of their own or drive a terminal (log injection).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: figures of an access line, which programs want apart
ACCESS_FIELDS = ("method", "route", "status", "duration_ms", "user_id")


class OneLineFormatter(logging.Formatter):
    """One record, one line; only a traceback adds lines, each indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        request_id = request_ids.current()
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")

    def format(self, record: logging.LogRecord) -> str:
        escaped = _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", super().format(record))
        return escaped.replace("\n", "\n    ")


class JSONFormatter(logging.Formatter):
    """One record, one line of JSON in ASCII: no character of a message can end it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := request_ids.current():
            line["request_id"] = request_id
        line |= {name: value for name in ACCESS_FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str).replace("\x7f", "\\u007f")
