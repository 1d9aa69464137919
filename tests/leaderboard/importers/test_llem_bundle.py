"""Bundles of llenergymeasure 0.7.0."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from tests.leaderboard.importers import samples


def server_entries(**changes):
    declared = samples.server_declared()
    return [
        samples.entry(samples.server_bundle(**changes)),
        samples.entry(samples.config_side(declared), "config.json"),
        samples.entry(samples.system_side(declared), "system.json"),
    ]


def test_offline_bundle_reads_all_three_files():
    imported = import_files(samples.bundle_entries("run/c1"))

    values = imported.results[0].values
    assert (imported.shape, len(imported.kept)) == ("bundle_2", 3)
    assert (values.hardware, values.precision, values.batch_size) == (samples.GPU, "bf16", 4)
    assert (values.requests, values.max_output_tokens, values.dataset) == (60, 256, "aienergyscore")
    assert (values.energy_method, values.energy_scope, values.idle_power_w) == ("zeus", "gpu", 52.0)
    assert (values.ttft_ms_p50, values.ttft_ms_p95, values.itl_ms_mean) == (37.9, 46.1, 7.4)
    assert (values.tool_version, values.backend_version) == ("0.7.0", "5.14.1")


def test_offline_bundle_counts_all_tokens_in_its_average():
    values = import_files(samples.bundle_entries()).results[0].values

    assert values.total_throughput_tokens_per_s == 212.7
    assert values.throughput_tokens_per_s == pytest.approx(15360 / 123)
    assert values.tokens_per_joule == pytest.approx(15360 / 15917)


def test_declared_configuration_is_kept_and_its_hash_verified():
    result = import_files(samples.bundle_entries()).results[0]

    assert result.config == samples.declared_config()
    assert result.config_hash_matches is True


def test_result_alone_asks_for_what_the_other_files_hold():
    result = import_files([samples.entry(samples.bundle())]).results[0]

    assert (result.values.precision, result.values.hardware) == (None, None)
    assert "config.json" in result.notes["precision"]
    assert "system.json" in result.notes["hardware"]
    assert result.config_hash_matches is None


def test_server_mode_counts_only_output_tokens_in_its_average():
    values = import_files(server_entries()).results[0].values

    assert values.throughput_tokens_per_s == pytest.approx(250.4833, abs=0.0001)
    assert (values.total_throughput_tokens_per_s, values.input_tokens) == (None, None)
    assert (values.ttft_ms_p90, values.tpot_ms_p50, values.e2e_ms_p99) == (53.6, 44.5, 60.8)
    assert (values.requests, values.success_rate, values.requests_per_s) == (948, 0.9894, 3.9)


def test_server_mode_reads_its_traffic_and_leaves_slo_out_of_the_hash():
    without_slo = samples.server_declared()
    del without_slo["server"]["traffic"]["slo"]
    stated = samples.config_hash(without_slo)
    entries = [
        samples.entry(samples.server_bundle(declared_config_hash=stated)),
        samples.entry(samples.config_side(samples.server_declared(), declared_config_hash=stated), "config.json"),
    ]

    result = import_files(entries).results[0]

    assert (result.values.request_rate_per_s, result.values.concurrency, result.values.batch_size) == (4.0, 32, 64)
    assert result.config_hash_matches is True


def test_unstable_load_level_becomes_a_warning():
    result = import_files(server_entries()).results[0]

    assert result.warnings == ["The tool marks this load level as not stable: J/token drifted"]


def test_unknown_keys_are_tolerated():
    entries = [samples.entry(samples.bundle(a_new_key=1) | {"schema_version": "9"})]

    assert import_files(entries).results[0].values.output_tokens == 15360


def test_what_the_tools_own_model_refuses_is_refused_in_plain_words():
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(samples.bundle(throttle="hot"))])

    assert caught.value.message.startswith("result.json: throttle must be a valid dictionary")
    assert caught.value.field == "throttle"


def test_a_missing_required_key_is_named():
    result = samples.bundle()
    del result["total_flops"]

    with pytest.raises(ImportRefused, match=r"result\.json: total_flops is missing"):
        import_files([samples.entry(result)])


@pytest.mark.parametrize("changes", [{"output_tokens": 0}, {"output_tokens": -5}, {"output_tokens": "many"}])
def test_impossible_token_counts_are_refused(changes):
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(samples.bundle(**changes))])

    assert caught.value.field == "output_tokens"


def test_side_files_in_another_folder_are_not_used():
    entries = [samples.entry(samples.bundle(), "a/result.json"), samples.entry(samples.config_side(), "b/config.json")]

    imported = import_files(entries)

    assert imported.results[0].values.precision is None
    assert [path for path, _ in imported.ignored] == ["b/config.json"]


def test_estimated_latencies_are_noted():
    stats = samples.bundle()["latency_stats"] | {"measurement_mode": "per_request_batch"}

    result = import_files([samples.entry(samples.bundle(latency_stats=stats))]).results[0]

    assert "estimated" in result.notes["ttft_ms_p50"]
    assert result.origins["ttft_ms_p50"] is Origin.FILE


def test_dtype_auto_falls_back_to_what_the_engine_reported():
    declared = samples.declared_config(transformers={"engine_params": {"dtype": None}})
    side = samples.config_side(declared, observed_engine_params={"dtype": "torch.float16"})

    result = import_files([samples.entry(samples.bundle(declared)), samples.entry(side, "config.json")]).results[0]

    assert result.values.precision == "fp16"
