"""The end of a log as plain text, for whoever has no script; scripts draw its colours from the bytes."""

from __future__ import annotations

import re

#: escape sequences: CSI (colours, cursor), OSC (titles, links), and single ones
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[@-Z\\^_]|[ -/][0-~])")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def plain_text(content: bytes) -> str:
    """Without colours and control characters; a line that was written over shows what stood last."""
    text = ESCAPES.sub("", content.decode("utf-8", "replace")).replace("\r\n", "\n")
    return CONTROLS.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")))


def tail_text(content: bytes, *, is_whole: bool) -> str:
    """Of a log that begins earlier, from the first whole line on."""
    return plain_text(content if is_whole else content.partition(b"\n")[2])
