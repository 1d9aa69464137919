"""docs/security.md, read back: every test that its tables name is there, and every line names one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
CHECKLIST = DOCUMENT.split("## The checklist")[1].split("\n## ")[0]
LINES = [line for line in CHECKLIST.splitlines() if line.startswith("| ") and not line.startswith(("| rule", "| ---"))]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("line", LINES, ids=lambda line: re.sub(r"\W+", "-", line)[1:40])
def test_every_line_names_a_test_that_is_there(line):
    named = NAMED.findall(line.split(" | ")[2])

    assert named
    for path, test in named:
        assert (REPOSITORY / path).is_file(), path
        assert not test or test in names_in(path), f"{path}::{test}"


def test_every_place_that_is_named_is_there():
    places = {place for line in LINES for place in re.findall(r"`([a-z_]+/[\w/.]+)`", line.split(" | ")[1])}

    assert places
    assert [place for place in places if not (REPOSITORY / place).exists()] == []
