"""Schema 2.0, 3.0 and 5.0 of `llem run`."""

import json

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import NormalResult, Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import samples


def read(data, *sides):
    return import_files([samples.entry(data), *sides]).results[0]


def refusal(data):
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(data)])
    return caught.value


def check_the_figures(result):
    values = result.values
    assert (values.output_tokens, values.input_tokens) == (640, 1280)
    assert values.throughput_tokens_per_s == pytest.approx(149.01, abs=0.005)
    assert values.total_throughput_tokens_per_s == pytest.approx(447.03, abs=0.005)
    assert values.energy_per_output_token_j == pytest.approx(0.35631, abs=0.000005)
    assert values.tokens_per_joule == pytest.approx(2.8065, abs=0.00005)
    assert values.total_tokens_per_joule == pytest.approx(8.4196, abs=0.00005)
    assert values.total_energy_j == pytest.approx(228.04, abs=0.005)
    assert values.avg_power_w == pytest.approx(53.1, abs=0.05)
    assert values.idle_power_w == pytest.approx(35.95, abs=0.005)
    assert values.peak_memory_mb == pytest.approx(263.1, abs=0.05)


def test_real_result_2_gives_the_check_figures(shared_data):
    path = shared_data / "llenergymeasure/v2.0_real/gpt2_pytorch_v2.0.json"

    result = import_files([Entry(path.name, path.read_bytes())]).results[0]

    check_the_figures(result)
    values = result.values
    assert (values.precision, values.batch_size, values.hardware) == ("bf16", 1, samples.GPU)
    assert (values.power_limit_w, values.tool_version) == (250, "0.8.0")
    assert values.gpu_count is None
    assert "please state it" in result.notes["gpu_count"]
    assert result.config_hash_matches is True
    assert any("short_measurement" in warning for warning in result.warnings)


def test_real_result_3_gives_the_same_figures(shared_data):
    path = shared_data / "llenergymeasure/v3.0_real/gpt2_transformers_v2.0.json"

    result = import_files([Entry(path.name, path.read_bytes())]).results[0]

    check_the_figures(result)
    assert (result.values.precision, result.values.batch_size, result.values.hardware) == (None, None, None)


def test_sample_of_result_2_gives_the_check_figures():
    check_the_figures(read(samples.result_2()))


def test_every_field_has_an_origin_and_each_computed_or_missing_one_a_note():
    result = read(samples.result_2())

    assert set(result.origins) == set(NormalResult.model_fields)
    assert all(result.notes[name] for name, origin in result.origins.items() if origin is not Origin.FILE)
    assert result.origins["output_tokens"] is Origin.COMPUTED
    assert result.origins["total_energy_j"] is Origin.FILE


def test_output_tokens_come_from_energy_where_flops_are_absent():
    result = read(samples.result_2(flops_per_output_token=None))

    assert result.values.output_tokens == 640
    assert "avg_energy_per_token_j" in result.notes["output_tokens"]


def test_output_tokens_are_missing_where_nothing_tells_them_apart():
    result = read(samples.result_2(flops_per_output_token=None, avg_energy_per_token_j=0.0))

    assert result.values.output_tokens is None
    assert result.values.throughput_tokens_per_s is None
    assert result.values.total_tokens_per_joule == pytest.approx(8.4196, abs=0.0001)


def test_more_output_tokens_than_asked_for_are_kept_and_noted():
    result = read(samples.result_2(samples.effective_config(n=4)))

    assert (result.values.output_tokens, result.values.requests, result.values.max_output_tokens) == (640, 4, 128)
    assert "more than 4 requests of 128 tokens" in result.notes["output_tokens"]


def test_more_output_tokens_than_tokens_are_refused():
    refused = refusal(samples.result_2(total_tokens=600))

    assert refused.field == "total_tokens"


def test_naive_times_are_taken_as_utc_and_noted():
    result = read(samples.result_2())

    assert result.values.started_at.isoformat() == "2026-03-13T14:21:11.145237+00:00"
    assert "UTC" in result.notes["started_at"]


def test_aware_times_carry_no_note():
    result = read(samples.result_2(start_time="2026-03-13T15:21:11+01:00"))

    assert result.values.started_at.isoformat() == "2026-03-13T14:21:11+00:00"
    assert "started_at" not in result.notes


@pytest.mark.parametrize("energy", [0.0, None])
def test_energy_that_was_not_measured_is_missing_not_zero(energy):
    result = read(samples.result_2(total_energy_j=energy))

    assert result.values.total_energy_j is None
    assert result.values.energy_scope is None
    assert result.origins["tokens_per_joule"] is Origin.MISSING


def test_memory_of_zero_is_missing():
    result = read(samples.changed(samples.result_2(), extended_metrics__memory={"peak_memory_mb": 0.0}))

    assert result.values.peak_memory_mb is None


@pytest.mark.parametrize(
    ("config", "precision"),
    [
        ({"precision": "fp16"}, "fp16"),
        ({"pytorch": {"load_in_4bit": True}}, "int4"),
        ({"pytorch": {"load_in_8bit": True}}, "int8"),
        ({"backend": "vllm", "vllm": {"engine": {"quantization": "awq"}}}, "int4"),
        ({"backend": "vllm", "vllm": {"engine": {"quantization": "fp8"}}}, "fp8"),
        ({"backend": "vllm", "vllm": {"quantization": "gptq"}}, None),
        ({"backend": "tensorrt", "tensorrt": {"quantization": "int8_sq"}}, "int8"),
        ({"backend": "tensorrt", "tensorrt": {"quant": {"quant_algo": "W4A16_AWQ"}}}, "int4"),
        ({"backend": "tensorrt", "tensorrt": {"quant": {"quant_algo": "NO_QUANT"}}}, "bf16"),
        ({"precision": "auto"}, None),
    ],
)
def test_quantisation_overrides_the_data_type(config, precision):
    result = read(samples.result_2(samples.effective_config(**config)))

    assert result.values.precision == precision
    assert precision or "please state it" in result.notes["precision"]


@pytest.mark.parametrize(
    ("config", "batch_size", "origin"),
    [
        ({"pytorch": {"batch_size": 8}}, 8, Origin.FILE),
        ({"pytorch": None}, 1, Origin.COMPUTED),
        ({"backend": "vllm", "vllm": {"engine": {"max_num_seqs": 64}}}, 64, Origin.FILE),
        ({"backend": "vllm", "vllm": {"max_num_seqs": 32}}, 32, Origin.FILE),
        ({"backend": "vllm", "vllm": {"engine": {"max_num_seqs": None}}}, 256, Origin.COMPUTED),
        ({"backend": "tensorrt", "tensorrt": {"max_batch_size": 16}}, 16, Origin.FILE),
        ({"backend": "tensorrt", "tensorrt": {}}, None, Origin.MISSING),
    ],
)
def test_batch_size_follows_the_engine(config, batch_size, origin):
    result = read(samples.result_2(samples.effective_config(**config)))

    assert (result.values.batch_size, result.origins["batch_size"]) == (batch_size, origin)


@pytest.mark.parametrize(
    ("sampler", "method", "scope"),
    [
        ("zeus", "zeus", "gpu"),
        ("nvml", "nvml_sampled", "gpu"),
        ("auto", "nvml_sampled", "gpu"),
        ("codecarbon", "codecarbon", "node"),
    ],
)
def test_energy_method_is_the_configured_sampler(sampler, method, scope):
    result = read(samples.result_2(samples.effective_config(energy={"backend": sampler})))

    assert (result.values.energy_method, result.values.energy_scope) == (method, scope)


def test_parallel_settings_of_vllm_are_read():
    engine = {"tensor_parallel_size": 2, "enable_prefix_caching": True, "speculative_model": "small"}
    config = samples.effective_config(backend="vllm", vllm={"engine": engine})

    values = read(samples.result_2(config, multi_gpu={"num_gpus": 2})).values

    assert (values.tensor_parallel, values.prefix_caching, values.speculative_decoding) == (2, True, True)
    assert values.gpu_count == 2


def test_gpu_count_falls_back_to_the_energy_of_each_device():
    result = read(samples.result_2(energy_per_device_j=[100.0, 128.0]))

    assert (result.values.gpu_count, result.origins["gpu_count"]) == (2, Origin.COMPUTED)


def test_backend_version_comes_from_the_package_list():
    assert read(samples.result_2()).values.backend_version == "5.3.0"


def test_config_hash_is_verified_without_runner_keys():
    config = samples.effective_config()
    result = samples.result_2(config)
    result["effective_config"] = config | {"runner_image": "x"}

    assert read(result).config_hash_matches is True


def test_config_hash_of_another_configuration_does_not_match():
    assert read(samples.result_2(measurement_config_hash="0" * 16)).config_hash_matches is False


def test_model_from_a_local_folder_keeps_only_its_last_part():
    result = read(samples.result_2(samples.effective_config(model="/home/alice/models/llama-7b")))

    assert result.values.model == "llama-7b"
    assert "local folder" in result.notes["model"]


def test_result_5_reads_environment_beside_it():
    environment = samples.entry(samples.environment_5(), "environment.json")

    result = read(samples.result_5(), environment)

    assert (result.values.hardware, result.values.gpu_count) == (samples.GPU, 1)
    assert (result.values.output_tokens, result.values.input_tokens) == (15360, 10800)
    assert result.values.total_throughput_tokens_per_s == pytest.approx(212.5447, abs=0.0001)
    assert result.values.precision is None


def test_result_5_reads_config_beside_it():
    declared = samples.declared_config(
        harness={"transformers": {"batch_size": 8}}, transformers={"engine_params": {"dtype": "float16"}}
    )
    side = samples.config_side(declared, experiment_id="gpt2_20260720_093000", declared_config_hash=None)
    side["measurement_config_hash"] = "f055201785933212"

    values = read(samples.result_5(), samples.entry(side, "config.json")).values

    assert (values.precision, values.batch_size, values.backend_version) == ("fp16", 8, "5.14.1")


def test_environment_of_another_result_is_not_used():
    environment = samples.environment_5(measurement_config_hash="ffffffffffffffff")

    imported = import_files([samples.entry(samples.result_5()), samples.entry(environment, "environment.json")])

    assert imported.results[0].values.hardware is None
    assert imported.ignored == [("environment.json", "It belongs to no result in the same folder.")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total_energy_j": -1.0}, "total_energy_j"),
        ({"total_tokens": 0}, "total_tokens"),
        ({"total_tokens": None}, "total_tokens"),
        ({"total_tokens": 12.5}, "total_tokens"),
        ({"total_tokens": 1e19}, "total_tokens"),
        ({"total_tokens": "1920"}, "total_tokens"),
        ({"total_inference_time_sec": "4.29"}, "total_inference_time_sec"),
        ({"total_inference_time_sec": True}, "total_inference_time_sec"),
        ({"avg_tokens_per_second": [1]}, "avg_tokens_per_second"),
        ({"total_energy_j": 1e300}, "total_energy_j"),
        ({"start_time": "2026-02-30T09:00:00"}, "start_time"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"start_time": 5}, "start_time"),
        ({"start_time": "0001-01-01T00:00:00+14:00"}, "start_time"),
        ({"end_time": "2020-01-01T00:00:00"}, "end_time"),
        ({"measurement_config_hash": 7}, "measurement_config_hash"),
        ({"measurement_config_hash": "x" * 201}, "measurement_config_hash"),
        ({"energy_per_device_j": 5}, "energy_per_device_j"),
        ({"environment_snapshot": "none"}, "environment_snapshot"),
        ({"effective_config": []}, "effective_config"),
        ({"extended_metrics": {"memory": {"peak_memory_mb": "much"}}}, "extended_metrics.memory.peak_memory_mb"),
        ({"multi_gpu": {"num_gpus": 1.5}}, "multi_gpu.num_gpus"),
        ({"multi_gpu": {"num_gpus": 10**6}}, "gpu_count"),
    ],
)
def test_an_impossible_value_is_refused_by_file_and_field(changes, field):
    refused = refusal(samples.result_2(**changes))

    assert refused.field == field
    assert refused.message.startswith(f"result.json: {field} ")


def test_the_180_invented_results_parse_and_keep_their_impossible_power(shared_data):
    path = shared_data / "llenergymeasure/commons/synthetic-180.json"

    imported = import_files([Entry(path.name, path.read_bytes())])

    assert (imported.shape, len(imported.results)) == ("result_2", 180)
    assert max(result.values.avg_power_w or 99 for result in imported.results) < 5
    assert all("more than 100 requests of 128" in r.notes["output_tokens"] for r in imported.results[:15])


def test_an_array_of_results_is_spread_out():
    data = [samples.result_2(), samples.result_2(samples.effective_config(precision="fp16"))]

    imported = import_files([Entry("many.json", json.dumps(data).encode())])

    assert [result.file for result in imported.results] == ["many.json[0]", "many.json[1]"]
