"""Writes gpuagent/client/models.py and filters.py from docs/openapi.yaml: `python -m tests.client.generate`.

Test-side, because the generator is a development dependency and the package has no use for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
OPENAPI = REPOSITORY / "docs" / "openapi.yaml"
PACKAGE = REPOSITORY / "gpuagent" / "client"
HEADER = '"""{}\n\nGenerated from docs/openapi.yaml by `python -m tests.client.generate`; not edited by hand.\n"""\n'
MODELS_HEADER = HEADER.format("What the site answers, as types. Fields that a newer site adds are passed over.")
MODELS_HEADER += "# ruff: noqa: E501 - the words of the description\n"
FILTERS_HEADER = HEADER.format("The filters that the leaderboard, exports, analysis and comparisons share.")
#: the operations whose common parameters are the filters
FILTERED = ("benchmarks_list", "analysis_retrieve", "compare_retrieve")
#: what each such method names itself
OWN = {"sort", "view", "limit", "cursor", "columns"}
#: what limits the values, which is the site's business
DROPPED = {"nullable", "readOnly", "pattern", "maxLength", "minLength", "maximum", "minimum", "examples", "title"}
OPTIONS = {
    "output-model-type": "pydantic_v2.BaseModel",
    "target-python-version": "3.11",
    "enum-field-as-literal": "all",
    "output-datetime-class": "datetime",
    "base-class": "gpuagent.client.shape.Shape",
    "formatters": "ruff-format",
}
FLAGS = ("disable-timestamp", "use-annotated", "use-standard-collections", "use-union-operator", "collapse-root-models")


def description() -> dict[str, Any]:
    with OPENAPI.open() as file:
        loaded: dict[str, Any] = yaml.load(file, yaml.CSafeLoader)
    return loaded


def operations(described: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) by operation id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def models(described: dict[str, Any]) -> str:
    schemas = described["components"]["schemas"]
    wanted = {"openapi": "3.1.0", "info": described["info"], "paths": {}}
    wanted["components"] = {"schemas": {name: _plain(schemas[name]) for name in sorted(_answered(described))}}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "models.py"
        source.write_text(json.dumps(wanted))
        command = [str(Path(sys.executable).with_name("datamodel-codegen")), "--input", str(source)]
        command += ["--output", str(target), "--input-file-type", "openapi", "--custom-file-header", MODELS_HEADER]
        command += [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
        subprocess.run([*command, *(f"--{flag}" for flag in FLAGS)], check=True, cwd=REPOSITORY)
        return _formatted(target.read_text())


def filters(described: dict[str, Any]) -> str:
    by_id = operations(described)
    shared = set.intersection(*({one["name"] for one in by_id[name][2]["parameters"]} for name in FILTERED)) - OWN
    lines = [FILTERS_HEADER, "from collections.abc import Iterable\nfrom typing import TypedDict\n"]
    lines += ["#: one value or several, of which any may hold\nMany = str | int | Iterable[str | int]\n\n"]
    lines += ['class Filters(TypedDict, total=False):\n    """Which results; what is left out limits nothing."""\n']
    for parameter in sorted(by_id["benchmarks_list"][2]["parameters"], key=lambda one: one["name"]):
        if parameter["name"] in shared:
            lines.append(f"    #: {parameter['description']}\n    {parameter['name']}: {_kind(parameter['schema'])}")
    return _formatted("\n".join(lines))


def _kind(schema: dict[str, Any]) -> str:
    return {"array": "Many", "number": "float | None", "integer": "int | None"}.get(schema["type"], "str")


def _answered(described: dict[str, Any]) -> set[str]:
    """The schemas that an answer can hold, not those of requests."""
    found: set[str] = set()
    waiting = [operation["responses"] for _, _, operation in operations(described).values()]
    while waiting:
        for reference in _references(waiting.pop()):
            if reference not in found:
                found.add(reference)
                waiting.append(described["components"]["schemas"][reference])
    return found - {"NullEnum"}


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for one in value for name in _references(one)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"].rpartition("/")[2]] if isinstance(value.get("$ref"), str) else []
    return own + [name for one in value.values() for name in _references(one)]


def _plain(schema: Any) -> Any:
    """As tolerant as a client has to be: a word that a newer site adds to a choice is text."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if str(schema.get("$ref", "")).endswith("/NullEnum"):
        return {"type": "null"}
    plain = {name: _plain(value) for name, value in schema.items() if name not in DROPPED}
    if isinstance(fields := schema.get("properties"), dict):
        # Here the keys are names of fields, which may be any word.
        plain["properties"] = {name: _plain(value) for name, value in fields.items()}
    if isinstance(plain.get("format"), str) and plain["format"] not in {"uuid", "date-time"}:
        del plain["format"]
    if isinstance(plain.get("description"), str):
        # The list of choices stands in the type.
        plain["description"] = plain["description"].partition("* `")[0].strip()
    if schema.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return _open_choice(plain) if "enum" in plain else plain


def _open_choice(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [one for one in schema["enum"] if one]
    opened = {"anyOf": [{"type": "string", "enum": choices}, {"type": "string"}]}
    return opened | ({"description": words} if (words := schema.get("description")) else {})


def _formatted(text: str) -> str:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for arguments in (["check", "--fix", "--quiet", "--exit-zero"], ["format"]):
        command = [ruff, *arguments, "--stdin-filename", str(PACKAGE / "models.py"), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    return text


def main() -> None:
    described = description()
    (PACKAGE / "models.py").write_text(models(described))
    (PACKAGE / "filters.py").write_text(filters(described))


if __name__ == "__main__":
    main()
