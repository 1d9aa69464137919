"""docs/permissions.md, read back: who may do what on which path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROLES = ("anonymous", "stranger", "owner", "moderator", "agent")
DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "permissions.md"


@dataclass(frozen=True)
class Rule:
    """One row: what each role is answered for one method on one path."""

    path: str
    method: str
    answers: dict[str, str]


def read_rules() -> dict[tuple[str, str], Rule]:
    rules: dict[tuple[str, str], Rule] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 2 + len(ROLES) and cells[0].startswith("`"):
            rule = Rule(cells[0].strip("`"), cells[1], dict(zip(ROLES, cells[2:], strict=True)))
            assert (rule.path, rule.method) not in rules, f"two rows for {rule.method} {rule.path}"
            rules[rule.path, rule.method] = rule
    return rules
