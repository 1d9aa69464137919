"""What the documentation names is there: files, headings, pages, commands, settings, measurements."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "gpuagent" / "README.md"])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
#: a path of the site in backticks, without a placeholder: `/jobs/new/`
SITE_PATH = re.compile(r"`(?:GET |POST |PATCH |DELETE )?(/[a-z0-9/._-]+)(?:\?[^`]*)?`")
#: paths of a host's own disk, of other sites, or of ASGI applications that Django's resolver does not know
OTHER_PATHS = re.compile(r"^/(etc|var|opt|srv|dev|tmp|run|usr|proc|ws|static|api/ingest|api/agents?|home|v1)\b")


def names():
    return [str(page.relative_to(ROOT)) for page in PAGES]


def text(name):
    return (ROOT / name).read_text()


def anchors(path):
    """Headings as GitHub makes them addresses: lower case, punctuation gone, blanks to hyphens."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", names())
def test_links_lead_somewhere(name):
    broken = []
    for target in (first or second for first, second in LINK.findall(FENCE.sub("", text(name)))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = unquote(target).partition("#")
        path = ((ROOT / name).parent / file).resolve() if file else ROOT / name
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("name", names())
def test_paths_of_the_site_are_served(name):
    unknown = []
    for path in SITE_PATH.findall(text(name)):
        if OTHER_PATHS.match(path) or (ROOT / path.lstrip("/")).exists():
            continue
        try:
            resolve(path)
        except Resolver404:
            unknown.append(path)
    assert not unknown


@pytest.mark.parametrize("name", names())
def test_commands_and_measurements_exist(name):
    content = text(name)
    commands = set(re.findall(r"manage\.py ([a-z_]+)", content)) - set(get_commands())
    measured = {
        module
        for module in re.findall(r"-m benchmarks\.([a-z_]+)", content)
        if not (ROOT / "benchmarks" / f"{module}.py").exists() and not (ROOT / "benchmarks" / module).is_dir()
    }
    targets = set(re.findall(r"^make ([a-z]+)", content, re.MULTILINE)) - makefile_targets()
    assert not commands | measured | targets


def makefile_targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_page_is_in_the_index():
    index = text("docs/README.md")
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    missing = [str(page) for page in pages if page.parts[0] != "adr" and page.name != "README.md"]
    assert [name for name in missing if f"({name})" not in index] == []
