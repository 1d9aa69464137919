"""What can be found wrong with how the site is set up and runs, each with its mend. `manage.py doctor` asks it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Ill:
    """One thing that is wrong: what it is, why it matters, and exactly what to do."""

    what: str
    why: str
    mend: str
    level: Level = Level.ERROR


def warn(what: str, why: str, mend: str) -> Ill:
    return Ill(what, why, mend, Level.WARNING)


@dataclass(frozen=True, slots=True)
class Check:
    """A function that yields what is wrong; nothing when all is well."""

    name: str
    function: Callable[[], Iterator[Ill]]
    #: it asks another service, or takes its time: not for a page
    is_slow: bool = False


CHECKS: dict[str, Check] = {}


def check(name: str, *, is_slow: bool = False) -> Callable[[Callable[[], Iterator[Ill]]], Callable[[], Iterator[Ill]]]:
    """Enter a function into CHECKS."""

    def enter(function: Callable[[], Iterator[Ill]]) -> Callable[[], Iterator[Ill]]:
        if name in CHECKS:
            raise ValueError(f"There are two checks {name}")
        CHECKS[name] = Check(name, function, is_slow)
        return function

    return enter


def examine(one: Check) -> list[Ill]:
    """What a check finds; a check that fails is a finding, too."""
    try:
        return list(one.function())
    except Exception as error:  # noqa: BLE001 - whatever keeps it from looking is what the operator is to know
        return [
            Ill(
                f"It could not be looked at: {type(error).__name__}: {first_line(error)}",
                "nobody knows whether it is well",
                "Mend what the message says, then run doctor again.",
            )
        ]


def all_checks() -> list[Check]:
    # Here, because each of them enters itself by importing this module.
    from lemsite.doctor import background, configuration, database, files, people, services  # noqa: F401

    return list(CHECKS.values())


def first_line(error: BaseException) -> str:
    """Of a message that may hold a traceback or a statement."""
    return (str(error).strip().splitlines() or ["no message"])[0][:200]
