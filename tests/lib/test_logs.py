import logging
import sys

from lemsite.lib.logs import OneLineFormatter


def test_control_characters_cannot_forge_a_line():
    record = logging.LogRecord("site", logging.INFO, "", 0, "name %s", ("x\nERROR forged\r\x1b[2J",), None)

    text = OneLineFormatter().format(record)

    assert "\n    ERROR forged\\x0d\\x1b[2J" in text


def test_a_traceback_is_indented():
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("site", logging.ERROR, "", 0, "failed", (), sys.exc_info())

    lines = OneLineFormatter().format(record).splitlines()

    assert lines[0].endswith("ERROR site failed")
    assert all(line.startswith("    ") for line in lines[1:])
