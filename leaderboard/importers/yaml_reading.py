"""YAML files of an upload: benchmark reports of llm-d are read, everything else in YAML is configuration."""

from __future__ import annotations

import re
from typing import Any

from leaderboard.importers.base import ImportRefused
from lemsite.lib.archives import Entry
from lemsite.lib.strict_yaml import BadYaml, loads

_ENDINGS = (".yaml", ".yml")
_TOP = rb"^[\"']?%s[\"']?[ \t]*:"
_VERSION = re.compile(_TOP % b"version" + rb"[ \t]*[\"']?0\.[0-9]", re.MULTILINE)
#: what stands at the top of a report beside its version, in either generation
_PARTS = tuple(
    tuple(re.compile(_TOP % name, re.MULTILINE) for name in names)
    for names in ((b"scenario", b"metrics"), (b"run", b"results"))
)


def is_yaml(path: str) -> bool:
    return path.lower().endswith(_ENDINGS)


def is_yaml_report(entry: Entry) -> bool:
    """Does this look like a report of llm-d? Seen from the bytes, so that other YAML is never parsed."""
    if not is_yaml(entry.path) or not _VERSION.search(entry.content):
        return False
    return any(all(part.search(entry.content) for part in parts) for parts in _PARTS)


def read_yaml(entry: Entry) -> Any:
    """Return the report. Raises ImportRefused naming the file, and the line where there is one."""
    if not is_yaml_report(entry):
        raise ImportRefused(
            f"{entry.path}: it is YAML, but no benchmark report of llm-d, the only YAML that is read; other tools "
            "write their results as JSON too.",
            file=entry.path,
        )
    try:
        return loads(entry.content)
    except BadYaml as error:
        raise ImportRefused(f"{entry.path}: {error}.", file=entry.path) from None
