"""Benchmark reports of llm-d: stated units, the stack, and times that are not the measured window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.importers import ImportRefused, import_files
from lemsite.lib import strict_yaml
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import load_samples, samples
from tests.leaderboard.importers.samples import changed
from tests.leaderboard.importers.test_import_files import FUZZ, JUNK, gives_result_or_refusal, places, put

REPORTS = {"0.1": load_samples.llm_d_1, "0.2": load_samples.llm_d_2}
LATENCY = "results__request_performance__aggregate__latency__time_to_first_token"
ENGINE = "scenario__stack__0__standardized"


def read(report):
    (result,) = import_files([samples.entry(report)]).results
    return result


def as_yaml(report, path="report.yaml"):
    return Entry(path, strict_yaml.dumps(report))


@pytest.mark.parametrize("version", REPORTS)
def test_yaml_and_json_say_the_same(version):
    report = REPORTS[version]()

    (from_yaml,) = import_files([as_yaml(report)]).results

    assert from_yaml.values == read(report).values


@pytest.mark.parametrize("version", REPORTS)
def test_each_version_gives_the_same_figures(version):
    values = read(REPORTS[version]()).values

    assert (values.model, values.backend, values.gpu_count) == ("meta-llama/Llama-3.1-8B-Instruct", "vllm", 1)
    assert (values.tensor_parallel, values.pipeline_parallel, values.batch_size) == (1, 1, 64)
    assert (values.throughput_tokens_per_s, values.requests_per_s) == (1280.0, 10.0)
    assert (values.output_tokens, values.input_tokens) == (25600, 102400)


@pytest.mark.parametrize("version", REPORTS)
@pytest.mark.parametrize("family", ["ttft", "tpot", "itl", "e2e"])
def test_latencies_are_converted_from_the_stated_units(version, family):
    values = read(REPORTS[version]()).values

    found = [getattr(values, f"{family}_ms_{part}") for part in ("mean", "p50", "p90", "p95", "p99")]
    assert found == pytest.approx(load_samples.MS[family])


@pytest.mark.parametrize("units", ["minutes", "ms/token", "S", "", None, 3])
def test_an_unknown_unit_is_refused_naming_the_field(units):
    with pytest.raises(ImportRefused, match=r"latency\.time_to_first_token\.units") as caught:
        read(changed(load_samples.llm_d_2(), **{f"{LATENCY}__units": units}))

    assert caught.value.field.endswith("time_to_first_token.units")


def test_precision_comes_from_the_model_or_the_arguments_of_the_engine():
    assert read(load_samples.llm_d_1()).values.precision == "fp16"
    assert read(load_samples.llm_d_2()).values.precision == "bf16"


@pytest.mark.parametrize(("args", "asks"), [({}, "does not name"), ({"--dtype": "auto"}, "not one precision")])
def test_an_unknown_precision_is_asked_for(args, asks):
    result = read(changed(load_samples.llm_d_2(), scenario__stack__0__native={"args": args}))

    assert result.values.precision is None
    assert asks in result.notes["precision"]


@pytest.mark.parametrize(
    ("quantisation", "precision", "asks"),
    [("bfloat16", "bf16", ""), ("awq", "int4", "'awq'"), ("gptq", None, "does not fix a width"), (None, None, "")],
)
def test_the_quantisation_of_version_1_is_a_precision_or_asked_for(quantisation, precision, asks):
    result = read(changed(load_samples.llm_d_1(), scenario__model__quantization=quantisation))

    assert result.values.precision == precision
    assert asks in result.notes.get("precision", "")


def test_a_flag_without_value_is_on_and_its_no_is_off():
    off = changed(load_samples.llm_d_2(), scenario__stack__0__native={"args": {"--no-enable-prefix-caching": None}})

    assert read(load_samples.llm_d_2()).values.prefix_caching is True
    assert read(off).values.prefix_caching is False


def test_replicas_count_all_their_gpus():
    report = changed(load_samples.llm_d_2(), **{f"{ENGINE}__replicas": 2, f"{ENGINE}__accelerator__count": 8})

    assert read(report).values.gpu_count == 16


def test_gpus_of_several_workers_are_asked_for():
    result = read(changed(load_samples.llm_d_2(), **{f"{ENGINE}__accelerator__parallelism__workers": 4}))

    assert result.values.gpu_count is None
    assert "all workers" in result.notes["gpu_count"]


def test_several_kinds_of_gpu_are_asked_for():
    report = load_samples.llm_d_2()
    other = changed(report["scenario"]["stack"][0], standardized__accelerator__model="NVIDIA L4")
    report["scenario"]["stack"].append(other)

    result = read(report)

    assert (result.values.hardware, result.values.gpu_count) == (None, 2)
    assert "several kinds" in result.notes["hardware"]


def test_the_images_of_llm_d_run_vllm():
    native = {"args": {}, "envars": {"VLLM_LOGGING_LEVEL": "DEBUG"}}
    report = changed(load_samples.llm_d_2(), **{f"{ENGINE}__tool": "llm-d", "scenario__stack__0__native": native})

    assert read(report).values.backend == "vllm"


def test_the_measured_time_is_that_of_the_rates_and_not_of_the_harness():
    for report in (load_samples.llm_d_1(), load_samples.llm_d_2()):
        result = read(report)

        assert result.values.duration_s == pytest.approx(20.0)
        assert "divided by their rate" in result.notes["duration_s"]


def test_without_a_rate_of_requests_the_stated_duration_counts():
    report = load_samples.llm_d_2()
    del report["results"]["request_performance"]["aggregate"]["throughput"]["request_rate"]

    assert read(report).values.duration_s == 900.0


def test_a_duration_that_is_none_is_refused_by_name():
    report = changed(load_samples.llm_d_2(), run__time__duration="15 minutes")

    with pytest.raises(ImportRefused, match=r"run.time.duration is '15 minutes'.*PT49.9S"):
        read(report)


def test_failed_requests_lower_the_success_rate():
    values = read(load_samples.llm_d_2()).values

    assert (values.requests, values.success_rate) == (204, pytest.approx(200 / 204))


def test_counts_that_the_rates_contradict_are_warned_of():
    report = changed(load_samples.llm_d_1(), metrics__requests__output_length__mean=512.0)

    result = read(report)

    assert result.values.output_tokens == 25600
    assert "102400" in result.warnings[0]


@pytest.mark.parametrize("version", REPORTS)
def test_power_and_memory_of_one_gpu_are_read(version):
    values = read(REPORTS[version]()).values

    assert (values.avg_power_w, values.peak_memory_mb) == (480.0, pytest.approx(75161.93))


def test_power_of_several_gpus_is_left_out_for_it_may_be_of_one_or_all():
    result = read(changed(load_samples.llm_d_2(), **{f"{ENGINE}__replicas": 2}))

    assert (result.values.avg_power_w, result.values.peak_memory_mb) == (None, None)
    assert "one GPU or of all" in result.notes["avg_power_w"]


@pytest.mark.parametrize("limit", [".inf", "inf", 64])
def test_an_unlimited_concurrency_is_asked_for(limit):
    report = changed(load_samples.llm_d_2(), scenario__load__standardized__concurrency=limit)

    assert read(report).values.concurrency == (64 if limit == 64 else None)


def test_a_bare_infinity_in_yaml_is_read_as_no_limit():
    entry = as_yaml(load_samples.llm_d_2())
    bare = Entry(entry.path, entry.content.replace(b"'.inf'", b".inf"))

    (result,) = import_files([bare]).results

    assert bare.content != entry.content
    assert "no limit" in result.notes["concurrency"]


def test_other_yaml_is_left_out_beside_reports_and_refused_alone():
    config = Entry("config.yaml", b"version: 0.1\nload:\n  type: constant\n")
    imported = import_files([as_yaml(load_samples.llm_d_2()), config])

    assert [path for path, _ in imported.ignored] == ["config.yaml"]
    with pytest.raises(ImportRefused, match=r"config.yaml: it is YAML, but no benchmark report of llm-d"):
        import_files([config])


def test_a_broken_report_is_refused_with_its_line():
    broken = as_yaml(load_samples.llm_d_2()).content + b"again: [\n"

    with pytest.raises(ImportRefused, match=r"report.yml: it is not valid YAML at line \d+, column \d+"):
        import_files([Entry("report.yml", broken), samples.entry(samples.normal(), "b.json")])


def test_yaml_of_more_than_four_mib_together_is_refused():
    padding = b"# " + b"x" * (200 << 10) + b"\n"
    reports = [Entry(f"{number}.yaml", as_yaml(load_samples.llm_d_2()).content + padding) for number in range(25)]

    with pytest.raises(ImportRefused, match="more than 4 MiB together"):
        import_files(reports)


@pytest.mark.parametrize("name", ["br_v0_2_example.yaml", "br_v0_2_1_example.yaml"])
def test_the_examples_of_version_2_are_read(name, shared_data):
    content = (shared_data / "other-tools/llm-d-benchmark" / name).read_bytes()

    (result,) = import_files([Entry(name, content)]).results

    assert (result.values.model, result.values.hardware) == ("Qwen/Qwen3-0.6B", "NVIDIA-H100-80GB-HBM3")
    assert result.values.ttft_ms_mean == pytest.approx(36.8578, abs=1e-4)


def test_the_example_of_version_1_ends_before_it_starts_and_is_refused_for_that(shared_data):
    content = (shared_data / "other-tools/llm-d-benchmark/br_v0_1_example.yaml").read_bytes()

    with pytest.raises(ImportRefused, match=r"metrics.time.stop is before time.start"):
        import_files([Entry("br.yaml", content)])
    (result,) = import_files([Entry("br.yaml", content.replace(b"stop: 1749570580", b"stop: 1749570600"))]).results

    assert (result.values.gpu_count, result.values.tensor_parallel) == (17, None)
    assert result.values.ttft_ms_mean == pytest.approx(0.80097, abs=1e-4)


@FUZZ
@given(st.data())
def test_any_mutated_yaml_gives_a_result_or_a_refusal(data):
    report = REPORTS[data.draw(st.sampled_from(sorted(REPORTS)))]()
    path = data.draw(st.sampled_from([place for place in places(report) if place]))
    put(report, path, data.draw(JUNK), drop=data.draw(st.booleans()))

    gives_result_or_refusal([as_yaml(report)])


@FUZZ
@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_bytes_inside_a_report_give_a_result_or_a_refusal(junk, place):
    content = as_yaml(load_samples.llm_d_2()).content

    gives_result_or_refusal([Entry("report.yaml", content[:place] + junk + content[place:])])
