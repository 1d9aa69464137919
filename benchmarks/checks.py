"""Run the check catalogue over every real file at hand and over falsified copies, and count what is flagged.

    python benchmarks/checks.py [--data ../shared/data] [--rows public/data/tasks/*.json]

The 191 published rows that come with the site are always there. Files in the data folder go through the importers, as
an upload would. Ends with 1 if a real result is blocked, or if an invented one is not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.check_rows import (  # noqa: E402 - the script runs from any folder, without the project installed
    FALSIFICATIONS,
    Catalogue,
    Falsification,
    Row,
    full_rows,
    published_results,
    read_or_say,
    rows_of_files,
    uploads,
)
from leaderboard.checks import CHECK_SET, CHECKS, Finding, Severity  # noqa: E402
from leaderboard.checks.surroundings import Crowd  # noqa: E402
from leaderboard.importers import Imported, import_files  # noqa: E402
from leaderboard.normal import ParsedResult  # noqa: E402
from lemsite.lib.archives import Entry  # noqa: E402

SERIOUS = (Severity.BLOCK, Severity.REVIEW)


@dataclass
class Flagged:
    """How many results of a set have at least one finding of a code and severity, and which are blocked."""

    results: int = 0
    counts: Counter[tuple[str, Severity]] = field(default_factory=Counter)
    blocked: list[str] = field(default_factory=list)

    def add(self, name: str, findings: Sequence[Finding]) -> None:
        self.results += 1
        self.counts.update({(finding.code, finding.severity) for finding in findings})
        codes = sorted({finding.code for finding in findings if finding.severity is Severity.BLOCK})
        if codes:
            self.blocked.append(f"{name}: {', '.join(codes)}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Count what the checks flag in real results and in falsified copies.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with real files")
    told_of_rows = "task files of the ML.ENERGY Leaderboard v3 to falsify instead of the published rows"
    parser.add_argument("--rows", type=Path, nargs="+", default=[], metavar="FILE", help=told_of_rows)
    arguments = parser.parse_args()
    data = arguments.data
    catalogue = Catalogue()
    print(f"Check set {CHECK_SET}\n")
    real = flag_published(catalogue)
    print(f"{real.results} published rows, each held against the others")
    if data.is_dir():
        flag_files(catalogue, data, real)
    else:
        print(f"No real files at {data}: only the published rows are judged.")
    print_flagged(real)
    wrongly_let_through = print_invented(catalogue, data)
    print_falsified(catalogue, full_rows(rows_of_files(arguments.rows) or published_results()))
    for line in real.blocked:
        print(f"blocked: {line}")
    print(f"\nfalse blocks: {len(real.blocked)} in {real.results} real and generated results")
    return 1 if real.blocked or wrongly_let_through else 0


def flag_published(catalogue: Catalogue) -> Flagged:
    flagged, results = Flagged(), published_results()
    standings = [catalogue.stands(parsed.values, pk=place) for place, parsed in enumerate(results)]
    crowd = Crowd(standings)
    for place, parsed in enumerate(results):
        flagged.add(f"published row {place}", catalogue.judge(parsed, Crowd([]), crowd))
    return flagged


def flag_files(catalogue: Catalogue, data: Path, flagged: Flagged) -> None:
    """Judge each upload of the data folder, with its own results as the curve."""
    rows: dict[str, Counter[str]] = {}
    for name, entries in uploads(data):
        counts = rows.setdefault("/".join(name.split("/")[:2]), Counter())
        counts["files"] += len(entries)
        read = read_or_say(entries)
        if isinstance(read, Imported):
            counts["results"] += len(read.results)
            judge_upload(catalogue, name, read.results, flagged)
        else:
            counts["not readable"] += len(entries)
    print(f"\n{'files at hand':<52}{'files':>6}{'results':>9}{'not readable':>14}")
    for name, counts in rows.items():
        print(f"{name:<52}{counts['files']:>6}{counts['results']:>9}{counts['not readable']:>14}")


def judge_upload(catalogue: Catalogue, name: str, results: Sequence[ParsedResult], flagged: Flagged) -> None:
    crowd = Crowd(catalogue.stands(parsed.values) for parsed in results)
    for parsed in results:
        flagged.add(f"{name}: {parsed.file}", catalogue.judge(parsed, Crowd([]), crowd))


def print_flagged(flagged: Flagged) -> None:
    print(f"\n{f'{flagged.results} real and generated results, flagged':<60}{'B':>6}{'R':>6}{'W':>6}")
    for check in CHECKS:
        found = [flagged.counts[check.code, severity] for severity in Severity]
        print(f"{check.code + '  ' + check.title:<60}" + "".join(f"{number:>6}" for number in found))


def print_invented(catalogue: Catalogue, data: Path) -> int:
    """The invented results must be blocked; returns how many are not."""
    files = sorted((data / "llenergymeasure" / "commons").glob("*.json"))
    if not files:
        return 0
    results = import_files([Entry(path.name, path.read_bytes()) for path in files]).results
    flagged = Flagged()
    judge_upload(catalogue, "commons", results, flagged)
    by = Counter(code for (code, severity), number in flagged.counts.items() if severity is Severity.BLOCK
                 for code in [code] * number)  # fmt: skip
    print(f"\ninvented results: {len(flagged.blocked)} of {len(results)} refused, by {told(by)}")
    return len(results) - len(flagged.blocked)


@dataclass(frozen=True)
class Caught:
    """What one falsification meets: rows falsified, and how many are caught with how much around them."""

    falsification: Falsification
    rows: int
    #: the file alone; with the curve of the other rows; with that and five simulated reruns as peers
    alone: float
    with_curve: float
    with_reruns: float
    by: Counter[str]


def print_falsified(catalogue: Catalogue, rows: Sequence[Row]) -> None:
    """Caught means that a finding of severity B or R appears that the unchanged row does not have."""
    head = f"{'rows':>6}{'checks.md':>11}{'alone':>9}{'curve':>9}{'reruns':>9}"
    print(f"\n{'falsified copies, caught':<52}{head}  by")
    for caught in catch_all(catalogue, rows):
        expected = caught.falsification.expected
        shares = "".join(f"{share:>9.1%}" for share in (caught.alone, caught.with_curve, caught.with_reruns))
        words = "–" if expected is None else f"{expected:.1%}"
        print(f"{caught.falsification.name:<52}{caught.rows:>6}{words:>11}{shares}  {told(caught.by)}")
    crowd = Crowd(catalogue.stands(row.parsed().values, pk=row.number) for row in rows)
    alone = Counter(code for row in rows for code in _serious(catalogue.judge(row.parsed(), crowd)))
    print(f"\nunchanged rows among the others, flagged B or R: {told(alone) or 'none'}")
    alarmed = Counter(code for row in rows for code in _serious(catalogue.judge(row.parsed(), reruns=row.reruns())))
    print(f"unchanged rows beside five simulated reruns, flagged B or R: {told(alarmed) or 'none'}")


def catch_all(catalogue: Catalogue, rows: Sequence[Row]) -> list[Caught]:
    crowd = Crowd(catalogue.stands(row.parsed().values, pk=row.number) for row in rows)
    return [catch(catalogue, rows, crowd, falsification) for falsification in FALSIFICATIONS]


def catch(catalogue: Catalogue, rows: Iterable[Row], crowd: Crowd, falsification: Falsification) -> Caught:
    found: list[list[set[str]]] = []
    for row in rows:
        copy = falsification.make(row.values)
        if copy is not None:
            found.append(_new_codes(catalogue, row, row.parsed(copy), crowd))
    alone, with_curve, with_reruns = (sum(bool(codes[way]) for codes in found) / len(found) for way in range(3))
    by = Counter(code for codes in found for code in codes[2])
    return Caught(falsification, len(found), alone, with_curve, with_reruns, by)


def _new_codes(catalogue: Catalogue, row: Row, copy: ParsedResult, crowd: Crowd) -> list[set[str]]:
    """What is found on the copy and not on the row: alone, with the curve, with the curve and reruns."""
    nobody, is_same_place = Crowd([]), copy.values.gpu_count == row.values["gpu_count"]
    ways = (
        ((nobody,), ()),
        ((nobody, crowd), ()),
        # Reruns are of the true configuration: they say nothing where the copy claims another.
        ((nobody, crowd), row.reruns() if is_same_place else ()),
    )
    return [
        _serious(catalogue.judge(copy, *crowds, reruns=reruns))
        - _serious(catalogue.judge(row.parsed(), *crowds, reruns=reruns))
        for crowds, reruns in ways
    ]


def _serious(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.severity in SERIOUS}


def told(by: Counter[str]) -> str:
    return ", ".join(f"{code} {number}" for code, number in sorted(by.items(), key=lambda one: (-one[1], one[0])))


if __name__ == "__main__":
    sys.exit(main())
