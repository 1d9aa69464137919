"""How log records are written."""

import logging
import re

# Control characters from a request could start a line of their own or drive a terminal (log injection).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class OneLineFormatter(logging.Formatter):
    """One record, one line; only a traceback adds lines, each indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        escaped = _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", super().format(record))
        return escaped.replace("\n", "\n    ")
