"""The first generations: aggregated, raw and multi-cycle files."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import samples


def read(data):
    return import_files([samples.entry(data)]).results[0]


def test_system_throughput_is_tokens_over_the_wall_time_of_all_processes():
    values = read(samples.aggregated(2)).values

    assert values.duration_s == 64.0
    assert values.total_throughput_tokens_per_s == 38400 / 64
    assert values.throughput_tokens_per_s == 25600 / 64


def test_energy_per_output_token_comes_from_the_summed_output_tokens():
    values = read(samples.aggregated(2)).values

    assert values.energy_per_output_token_j == pytest.approx(22360 / 25600)
    assert values.tokens_per_joule == pytest.approx(25600 / 22360)


def test_energy_with_processor_and_memory_has_the_scope_node():
    values = read(samples.aggregated()).values

    assert (values.energy_scope, values.energy_method) == ("node", "codecarbon")


def test_energy_of_gpus_only_has_the_scope_gpu():
    only_gpu = {"energy_metrics": {"total_energy_j": 1.0, "gpu_energy_j": 1.0, "cpu_energy_j": 0.0}}

    values = read(samples.aggregated(process_results=[samples.process(**only_gpu)])).values

    assert values.energy_scope == "gpu"


def test_energy_without_parts_has_the_scope_node():
    values = read(samples.aggregated(process_results=[samples.process(energy_metrics=None)])).values

    assert values.energy_scope == "node"


@pytest.mark.parametrize("where", ["result", "process"])
def test_failed_energy_tracking_makes_energy_missing(where):
    failed = {"energy_tracking_failed": True}
    data = (
        samples.aggregated(**failed)
        if where == "result"
        else samples.aggregated(process_results=[samples.process(**failed)])
    )

    result = read(data)

    assert result.values.total_energy_j is None
    assert "tracking failed" in result.notes["total_energy_j"]


def test_energy_of_zero_is_missing():
    assert read(samples.aggregated(total_energy_j=0.0)).values.total_energy_j is None


def test_names_and_counts_come_from_the_processes():
    values = read(samples.aggregated(2)).values

    assert (values.model, values.hardware) == ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", samples.GPU)
    assert (values.gpu_count, values.precision, values.idle_power_w) == (2, "fp16", 104.0)
    assert (values.peak_memory_mb, values.peak_memory_total_mb) == (4100.0, 8200.0)


def test_processes_on_different_gpus_leave_the_hardware_open():
    processes = [samples.process(0), samples.process(1, gpu_name="NVIDIA H100")]

    result = read(samples.aggregated(process_results=processes))

    assert result.values.hardware is None
    assert "NVIDIA H100" in result.notes["hardware"]


def test_configuration_of_the_first_process_is_read():
    config = {
        "fp_precision": "bfloat16",
        "num_input_prompts": 40,
        "max_output_tokens": 128,
        "dataset": {"name": "ai_energy_score"},
        "pytorch": {"batch_size": 8, "load_in_4bit": False},
        "gpus": [0, 1, 2],
        "backend": "pytorch",
    }

    values = read(samples.aggregated(1, process_results=[samples.process(effective_config=config)])).values

    assert (values.precision, values.batch_size, values.requests, values.dataset) == ("bf16", 8, 40, "ai_energy_score")
    assert values.gpu_count == 3


def test_time_of_a_single_process_replaces_equal_start_and_end():
    data = samples.aggregated(1, end_time="2025-12-29T10:00:00")

    assert read(data).values.duration_s == 60.5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"process_results": []}, "process_results"),
        ({"process_results": [3]}, "process_results[0]"),
        ({"process_results": [samples.process(gpu_id="zero")]}, "process_results[0].gpu_id"),
        ({"total_tokens": 0}, "total_tokens"),
        ({"total_tokens": None}, "total_tokens"),
        ({"total_energy_j": -3}, "total_energy_j"),
        ({"energy_tracking_failed": "no"}, "energy_tracking_failed"),
        ({"end_time": "2025-12-29"}, "end_time"),
        ({"end_time": "2025-99-29"}, "end_time"),
    ],
)
def test_impossible_values_are_refused_by_field(changes, field):
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(samples.aggregated(**changes))])

    assert caught.value.field == field


def test_processes_without_output_tokens_are_refused():
    nothing = {"inference_metrics": {"total_tokens": 5, "input_tokens": 5, "output_tokens": 0}}

    with pytest.raises(ImportRefused, match="0 output tokens"):
        import_files([samples.entry(samples.aggregated(process_results=[samples.process(**nothing)]))])


def test_version_numbers_do_not_decide_the_shape():
    assert import_files([samples.entry(samples.aggregated(schema_version="2.0"))]).shape == "aggregated_v1"
    assert import_files([samples.entry(samples.result_2(schema_version="2.0.0"))]).shape == "result_2"


def test_raw_file_of_a_single_process_is_a_result():
    imported = import_files(samples.ALL["raw_process_v1"]())

    values = imported.results[0].values
    assert imported.shape == "raw_process_v1"
    assert (values.output_tokens, values.batch_size, values.duration_s) == (12800, 8, 60.5)


@pytest.mark.parametrize(
    "changes",
    [{}, {"effective_config": {"pytorch": {"num_processes": 2}}}, {"index": 1}, {"process_index": None}],
)
def test_raw_file_that_may_be_one_of_several_is_refused(changes):
    with pytest.raises(ImportRefused, match="send the aggregated result"):
        import_files([samples.entry(samples.process(**changes))])


def test_raw_files_beside_their_aggregated_result_are_left_out():
    entries = [
        samples.entry(samples.process(0), "raw/0007/process_0.json"),
        samples.entry(samples.process(1), "raw/0007/process_1.json"),
        samples.entry(samples.aggregated(2), "aggregated/0007.json"),
    ]

    imported = import_files(entries)

    assert (imported.shape, len(imported.results), len(imported.ignored)) == ("aggregated_v1", 1, 2)
    assert [kept.path for kept in imported.kept] == ["aggregated/0007.json"]


def test_multi_cycle_becomes_one_result_with_its_cycles_and_stated_statistics():
    result = read(samples.multi_cycle())

    assert (result.values.runs, len(result.cycles)) == (3, 3)
    assert result.values.total_energy_j == pytest.approx(11200.0)
    assert result.values.tokens_per_joule == pytest.approx(sum(12800 / e for e in (11000, 11200, 11400)) / 3)
    assert result.stated_statistics["total_energy_j"] == {"mean": 11200.0, "sd": 200.0, "cv": 0.0179}
    assert result.stated_statistics["total_throughput_tokens_per_s"] == {"mean": 320.0}


def test_throughput_of_one_of_several_processes_is_no_statistic_of_the_system():
    cycles = [samples.aggregated(2, start_time=f"2025-12-29T09:5{number}:00") for number in range(3)]

    result = read(samples.multi_cycle(cycle_results=cycles))

    assert "total_throughput_tokens_per_s" not in result.stated_statistics


def test_files_of_the_cycles_beside_the_multi_cycle_file_are_left_out():
    study = samples.multi_cycle()
    cycles = [samples.entry(cycle, f"aggregated/{place}.json") for place, cycle in enumerate(study["cycle_results"])]

    imported = import_files([*cycles, samples.entry(study, "0009_multi_cycle.json")])

    assert (imported.shape, len(imported.results), len(imported.ignored)) == ("multi_cycle_v1", 1, 3)


def test_multi_cycle_without_cycles_is_refused():
    with pytest.raises(ImportRefused) as caught:
        read(samples.multi_cycle(cycle_results=[]))

    assert caught.value.field == "cycle_results"


def test_real_two_process_file_gives_the_system_figures(shared_data):
    path = shared_data / "llenergymeasure/v1_3.0.0/aggregated/exp_20260204_151500_0043.json"

    values = import_files([Entry(path.name, path.read_bytes())]).results[0].values

    assert values.total_throughput_tokens_per_s == pytest.approx(15360 / 5.621277)
    assert (values.output_tokens, values.input_tokens, values.gpu_count) == (5120, 10240, 2)
    assert values.energy_per_output_token_j == pytest.approx(2097.033804255319 / 5120)
    assert (values.energy_scope, values.batch_size, values.precision) == ("node", 8, "fp16")
