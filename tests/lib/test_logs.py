import json
import logging
import sys

import pytest

from lemsite.lib import request_ids
from lemsite.lib.logs import JSONFormatter, OneLineFormatter


@pytest.fixture
def request_id():
    token = request_ids.begin("0123456789abcdef")
    yield "0123456789abcdef"
    request_ids.end(token)


def record_of(message, *arguments, **more):
    record = logging.LogRecord("site", logging.INFO, "", 0, message, arguments, more.pop("exc_info", None))
    record.__dict__.update(more)
    return record


def raised():
    try:
        raise ValueError("broken\x1b[2J")
    except ValueError:
        return sys.exc_info()


def test_control_characters_cannot_forge_a_line():
    text = OneLineFormatter().format(record_of("name %s", "x\nERROR forged\r\x1b[2J"))

    assert "\n    ERROR forged\\x0d\\x1b[2J" in text


def test_a_traceback_is_indented():
    record = logging.LogRecord("site", logging.ERROR, "", 0, "failed", (), raised())

    lines = OneLineFormatter().format(record).splitlines()

    assert lines[0].endswith("ERROR site failed")
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_line_ends_with_the_id_of_its_request(request_id):
    record = logging.LogRecord("site", logging.ERROR, "", 0, "failed", (), raised())

    assert OneLineFormatter().format(record).splitlines()[0].endswith(f"ERROR site failed [{request_id}]")


def test_json_has_what_a_program_asks_for(request_id):
    line = json.loads(JSONFormatter().format(record_of("sent %s to %s", 3, "x", status=200, duration_ms=1.5)))

    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "site",
        "message": "sent 3 to x",
        "request_id": request_id,
        "status": 200,
        "duration_ms": 1.5,
    }


def test_nothing_that_a_record_holds_beside_its_message_gets_into_json():
    line = JSONFormatter().format(record_of("Not Found", request="GET /?token=lem_secret", headers={"cookie": "c"}))

    assert set(json.loads(line)) == {"time", "level", "logger", "message"}


@pytest.mark.parametrize("sign", ["\n", "\r", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ud800"])
def test_no_character_ends_a_line_of_json_or_drives_a_terminal(sign):
    line = JSONFormatter().format(record_of("name %s", f"x{sign}y", exc_info=raised()))

    assert all(" " <= one <= "~" for one in line)
    assert json.loads(line)["message"] == f"name x{sign}y"
    assert "ValueError: broken\x1b[2J" in json.loads(line)["exception"]
