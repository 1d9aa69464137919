"""What benchmarks/checks.py measures, over the rows that come with the site: no false block, and what is caught."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.check_rows import Catalogue, full_rows, published_results, uploads
from benchmarks.checks import Caught, Flagged, catch_all, flag_files, flag_published, print_invented
from leaderboard.checks import Severity

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "benchmarks" / "checks.py"
STATISTICAL = {"OUT1", "OUT2", "OUT3", "DUP2", "LEN1", "CAC1"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="module")
def caught(catalogue: Catalogue) -> dict[str, Caught]:
    return {one.falsification.name: one for one in catch_all(catalogue, full_rows(published_results()))}


def test_no_published_row_is_blocked_or_flagged_by_what_is_statistical(catalogue):
    flagged = flag_published(catalogue)

    assert flagged.results == 191
    assert flagged.blocked == []
    assert not STATISTICAL & {code for code, _ in flagged.counts}


def test_each_falsification_is_caught_as_often_as_checks_md_says_or_more(caught):
    short = {
        name: (one.with_curve, one.falsification.expected)
        for name, one in caught.items()
        if one.falsification.expected is not None and one.with_curve < one.falsification.expected
    }

    assert short == {}


@pytest.mark.parametrize("factor", [2, 3, 5, 10])
def test_a_consistent_forgery_of_one_point_is_caught_by_its_curve_and_by_peers(caught, factor):
    one = caught[f"all figures {factor} x faster"]

    assert one.with_curve > 0.65
    assert one.with_reruns == 1.0


@pytest.mark.parametrize("name", ["figures invented, two digits each", "one run given as three repeats"])
def test_figures_without_the_noise_of_a_measurement_are_caught(caught, name):
    assert caught[name].alone == 1.0
    assert caught[name].by["DUP2"] == caught[name].rows


def test_a_gpu_count_that_is_too_high_is_not_seen(caught):
    # docs/checks.md says so to readers; should this fail, say there what catches it now.
    assert caught["GPU count and split doubled"].with_reruns == 0


def test_no_real_file_at_hand_is_blocked(catalogue, shared_data, capsys):
    flagged = Flagged()

    flag_files(catalogue, shared_data, flagged)

    assert flagged.results > 0
    assert flagged.blocked == []
    assert not {code for code, severity in flagged.counts if code in STATISTICAL and severity is not Severity.WARN}


def test_all_invented_results_are_blocked(catalogue, shared_data, capsys):
    assert print_invented(catalogue, shared_data) == 0
    assert "180 of 180 refused" in capsys.readouterr().out


def test_what_only_describes_results_is_no_upload(tmp_path):
    for name in ("llenergymeasure/schemas/a/x.json", "llenergymeasure/yaml/a/y.yaml", "other-tools/t/schema.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "other-tools/t/result.json").write_text("{}")

    assert [name for name, _ in uploads(tmp_path)] == ["other-tools/t/result.json"]


def test_the_script_runs_from_anywhere_and_says_when_files_are_missing(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--data", str(tmp_path / "nowhere")],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "only the published rows are judged" in done.stdout
    assert re.search(r"false blocks: 0 in 191 real and generated results", done.stdout)


def test_a_blocked_real_result_is_named_and_fails_the_script(tmp_path):
    folder = tmp_path / "llenergymeasure" / "impossible"
    folder.mkdir(parents=True)
    impossible = '{"model": "gpt2", "hardware": "a100", "gpu_count": 1, "energy_scope": "gpu", "avg_power_w": 1.0}'
    (folder / "result.json").write_text(impossible)

    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert "blocked: llenergymeasure/impossible: result.json: PWR2" in done.stdout
    assert "false blocks: 1 in 192 real and generated results" in done.stdout
