"""What no code of the project does; each exception has its reason here, and goes when it is no longer one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "leaderboard", "runs", "jobs", "lemsite", "gpuagent")
SOURCES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
#: calls by their last name; what they do with text of strangers
CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "mark_safe": "takes text for markup",
    "SafeString": "takes text for markup",
    "csrf_exempt": "takes forms from other sites",
    "RawSQL": "puts SQL together",
    "system": "gives text to a shell",
    "popen": "gives text to a shell",
    "unsafe_load": "makes objects from YAML",
    "full_load": "makes objects from YAML",
    "_create_unverified_context": "trusts every certificate",
    "mktemp": "names a file that another may make first",
    "md5": "a hash that can be forged",
}
OWNERS = {"eval": {"", "builtins"}, "exec": {"", "builtins"}, "system": {"os"}, "popen": {"os"}}
MODULES = {"pickle", "marshal", "shelve", "dill", "telnetlib", "xml"}
KEYWORDS = {("shell", True), ("verify", False), ("check_hostname", False)}
SECRET = re.compile(r"(token|secret|password|signature|digest|hmac)(_?(hex|sha256|hash))?$")
#: where SQL is put together, and what of: never of what a request says
SQL_OF_NAMES = {
    "leaderboard/importers/localscore_db.py": "names of pragmas in this file",
    "leaderboard/queries/dumps.py": "a number",
    "lemsite/backups/databases.py": "names of our own tables, quoted",
    "lemsite/lib/append_only.py": "names of tables in migrations",
    "lemsite/lib/held.py": "one of two functions of PostgreSQL",
    "runs/writer.py": "as many placeholders as there are values",
}
#: (file, what): why it is right there
ALLOWED = {
    ("lemsite/lib/markdown.py", "mark_safe"): "nh3 wrote the markup, from an allow-list of tags",
}


def findings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (name for name in names if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            yield from _comparison(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (name for name in map(_name, node.decorator_list) if name == "csrf_exempt")


def _call(node: ast.Call) -> Iterator[str]:
    name = _name(node.func)
    owner = _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    # Other objects have methods of these names, such as platform.system().
    if name in CALLS and owner in OWNERS.get(name, {owner}):
        yield name
    if (owner, name) == ("yaml", "load"):
        yield "yaml.load"
    for keyword in node.keywords:
        value = keyword.value
        if isinstance(value, ast.Constant) and (keyword.arg, value.value) in KEYWORDS:
            yield f"{keyword.arg}={value.value!r}"


def _comparison(node: ast.Compare) -> Iterator[str]:
    """Comparing a secret stops at the first wrong character, which can be timed. With nothing it may be compared."""
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) for side in sides):
        return
    yield from (f"== on {name}" for name in map(_name, sides) if SECRET.search(name))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_no_code_does_what_it_must_not():
    found = {(str(path.relative_to(REPOSITORY)), what) for path in SOURCES for what in findings(path)}

    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "code",
    [
        "eval(x)",
        "html.mark_safe(x)",
        "import pickle",
        "from xml.dom import minidom",
        "subprocess.run(x, shell=True)",
        "yaml.load(x)",
        "httpx.get(x, verify=False)",
        "if given == self.token: pass",
        "if token_hash != other: pass",
        "@csrf_exempt\ndef view(request): pass",
    ],
)
def test_the_search_finds_it(tmp_path, code):
    path = tmp_path / "code.py"
    path.write_text(code)

    assert list(findings(path))


def test_sql_is_put_together_only_where_that_is_looked_at():
    made = {
        str(path.relative_to(REPOSITORY))
        for path in SOURCES
        if "/migrations/" not in str(path) and re.search(r"\.execute\(\s*f[\"']", path.read_text(encoding="utf-8"))
    }

    assert made <= set(SQL_OF_NAMES)
