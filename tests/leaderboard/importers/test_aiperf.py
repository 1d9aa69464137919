"""AIPerf: figures by their units, GPUs by their UUIDs, and energy only where the telemetry covers the run."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import power_samples as power
from tests.leaderboard.importers.samples import changed, entry


def read(entries):
    (result,) = import_files(entries).results
    return result


def alone(**changes):
    return read([entry(power.aiperf(**changes))])


def test_latencies_are_milliseconds_by_their_unit():
    seconds = power.spread("sec", 0.03)

    as_ms, as_s = alone().values, alone(time_to_first_token=seconds).values

    assert as_ms.ttft_ms_mean == pytest.approx(30.0)
    assert as_s.ttft_ms_mean == pytest.approx(30.0)
    assert as_s.ttft_ms_p99 == pytest.approx(39.0)


@pytest.mark.parametrize("unit", ["furlongs", None, 3, "S"])
def test_a_unit_that_is_not_known_is_refused_by_name(unit):
    with pytest.raises(ImportRefused, match=r"time_to_first_token\.unit"):
        alone(time_to_first_token=power.metric(unit, 30.0))


def test_the_mean_per_request_is_tpot_and_the_gap_between_chunks_is_itl():
    values = alone(inter_chunk_latency=power.spread("ms", 1.0)).values

    assert (values.tpot_ms_mean, values.itl_ms_mean) == (18.2, 1.0)


def test_throughput_is_the_systems_not_one_users():
    values = alone().values

    assert values.throughput_tokens_per_s == 100.0
    assert values.total_throughput_tokens_per_s == pytest.approx(150.0)


def test_tokens_with_reasoning_count_as_output():
    values = alone(total_output_tokens=power.metric("tokens", 500.0)).values

    assert values.output_tokens == 2000


def test_input_tokens_follow_from_their_mean_where_the_sum_is_absent():
    result = alone(total_isl=None)

    assert result.values.input_tokens == 1000
    assert result.origins["input_tokens"] == Origin.COMPUTED


def test_concurrency_is_no_batch_size():
    values = alone().values

    assert (values.concurrency, values.batch_size) == (2, None)


def test_failed_requests_lower_the_success_rate():
    values = alone(error_request_count=power.metric("requests", 10.0)).values

    assert (values.requests, values.success_rate) == (20, 0.5)


def test_times_come_from_the_time_stamps_of_the_requests():
    values = alone().values

    assert values.started_at.isoformat() == "2025-11-07T21:38:54+00:00"
    assert (values.ended_at - values.started_at).total_seconds() == pytest.approx(20)


def test_times_without_a_zone_are_noted():
    result = read([entry(power.aiperf_later())])

    assert "without a zone" in result.notes["started_at"]


@pytest.mark.parametrize("field", ["backend", "precision", "batch_size"])
def test_what_a_client_cannot_know_is_missing(field):
    result = alone()

    assert getattr(result.values, field) is None
    assert result.origins[field] == Origin.MISSING


def test_without_telemetry_gpu_and_count_are_asked_for():
    result = alone(telemetry_data=None)

    assert (result.values.hardware, result.values.gpu_count, result.values.total_energy_j) == (None, None, None)
    assert "please state it" in result.notes["hardware"]


def test_a_gpu_that_two_exporters_list_is_one():
    result = alone()

    assert result.values.gpu_count == 1
    assert "two exporters" in result.notes["gpu_count"]


def test_gpus_with_different_uuids_are_several():
    endpoints = {"a:9400": {"gpus": {"gpu_0": power.gpu(), "gpu_1": power.gpu(power.OTHER_UUID)}}}

    values = alone(telemetry_data={"endpoints": endpoints}).values

    assert values.gpu_count == 2
    assert (values.peak_memory_mb, values.peak_memory_total_mb) == (49_600.0, 99_200.0)


def test_gpus_of_several_kinds_are_asked_about():
    endpoints = {"a": {"gpus": {"0": power.gpu(), "1": power.gpu(power.OTHER_UUID, gpu_name="NVIDIA T4")}}}

    result = alone(telemetry_data={"endpoints": endpoints})

    assert result.values.hardware is None
    assert "several kinds" in result.notes["hardware"]


def test_memory_in_gb_becomes_mb():
    assert alone().values.peak_memory_mb == pytest.approx(49_600.0)


def test_energy_is_the_difference_of_the_counter_in_megajoules():
    result = read(power.aiperf_entries())

    assert result.values.total_energy_j == pytest.approx(2000.0)
    assert result.values.energy_per_output_token_j == pytest.approx(1.0)
    assert result.values.avg_power_w == pytest.approx(100.0)
    assert (result.values.energy_scope, result.values.energy_method) == ("gpu", "dcgm")
    assert result.origins["total_energy_j"] == Origin.COMPUTED


def test_power_and_energy_are_summed_over_gpus():
    gpus = {"gpu_0": power.gpu(), "gpu_1": power.gpu(power.OTHER_UUID)}
    rows = [*power.readings(), *power.readings(uuid=power.OTHER_UUID, watts=50.0, start=7.0)]

    values = read(power.aiperf_entries(rows, telemetry_data={"endpoints": {"a": {"gpus": gpus}}})).values

    assert values.total_energy_j == pytest.approx(3000.0)
    assert values.avg_power_w == pytest.approx(150.0)


def test_a_gpu_without_sampled_power_is_judged_by_its_counter_alone():
    gpus = {"gpu_0": power.gpu(), "gpu_1": power.gpu(power.OTHER_UUID)}
    silent = power.readings(uuid=power.OTHER_UUID)
    for row in silent:
        del row["telemetry_data"]["gpu_power_usage"]
    rows = [*power.readings(), *silent]

    values = read(power.aiperf_entries(rows, telemetry_data={"endpoints": {"a": {"gpus": gpus}}})).values

    assert values.total_energy_j == pytest.approx(4000.0)


def test_the_result_alone_asks_for_its_telemetry():
    result = alone()

    assert result.values.total_energy_j is None
    assert "gpu_telemetry_export.jsonl" in result.notes["total_energy_j"]


def jumped(rows, second, megajoules):
    """The counter loses or gains this from `second` on."""
    for row in rows:
        if row["timestamp_ns"] >= power.START + second * power.SECOND:
            row["telemetry_data"]["energy_consumption"] += megajoules
    return rows


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (power.readings(-2, 1), "covers 1.0 s of the 20.0 s"),
        (power.readings(1, 22), "covers 19.0 s of the 20.0 s"),
        (power.readings(-9, -3), "covers 0.0 s"),
        ([*power.readings(-2, 5), *power.readings(9, 22)], "a gap of 4.0 s"),
        (jumped(power.readings(), 10, -30.0), "reset or went backwards"),
        (jumped(power.readings(), 10, -0.0005), "reset or went backwards"),
        (jumped(power.readings(), 10, 0.01), "one of them is wrong"),
        (power.readings(watts=0.0), "did not move"),
        ([*power.readings(), *power.readings(uuid=power.OTHER_UUID)], "2 GPUs and the result 1"),
        ([power.reading(second, telemetry_data={"gpu_power_usage": 9.0}) for second in range(-2, 23)], "no energy"),
    ],
    ids=["cut", "late", "before", "gap", "reset", "step back", "jump", "still", "other GPUs", "no counter"],
)
def test_telemetry_that_does_not_hold_refuses_the_energy_and_keeps_the_latency(rows, why):
    result = read(power.aiperf_entries(rows))

    assert result.values.total_energy_j is None
    assert result.values.energy_scope is None
    assert why in result.notes["total_energy_j"]
    assert result.values.ttft_ms_mean == 30.0


def test_the_later_layout_names_version_model_and_load():
    values = read([entry(power.aiperf_later())]).values

    assert (values.tool, values.tool_version) == ("aiperf", "0.10.0")
    assert (values.model, values.concurrency, values.dataset) == ("qwen3-0.6b", 2, "sharegpt")


def test_the_tools_own_total_is_taken_where_it_counts_each_gpu_once():
    result = read([entry(power.aiperf_later())])

    assert result.values.total_energy_j == 2000.0
    assert result.origins["total_energy_j"] == Origin.FILE


def test_the_tools_own_total_is_refused_where_it_counts_a_gpu_twice():
    result = read([entry(power.aiperf_later(telemetry_data=power.aiperf()["telemetry_data"]))])

    assert result.values.total_energy_j is None
    assert "twice" in result.notes["total_energy_j"]


@pytest.mark.parametrize(("unit", "joules"), [("MJ", 2e9), ("mJ", 2.0), ("kWh", 7.2e9), ("Wh", 7.2e6)])
def test_energy_is_converted_by_its_unit(unit, joules):
    values = read([entry(power.aiperf_later(nvidia_total_gpu_energy=power.metric(unit, 2000.0)))]).values

    assert values.total_energy_j == pytest.approx(joules)


def test_telemetry_of_another_folder_is_not_this_runs():
    result, rows = power.aiperf_entries()

    (parsed,) = import_files([Entry("a/r.json", result.content), Entry("b/gpu.jsonl", rows.content)]).results

    assert parsed.values.total_energy_j is None


def test_each_folder_has_its_own_telemetry():
    result, rows = power.aiperf_entries()
    later = entry(changed(power.aiperf(), request_count__avg=9.0), "b/r.json")

    imported = import_files([Entry("a/r.json", result.content), Entry("a/gpu.jsonl", rows.content), later])

    assert [one.values.total_energy_j is not None for one in imported.results] == [True, False]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"gpu_uuid": "x", "telemetry_data": {}', "ends in the middle"),
        (b'{"gpu_uuid": "x", "telemetry_data": {}}', "timestamp_ns is missing"),
        (b'{"gpu_uuid": "x", "telemetry_data": {"energy_consumption": NaN}}', "NaN"),
        (b'{"gpu_uuid": "x", "telemetry_data": {}, "timestamp_ns": -1}', "cannot be negative"),
        (b'{"gpu_uuid": "x", "telemetry_data": 3, "timestamp_ns": 1}', "must be an object"),
        (b"[]", "must be an object"),
        (b'{"a": "' + b"x" * 20_000 + b'"}', "larger than"),
    ],
    ids=["cut", "no time", "NaN", "negative", "no object", "list", "long"],
)
def test_a_bad_line_of_the_telemetry_is_refused_by_its_number(line, problem):
    result, rows = power.aiperf_entries()

    with pytest.raises(ImportRefused, match=r"gpu_telemetry_export\.jsonl: line 51") as caught:
        import_files([result, Entry(rows.path, rows.content + line)])

    assert problem in caught.value.message


def test_a_telemetry_file_with_too_many_readings_is_refused():
    result, rows = power.aiperf_entries()

    with pytest.raises(ImportRefused, match="20000 readings"):
        import_files([result, Entry(rows.path, rows.content * 2000)])


def test_telemetry_alone_holds_no_result():
    with pytest.raises(ImportRefused, match="no result"):
        import_files([power.telemetry(power.readings())])


def test_a_cancelled_run_is_warned_of():
    assert "cancelled" in alone(was_cancelled=True).warnings[0]


def test_a_run_over_several_models_asks_which_one_counts():
    result = alone(input_config={"endpoint": {"model_names": ["a/b", "c/d"]}})

    assert result.values.model is None
    assert "2 models" in result.notes["model"]


@pytest.mark.parametrize("load", [{"start": 1, "end": 64}, [1, 2], "many"], ids=["ramp", "list", "word"])
def test_a_load_that_is_no_one_number_is_no_concurrency(load):
    config = {"models": ["qwen3-0.6b"], "phases": [{"concurrency": load, "rate": load}]}

    values = read([entry(power.aiperf_later(input_config=config))]).values

    assert (values.model, values.concurrency, values.request_rate_per_s) == ("qwen3-0.6b", None, None)


def test_telemetry_without_time_stamps_of_the_run_gives_no_energy():
    _, rows = power.aiperf_entries()

    result = read([entry(power.aiperf_later(nvidia_total_gpu_energy=None)), rows])

    assert result.values.total_energy_j is None
    assert "no time stamps" in result.notes["total_energy_j"]
