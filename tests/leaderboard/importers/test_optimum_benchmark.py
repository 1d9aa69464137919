"""optimum-benchmark: seconds, kWh and MB, the decode phase, and the devices that ran."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from tests.leaderboard.importers import power_samples as power
from tests.leaderboard.importers.samples import changed, entry


def read(data):
    (result,) = import_files([entry(data, "benchmark.json")]).results
    return result


def with_config(**changes):
    return read(changed(power.optimum(), **{f"config__{name}": value for name, value in changes.items()}))


def with_report(**changes):
    return read(changed(power.optimum(), **{f"report__{name}": value for name, value in changes.items()}))


def test_what_ran_is_read_from_the_configuration():
    values = read(power.optimum()).values

    assert values.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert (values.backend, values.backend_version) == ("pytorch", "2.4.1")
    assert (values.precision, values.batch_size, values.max_output_tokens) == ("bf16", 2, 101)
    assert (values.tool, values.tool_version) == ("optimum-benchmark", "0.5.0")


def test_the_gpu_is_the_device_that_ran_not_the_first_of_the_machine():
    values = read(power.optimum()).values

    assert (values.hardware, values.gpu_count) == ("NVIDIA A100-SXM4-80GB", 1)


def test_devices_of_several_kinds_are_asked_about():
    result = with_config(backend__device_ids="0,1")

    assert (result.values.hardware, result.values.gpu_count) == (None, 2)
    assert "please state it" in result.notes["hardware"]


@pytest.mark.parametrize(("ids", "count"), [("1", 1), (1, 1), ([0, 1], 2), ("0,1", 2), (None, None), (True, None)])
def test_devices_are_counted_however_they_are_written(ids, count):
    assert with_config(backend__device_ids=ids).values.gpu_count == count


def test_seconds_become_milliseconds():
    values = read(power.optimum()).values

    assert (values.ttft_ms_mean, values.itl_ms_p50) == (pytest.approx(30.0), pytest.approx(20.0))


def test_throughput_tokens_and_time_are_of_the_decode_phase():
    result = read(power.optimum())

    assert result.values.throughput_tokens_per_s == 100.0
    assert (result.values.output_tokens, result.values.duration_s) == (2000, pytest.approx(20.0))
    assert "decode phase only" in result.warnings[0]


def test_kwh_of_the_gpus_become_joules():
    values = read(power.optimum()).values

    assert values.total_energy_j == pytest.approx(6000.0)
    assert values.energy_per_output_token_j == pytest.approx(3.0)
    assert (values.energy_scope, values.energy_method) == ("gpu", "codecarbon")


def test_without_a_gpu_the_energy_is_the_machines():
    values = with_config(backend__device="cpu").values

    assert values.total_energy_j == pytest.approx(9000.0)
    assert (values.energy_scope, values.hardware) == ("node", "AMD EPYC 7742 64-Core Processor")


def test_energy_in_another_unit_is_converted_and_an_unknown_one_refused():
    watt_hours = power.energy(600 / 3600) | {"unit": "Wh"}

    assert with_report(decode__energy=watt_hours).values.total_energy_j == pytest.approx(6000.0)
    with pytest.raises(ImportRefused, match=r"decode\.energy\.unit"):
        with_report(decode__energy=watt_hours | {"unit": "cal"})


@pytest.mark.parametrize("value", [None, 0.0, -1e-6])
def test_energy_that_was_not_measured_or_drowned_in_noise_is_missing(value):
    result = with_report(decode__energy__gpu=value)

    assert result.values.total_energy_j is None
    assert "did not measure" in result.notes["total_energy_j"]


def test_memory_is_the_sum_over_the_devices():
    one, two = read(power.optimum()).values, with_config(backend__device_ids="0,1").values

    assert (one.peak_memory_mb, one.peak_memory_total_mb) == (17_000.0, 17_000.0)
    assert (two.peak_memory_mb, two.peak_memory_total_mb) == (None, 17_000.0)


def test_answers_that_may_end_early_have_no_count_and_no_throughput():
    result = with_config(scenario__generate_kwargs__min_new_tokens=1)

    assert result.values.output_tokens is None
    assert result.values.throughput_tokens_per_s is None
    assert result.values.total_energy_j is None
    assert "too high" in result.notes["throughput_tokens_per_s"]


@pytest.mark.parametrize(
    ("changes", "precision"),
    [
        ({"torch_dtype": "float16"}, "fp16"),
        ({"torch_dtype": "auto"}, None),
        ({"torch_dtype": None}, None),
        ({"quantization_scheme": "awq", "quantization_config": {"bits": 4}}, "int4"),
        ({"quantization_scheme": "bnb", "quantization_config": {"load_in_8bit": True}}, "int8"),
        ({"quantization_scheme": "bnb", "quantization_config": {}}, None),
        ({"quantization_config": {"quant_method": "torchao"}}, None),
        ({"engine_args": {"dtype": "float16"}, "torch_dtype": None}, "fp16"),
        ({"engine_args": {"dtype": "float16", "quantization": "gptq"}}, None),
    ],
    ids=["float16", "auto", "none", "awq", "8 bits", "bnb", "torchao", "vLLM", "vLLM quantised"],
)
def test_the_precision_is_the_data_type_unless_a_quantisation_overrides_it(changes, precision):
    result = with_config(**{f"backend__{name}": value for name, value in changes.items()})

    assert result.values.precision == precision
    assert precision or "state it" in result.notes["precision"]


def test_a_report_takes_its_configuration_from_beside_it():
    files = [
        entry(power.optimum_report(), "a/benchmark_report.json"),
        entry(power.optimum_config(), "a/benchmark_config.json"),
    ]

    (result,) = import_files(files).results

    assert result.values.total_energy_j == pytest.approx(6000.0)
    assert result.values.hardware == "NVIDIA A100-SXM4-80GB"


def test_a_report_alone_asks_for_what_its_configuration_holds():
    (result,) = import_files([entry(power.optimum_report())]).results

    assert (result.values.model, result.values.total_energy_j) == (None, None)
    assert "benchmark_config.json" in result.notes["model"]
    assert result.values.ttft_ms_mean == pytest.approx(30.0)


def test_the_halves_of_a_benchmark_are_left_out_beside_it():
    imported = import_files(
        [
            entry(power.optimum(), "a/benchmark.json"),
            entry(power.optimum_report(), "a/benchmark_report.json"),
            entry(power.optimum_config(), "a/benchmark_config.json"),
            entry(power.optimum_report(), "b/benchmark_report.json"),
        ]
    )

    assert [result.file for result in imported.results] == ["a/benchmark.json", "b/benchmark_report.json"]
    assert [path for path, _ in imported.ignored] == ["a/benchmark_config.json", "a/benchmark_report.json"]


def test_a_configuration_alone_is_no_result():
    with pytest.raises(ImportRefused, match="no result"):
        import_files([entry(power.optimum_config())])


@pytest.mark.parametrize("kind", ["forward", "call"])
def test_what_generates_no_text_is_refused_in_words(kind):
    report = {"load_model": power.target(), kind: power.target(latency=power.latency([1.0]))}

    with pytest.raises(ImportRefused, match="text generation"):
        read({"config": power.optimum_config(), "report": report})
