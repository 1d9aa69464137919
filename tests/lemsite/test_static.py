"""Rules of static files and templates that a reviewer would otherwise have to remember."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = sorted((REPOSITORY / "templates").rglob("*.html"))
STYLES = sorted((STATIC / "css").rglob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
RAW_COLOUR = re.compile(r"#[0-9a-f]{3,8}\b(?!\s*\{)|\b(?:rgb|rgba|hsl|hsla|hwb|lab|lch|oklab|oklch)\(", re.IGNORECASE)
INLINE = {
    "a style attribute": re.compile(r"<[^>]+\sstyle\s*="),
    "a style element": re.compile(r"<style\b"),
    "a script without src": re.compile(r"<script\b(?![^>]*\ssrc=)"),
    "an event handler": re.compile(r"<[^>]+\s(?:on[a-z]+|hx-on[^\s=]*)\s*="),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "the safe filter": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off"),
}


def name_of(path):
    return str(path.relative_to(REPOSITORY))


def sha384(path):
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_vendored_files_are_those_of_the_lock_file():
    lines = (VENDOR / "vendor.lock").read_text().splitlines()
    locked = {name: digest for digest, name in (line.split() for line in lines)}

    present = {path.name: sha384(path) for path in VENDOR.iterdir() if path.name != "vendor.lock"}

    assert present == locked


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_holds_nothing_that_the_policy_refuses_or_that_is_not_escaped(path):
    text = path.read_text(encoding="utf-8")

    found = [what for what, pattern in INLINE.items() if pattern.search(text)]

    assert not found


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_stays_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", [path for path in STYLES if path.name != "tokens.css"], ids=name_of)
def test_colours_are_named_in_tokens_alone(path):
    rules = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert RAW_COLOUR.findall(re.sub(r"url\([^)]*\)", "", rules)) == []


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_sheet_uses_only_tokens_that_exist(path):
    known = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")))

    used = set(re.findall(r"var\((--[a-z0-9-]+)", path.read_text(encoding="utf-8")))

    assert used <= known


def test_every_style_sheet_but_the_admins_is_imported_once():
    imported = re.findall(r'@import url\("([^"]+)"\)', (STATIC / "css" / "site.css").read_text(encoding="utf-8"))

    others = [str(path.relative_to(STATIC / "css")) for path in STYLES if path.name not in ("site.css", "admin.css")]
    assert sorted(imported) == sorted(others)


@pytest.mark.parametrize(("path", "limit"), [*((p, 200) for p in STYLES), *((p, 100) for p in SCRIPTS)])
def test_a_style_sheet_or_script_stays_short(path, limit):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_never_makes_code_or_markup_from_text(path):
    text = path.read_text(encoding="utf-8")

    assert not re.search(
        r"\beval\(|new Function|innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\.style\b", text
    )
