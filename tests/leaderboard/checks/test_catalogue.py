import re
from pathlib import Path
from typing import Any, get_args

import pytest

from leaderboard import checks
from leaderboard.checks import CHECK_SET, CHECKS, Severity, limits, run_checks
from leaderboard.checks.limits import BYTES_PER_WEIGHT, COMPUTE_PEAKS, LIMITS
from leaderboard.normal import CONFIG_EDITED, NormalResult, ParsedResult, Precision
from tests.leaderboard.checks.builders import NOW, context, curve, findings, hardware, model, neighbours, result

PACKAGE = Path(checks.__file__).parent
DOCS = (PACKAGE.parent.parent / "docs" / "checks.md").read_text(encoding="utf-8")
CODES = [check.code for check in CHECKS]

#: code -> (a result that fails the check, the catalogue that it fails against, the inputs without which it is silent)
FAILING: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "SCH1": ({"output_tokens": 0}, {}, ("output_tokens",)),
    "SCH2": ({}, {"model": None}, ()),
    "TOK1": ({"requests": 1}, {}, ("requests", "max_output_tokens", "output_tokens")),
    "PAR1": ({"tensor_parallel": 2}, {}, ("tensor_parallel", "gpu_count")),
    "CFG1": ({"notes": {"config_hash": CONFIG_EDITED}}, {}, ()),
    "PCT1": ({"itl_ms_p50": 11.0}, {}, ("itl_ms_p50",)),
    "PCT2": ({"itl_ms_p90": 100.0}, {}, ("itl_ms_p50", "itl_ms_p90")),
    "IDN1": (
        {"throughput_tokens_per_s": 9.0},
        {},
        ("throughput_tokens_per_s", "duration_s", "output_tokens"),
    ),
    "IDN2": ({"avg_power_w": 9.0}, {}, ("avg_power_w", "duration_s", "total_energy_j")),
    "IDN3": ({"total_energy_j": 9.0}, {}, ("total_energy_j",)),
    "IDN4": (
        {"avg_power_w": 9.0},
        {},
        ("avg_power_w", "throughput_tokens_per_s", "energy_per_output_token_j"),
    ),
    "LAT1": (
        {"e2e_ms_mean": 9.0, "e2e_ms_p50": None},
        {},
        ("e2e_ms_mean", "ttft_ms_mean", "tpot_ms_mean", "requests", "output_tokens"),
    ),
    "LAT2": ({"requests_per_s": 99.0}, {}, ("requests_per_s", "e2e_ms_mean", "concurrency")),
    "LAT3": (
        {"throughput_tokens_per_s": 9e4, "concurrency": None},
        {},
        ("throughput_tokens_per_s", "itl_ms_p50", "batch_size"),
    ),
    "LAT4": ({"itl_ms_p50": 0.1}, {}, ("itl_ms_p50", "tpot_ms_mean")),
    "ROO1": (
        {"itl_ms_p50": 0.1, "itl_ms_mean": None, "tpot_ms_p50": None, "tpot_ms_mean": None},
        {},
        ("itl_ms_p50", "precision", "gpu_count"),
    ),
    "ROO2": ({"throughput_tokens_per_s": 9e9}, {}, ("throughput_tokens_per_s", "precision", "gpu_count")),
    "ROO3": (
        {"batch_size": 1, "concurrency": None},
        {},
        ("batch_size", "throughput_tokens_per_s", "precision", "gpu_count"),
    ),
    "MEM1": ({}, {"hardware": hardware(memory_gb=8)}, ("precision", "gpu_count")),
    "MEM2": ({"peak_memory_mb": 9.0}, {}, ("peak_memory_mb", "precision", "gpu_count")),
    "PWR1": ({"avg_power_w": 9e3}, {}, ("gpu_count", "energy_scope")),
    "PWR2": ({"avg_power_w": 3.0}, {}, ("energy_scope",)),
    "PWR3": ({"energy_scope": "wall"}, {}, ("gpu_count", "energy_scope")),
    "HST1": ({"host_energy_j": 50_000.0}, {}, ("host_energy_j", "total_energy_j", "energy_scope")),
    "IDL1": (
        {"idle_power_w": 70.0, "adjusted_energy_j": 43_200.0},
        {},
        ("idle_power_w", "adjusted_energy_j", "total_energy_j", "duration_s"),
    ),
    "DUR1": ({"duration_s": 1.0}, {}, ("duration_s",)),
    "DUR2": ({"requests": 9}, {}, ("requests",)),
    "OK1": ({"success_rate": 0.5}, {}, ("success_rate",)),
    "LEN1": ({"config": {"ignore_eos": True}, "output_tokens": 300_000}, {}, ("requests", "max_output_tokens")),
    "CAC1": (
        {"prefix_caching": True},
        {"peers": neighbours(throughput_tokens_per_s=1000.0, prefix_caching=False)},
        ("prefix_caching", "throughput_tokens_per_s"),
    ),
    "OUT1": ({}, {"peers": neighbours(throughput_tokens_per_s=1000.0)}, ("throughput_tokens_per_s",)),
    "OUT2": (
        {},
        {"peers": neighbours(1, throughput_tokens_per_s=1000.0, is_verified=True)},
        ("throughput_tokens_per_s",),
    ),
    "OUT3": ({}, {"curve": curve(throughput_tokens_per_s=1000.0)}, ("throughput_tokens_per_s",)),
    "DUP1": ({}, {"duplicate_of": "r-1"}, ()),
    "DUP2": ({"cycles": [{"duration_s": 9.5, "total_energy_j": 9.5}] * 2}, {}, ()),
    "CLK1": ({"ended_at": NOW.replace(year=2030), "started_at": None}, {}, ("ended_at",)),
    "STA1": ({"cycles": [{"tokens_per_joule": value} for value in (1.0, 2.0, 9.0)]}, {}, ()),
}


def test_the_believable_result_has_no_finding():
    assert run_checks(result(), context()) == []


def test_every_code_is_listed_once():
    assert len(CODES) == len(set(CODES))
    assert set(FAILING) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_finding_names_values_limits_advice_and_a_field_of_the_normal_form(code):
    changes, known, _ = FAILING[code]

    found = findings(code, result(**changes), context(**known))

    assert found
    for finding in found:
        assert finding.severity in Severity
        assert finding.observed
        assert finding.limit
        assert finding.message.endswith((".", "?"))
        assert finding.field is None or finding.field in NormalResult.model_fields


@pytest.mark.parametrize(("code", "missing"), [(code, name) for code in CODES for name in FAILING[code][2]])
def test_a_check_is_silent_when_an_input_is_missing(code, missing):
    changes, known, _ = FAILING[code]

    assert findings(code, result(**changes | {missing: None}), context(**known)) == []


@pytest.mark.parametrize("code", ["PWR1", "PWR2"])
def test_power_checks_are_silent_without_power_or_energy(code):
    parsed = result(avg_power_w=None, total_energy_j=None)

    assert findings(code, parsed) == []


@pytest.mark.parametrize("code", ["ROO1", "ROO2", "ROO3", "MEM1", "MEM2", "PWR1", "PWR3"])
@pytest.mark.parametrize(
    "unknown",
    [
        {"hardware": None, "model": None},
        {
            "hardware": hardware(memory_gb=None, bandwidth_gb_per_s=None, tflops={}, tdp_w=None),
            "model": model(parameters_total_b=None, parameters_active_b=None),
        },
    ],
)
def test_physics_is_silent_without_catalogue_facts(code, unknown):
    changes, _, _ = FAILING[code]

    assert findings(code, result(**changes), context(**unknown)) == []


def test_an_empty_result_is_blocked_and_never_crashes():
    empty = ParsedResult(values=NormalResult(), origins={}, file="empty.json")
    nothing_known = context(hardware=None, model=None, backend_known=False)

    assert [finding.code for finding in run_checks(empty, nothing_known)] == ["SCH1", "SCH2", "SCH2", "SCH2"]


def test_every_limit_is_used_and_every_used_limit_exists():
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py") if path.name != "limits.py"]
    names = set(re.findall(r'"([a-z0-9]+(?:_[a-z0-9]+)+)"', "\n".join(sources)))
    asked = set(re.findall(r'(?:limit|is_above|is_below)\([^"\n]*"([a-z0-9_]+)"', "\n".join(sources)))

    assert set(LIMITS) <= names
    assert asked <= set(LIMITS)


def test_every_limit_says_where_it_comes_from():
    assert all(entry.source.endswith(".") and entry.unit for entry in LIMITS.values())


def test_every_precision_but_mixed_has_bytes_and_a_peak():
    widths = set(get_args(Precision)) - {"mixed"}

    assert set(BYTES_PER_WEIGHT) == set(COMPUTE_PEAKS) == widths


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_documented(code):
    assert f"| {code} |" in DOCS


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_documented_with_its_value(name):
    entry = limits.LIMITS[name]

    assert f"| `{name}` | {entry.value:g} | {entry.unit} | {entry.source} |" in DOCS


def test_the_documentation_names_the_check_set():
    assert f"check set {CHECK_SET}" in DOCS
