"""Autoescaping is never switched off: only what lemsite.lib.markdown and nh3 have written counts as safe HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("lemsite", "accounts", "leaderboard", "runs", "jobs")
ALLOWED = Path("lemsite/lib/markdown.py")
IN_CODE = re.compile(r"\bmark_safe\b|\bSafeString\(|\bSafeText\b|\bhtml_safe\b|__html__|autoescape")
IN_TEMPLATES = re.compile(r"\|\s*safe(seq)?\b|{%\s*autoescape|{%\s*filter\s")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_code_marks_text_as_safe_html(package):
    files = [path for path in (REPOSITORY / package).rglob("*.py") if path.relative_to(REPOSITORY) != ALLOWED]

    assert [str(path) for path in files if IN_CODE.search(path.read_text(encoding="utf-8"))] == []


def test_markdown_marks_its_html_as_safe_once():
    assert (REPOSITORY / ALLOWED).read_text(encoding="utf-8").count("mark_safe(") == 1


def test_no_template_marks_text_as_safe_html():
    files = list((REPOSITORY / "templates").rglob("*.html"))

    assert files
    assert [str(path) for path in files if IN_TEMPLATES.search(path.read_text(encoding="utf-8"))] == []
