"""The catalogue over real, generated and invented files, read by the importers."""

from pathlib import Path

import pytest

from leaderboard.checks import Severity, run_checks
from leaderboard.importers import import_files
from leaderboard.normal import ParsedResult
from lemsite.lib.archives import Entry
from tests.leaderboard.checks.builders import context

NOTHING_KNOWN = context(hardware=None, model=None, backend_known=True)
REAL_AND_GENERATED = [
    "v2.0_real",
    "v3.0_real",
    "v2.0_single",
    "v2.0_multi_gpu",
    "v2.0_study",
    "pypi060_v5.0",
    "pypi070_single",
    "pypi070_multi_gpu",
    "pypi070_server",
    "pypi070_study",
    "v1_2.0.0",
    "v1_3.0.0",
    "v1_multi_cycle",
]


def read(folder: Path) -> list[ParsedResult]:
    files = sorted(path for path in folder.rglob("*.json"))
    return import_files([Entry(str(path.relative_to(folder)), path.read_bytes()) for path in files]).results


def blocking(parsed: ParsedResult) -> set[str]:
    return {found.code for found in run_checks(parsed, NOTHING_KNOWN) if found.severity is Severity.BLOCK}


def test_all_180_invented_results_are_refused_as_impossible(shared_data):
    results = read(shared_data / "llenergymeasure" / "commons")

    assert len(results) == 180
    assert all(blocking(parsed) == {"PWR2", "TOK1"} for parsed in results)


@pytest.mark.parametrize("folder", REAL_AND_GENERATED)
def test_real_and_generated_results_have_no_blocker(shared_data, folder):
    results = read(shared_data / "llenergymeasure" / folder)

    assert results
    assert [blocking(parsed) for parsed in results] == [set()] * len(results)
