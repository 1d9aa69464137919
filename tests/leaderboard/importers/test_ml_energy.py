"""ML.ENERGY: joules per output token, power summed over GPUs, seconds and milliseconds told apart."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from tests.leaderboard.importers import power_samples as power
from tests.leaderboard.importers.samples import entry


def read(data):
    (result,) = import_files([entry(data)]).results
    return result


def test_a_row_of_the_second_version_is_read():
    values = read(power.ml_energy_v2()).values

    assert (values.model, values.hardware) == ("google/gemma-2-27b-it", "NVIDIA H100 80GB HBM3")
    assert (values.gpu_count, values.tensor_parallel, values.pipeline_parallel) == (2, 2, 1)
    assert (values.tool, values.energy_scope, values.energy_method) == ("ml-energy", "gpu", "zeus")


def test_energy_per_request_becomes_energy_per_output_token():
    result = read(power.ml_energy_v2())

    assert result.values.energy_per_output_token_j == pytest.approx(0.6)
    assert result.values.tokens_per_joule == pytest.approx(1 / 0.6)
    assert result.origins["energy_per_output_token_j"] == Origin.COMPUTED


def test_power_follows_from_energy_and_throughput_of_all_gpus():
    assert read(power.ml_energy_v2()).values.avg_power_w == pytest.approx(600.0)


def test_seconds_of_the_second_version_become_milliseconds():
    assert read(power.ml_energy_v2()).values.tpot_ms_mean == pytest.approx(64.0)


def test_the_batch_size_is_the_limit_not_the_mean():
    values = read(power.ml_energy_v2()).values

    assert (values.batch_size, values.concurrency) == (64, None)


@pytest.mark.parametrize(("tensor", "pipeline", "gpus"), [(1, 1, 1), (4, 1, 4), (8, 2, 16)])
def test_gpus_are_tensor_times_pipeline_parallel(tensor, pipeline, gpus):
    assert read(power.ml_energy_v2(TP=tensor, PP=pipeline)).values.gpu_count == gpus


@pytest.mark.parametrize("field", ["backend", "precision", "tool_version", "duration_s", "total_energy_j"])
def test_what_the_second_version_does_not_say_is_missing(field):
    result = read(power.ml_energy_v2())

    assert getattr(result.values, field) is None
    assert result.origins[field] == Origin.MISSING


def test_a_list_of_rows_is_many_results():
    imported = import_files([entry([power.ml_energy_v2(), power.ml_energy_v2(TP=4)])])

    assert [result.values.gpu_count for result in imported.results] == [2, 4]


def test_a_row_of_the_third_version_is_read():
    values = read(power.ml_energy_row()).values

    assert (values.model, values.hardware, values.gpu_count) == ("Qwen/Qwen3-14B", "B200", 2)
    assert (values.precision, values.batch_size, values.tensor_parallel) == ("bf16", 16, 2)
    assert values.throughput_tokens_per_s == 3000.0
    assert values.energy_per_output_token_j == 0.4


def test_power_of_the_third_version_is_the_sum_of_the_gpus():
    result = read(power.ml_energy_row())

    assert result.values.avg_power_w == 1200.0
    assert "sum over all GPUs" in result.notes["avg_power_w"]


def test_latencies_of_the_third_version_are_gaps_in_milliseconds():
    values = read(power.ml_energy_row()).values

    assert (values.itl_ms_p50, values.itl_ms_p90, values.itl_ms_p99) == (5.0, 7.0, 16.0)
    assert values.tpot_ms_mean is None


def test_a_models_file_gives_every_row_what_is_beside_the_list():
    imported = import_files([entry(power.ml_energy_model())])

    assert [result.values.batch_size for result in imported.results] == [16, 32]
    assert {result.values.model for result in imported.results} == {"Qwen/Qwen3-14B"}
    assert {result.values.precision for result in imported.results} == {"fp8"}
    assert {result.values.tensor_parallel for result in imported.results} == {2}
    assert {result.values.dataset for result in imported.results} == {"lm-arena-chat"}


@pytest.mark.parametrize(
    ("stated", "precision"), [("bfloat16", "bf16"), ("fp8", "fp8"), ("MXFP4", "fp4"), ("float16", "fp16")]
)
def test_the_precision_is_the_weights(stated, precision):
    assert read(power.ml_energy_row(weight_precision=stated)).values.precision == precision


def test_a_precision_that_is_not_one_is_asked_for():
    result = read(power.ml_energy_row(weight_precision="mixed-thing"))

    assert result.values.precision is None
    assert "mixed-thing" in result.notes["precision"]


@pytest.mark.parametrize("data", [
    {"gpu_model": "B200", "num_gpus": 1, "energy_per_image_joules": 4.0},
    {"task": "text-to-video", "architecture": "diffusion", "configurations": [{"gpu_model": "B200"}]},
], ids=["row", "task"])  # fmt: skip
def test_images_and_videos_are_refused_in_words(data):
    with pytest.raises(ImportRefused, match="images or videos"):
        read(data)


def test_an_empty_list_of_configurations_is_refused():
    with pytest.raises(ImportRefused, match="empty list"):
        read(power.ml_energy_model(configurations=[]))


def test_a_run_of_the_benchmark_is_its_steady_state():
    values = read(power.ml_energy_run()).values

    assert (values.total_energy_j, values.duration_s, values.output_tokens) == (70_000.0, 100.0, 100_000)
    assert values.throughput_tokens_per_s == pytest.approx(1000.0)
    assert values.avg_power_w == pytest.approx(700.0)


def test_an_infinite_request_rate_is_none():
    values = read(power.ml_energy_run()).values

    assert (values.request_rate_per_s, values.concurrency, values.batch_size) == (None, 64, 16)


def test_a_run_keeps_no_prompts():
    imported = import_files([entry(power.ml_energy_run())])

    (result,), (kept,) = imported.results, imported.kept
    assert "results" not in result.config
    assert b"What is love?" not in kept.content
    assert import_files([kept]).results[0].values == result.values
    assert imported.ignored == [("result.json: results", "Records of single requests are not imported.")]
    assert result.config["num_prompts"] == 1024


@pytest.mark.parametrize("date", ["yesterday", "2026-03-14", "20261399-000000"])
def test_a_date_that_is_none_is_refused(date):
    with pytest.raises(ImportRefused, match="date is"):
        read(power.ml_energy_run(date=date))


@pytest.mark.parametrize("name", ["Energy/req (J)", "Token tput (tok/s)", "TP", "Avg TPOT (s)"])
@pytest.mark.parametrize("value", ["12", True, [1], {"a": 1}])
def test_a_wrong_type_is_refused_by_its_field(name, value):
    with pytest.raises(ImportRefused) as caught:
        read(power.ml_energy_v2(**{name: value}))

    assert caught.value.field == name


def test_the_list_of_models_beside_the_rows_is_left_out():
    models = {"google/gemma-2-27b-it": {"url": "https://huggingface.co/x", "nickname": "Gemma", "params": 27}}

    imported = import_files([entry(power.ml_energy_v2(), "a/bs64+tp2+pp1.json"), entry(models, "models.json")])

    assert [path for path, _ in imported.ignored] == ["models.json"]


def test_the_same_row_twice_is_the_same_measurement():
    first, second = import_files([entry(power.ml_energy_v2(), "a.json"), entry(power.ml_energy_v2(), "b.json")]).results

    assert first.identity == second.identity


def test_a_list_of_too_many_configurations_is_refused():
    with pytest.raises(ImportRefused, match="2000 rows"):
        read(power.ml_energy_model(configurations=[power.ml_energy_row()] * 2001))


def test_many_files_of_many_configurations_are_refused_together():
    many = power.ml_energy_model(configurations=[power.ml_energy_row()] * 1500)

    with pytest.raises(ImportRefused, match="more than 2000 results"):
        import_files([entry(many, f"{number}.json") for number in range(3)])
