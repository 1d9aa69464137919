"""Test cases of the use cases, as they lie in suites/: small, versioned, each with an answer that earns all points."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


class NoSuchSuite(ValueError):
    """This agent has no suite of that name or version."""


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt, and what its answer is measured by."""

    id: str
    prompt: str
    #: `kind` names the rubric (rubric.py), the rest is what it needs
    check: Mapping[str, Any]
    #: an answer with full points; the simulated server gives it
    reference: str


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    version: str
    title: str
    #: the system message that all cases share
    instruction: str
    cases: Sequence[Case]


@cache
def load_suite(name: str, version: str) -> Suite:
    """Raises NoSuchSuite."""
    if not name.replace("-", "").isalpha():
        raise NoSuchSuite(f"{name!r} is not the name of a suite.")
    path = resources.files("gpuagent.race") / "suites" / f"{name}.json"
    if not path.is_file():
        raise NoSuchSuite(f"There is no suite {name!r}.")
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["version"] != version:
        raise NoSuchSuite(f"The suite {name} is version {found['version']} here, and {version} was ordered.")
    cases = tuple(Case(**case) for case in found["cases"])
    return Suite(found["name"], found["version"], found["title"], found["instruction"], cases)
