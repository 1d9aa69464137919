"""Named cheats, what the checks must say of each, and an honest twin of each that must pass.

REFUSED: a blocking finding, or the importer refuses. ASKED: a moderator looks at it. SHOWN: a warning or a note beside
it. UNSEEN: nothing in one file shows it, and docs/checks.md says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from leaderboard.checks import Context, Finding, Severity, run_checks
from leaderboard.importers import ImportRefused
from leaderboard.normal import ParsedResult


class Verdict(IntEnum):
    """How loud the checks are."""

    UNSEEN = 0
    SHOWN = 1
    ASKED = 2
    REFUSED = 3


_VERDICTS = {Severity.WARN: Verdict.SHOWN, Severity.REVIEW: Verdict.ASKED, Severity.BLOCK: Verdict.REFUSED}
Made = Callable[[], tuple[ParsedResult, Context]]


@dataclass(frozen=True, slots=True)
class Cheat:
    """One way to look better than one is. `by` are the codes of which at least one must be found."""

    name: str
    verdict: Verdict
    by: tuple[str, ...]
    made: Made
    #: the same without the lie: nothing of it is refused or asked for that the cheat is caught by
    twin: Made


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checks said."""

    verdict: Verdict
    codes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), compare=False)


def judged(made: Made) -> Judged:
    try:
        parsed, around = made()
    except ImportRefused as refused:
        return Judged(Verdict.REFUSED, ("import", refused.field or ""))
    found = run_checks(parsed, around)
    loudest = max((_VERDICTS[finding.severity] for finding in found), default=Verdict.UNSEEN)
    codes = {finding.code for finding in found} | ({"note"} if _leaves_out(parsed) else set())
    return Judged(loudest, tuple(sorted(codes)), tuple(found))


def _leaves_out(parsed: ParsedResult) -> bool:
    """Does the result's page say that cycles are missing?"""
    return any("completed cycles" in warning for warning in parsed.warnings)


def said(cheat: Cheat) -> Verdict:
    """The loudest that is said by one of the codes that ought to see it."""
    seen = judged(cheat.made)
    if "import" in seen.codes:
        return seen.verdict
    if "note" in {*seen.codes} & {*cheat.by}:
        return Verdict.SHOWN
    return max((_VERDICTS[one.severity] for one in seen.findings if one.code in cheat.by), default=Verdict.UNSEEN)


def wrongly_held(cheat: Cheat) -> tuple[str, ...]:
    """What refuses the honest twin or asks a moderator about it."""
    seen = judged(cheat.twin)
    if {"import", "note"} & {*seen.codes}:
        return seen.codes
    return tuple(one.code for one in seen.findings if one.severity is not Severity.WARN)
