import pytest

from tests.leaderboard.checks.builders import context, findings, hardware, model, result, severities

KNOWN = context(hardware=hardware(memory_gb=80), model=model(parameters_total_b=80, parameters_active_b=10))


@pytest.mark.parametrize(
    ("gpu_count", "precision", "expected"), [(2, "bf16", []), (1, "bf16", ["B"]), (1, "fp8", []), (1, "int4", [])]
)
def test_all_weights_must_fit_into_the_memory_of_all_gpus(gpu_count, precision, expected):
    assert severities("MEM1", result(gpu_count=gpu_count, precision=precision), KNOWN) == expected


@pytest.mark.parametrize(("parameters_b", "expected"), [(42.9, []), (43.0, ["B"])])
def test_a_card_sold_as_80_gb_holds_weights_of_85_9_gb(parameters_b, expected):
    known = context(hardware=hardware(memory_gb=80), model=model(parameters_total_b=parameters_b))

    assert severities("MEM1", result(), known) == expected


@pytest.mark.parametrize(("peak_mb", "expected"), [(38_000, []), (37_900, ["W"]), (87_600, []), (87_700, ["W"])])
def test_peak_memory_lies_between_the_weights_and_the_card(peak_mb, expected):
    known = context(hardware=hardware(memory_gb=80), model=model(parameters_total_b=20))

    assert severities("MEM2", result(peak_memory_mb=peak_mb), known) == expected


def test_the_peak_over_all_gpus_is_shared_out():
    known = context(hardware=hardware(memory_gb=80), model=model(parameters_total_b=20))
    parsed = {"peak_memory_mb": None, "gpu_count": 2}

    assert findings("MEM2", result(**parsed, peak_memory_total_mb=175_000), known) == []
    assert severities("MEM2", result(**parsed, peak_memory_total_mb=175_500), known) == ["W"]
