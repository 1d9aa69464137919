"""Studies: several cycles of several configurations, as a folder or as one file."""

import pytest

from leaderboard.importers import ImportRefused, import_files
from leaderboard.normal import Origin
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import samples


def study_entries(cycles, listed=None):
    paths = [f"study/gpt2_{number}/result.json" for number in range(len(cycles))]
    rows = [(path, cycle["measurement_config_hash"]) for path, cycle in zip(paths, cycles, strict=True)]
    files = [samples.entry(cycle, path) for cycle, path in zip(cycles, paths, strict=True)]
    return [samples.entry(samples.manifest(listed or rows), "study/manifest.json"), *files]


def test_cycles_of_one_configuration_become_one_result():
    imported = import_files(study_entries(samples.cycles_of_result_2()))

    result = imported.results[0]
    assert (imported.shape, len(imported.results)) == ("study_manifest", 1)
    assert (result.values.runs, len(result.cycles)) == (3, 3)
    assert result.values.total_energy_j == pytest.approx(230.0)
    assert result.origins["total_energy_j"] is Origin.COMPUTED
    assert result.notes["total_energy_j"] == "The mean over 3 cycles."


def test_ratios_are_taken_per_cycle_and_then_averaged():
    result = import_files(study_entries(samples.cycles_of_result_2((200.0, 400.0)))).results[0]

    assert result.values.tokens_per_joule == pytest.approx((640 / 200 + 640 / 400) / 2)


def test_merged_result_spans_from_the_first_start_to_the_last_end():
    values = import_files(study_entries(samples.cycles_of_result_2())).results[0].values

    assert (values.started_at.minute, values.ended_at.minute, values.ended_at.second) == (20, 22, 5)


def test_another_configuration_gpu_or_tool_version_is_another_result():
    other_gpu = samples.environment(hardware={"gpu": {"name": "NVIDIA H100"}})
    cycles = [
        samples.result_2(),
        samples.result_2(samples.effective_config(precision="fp16")),
        samples.result_2(environment_snapshot=other_gpu, total_energy_j=210.0),
        samples.result_2(environment_snapshot=samples.environment(tool_version="0.9.0"), total_energy_j=200.0),
    ]

    imported = import_files([samples.entry(cycle, f"{place}.json") for place, cycle in enumerate(cycles)])

    assert [result.values.runs for result in imported.results] == [1, 1, 1, 1]


def test_the_same_file_twice_is_one_cycle():
    imported = import_files([samples.entry(samples.result_2(), "a.json"), samples.entry(samples.result_2(), "b.json")])

    assert imported.results[0].values.runs == 1
    assert imported.ignored == [("b.json", "It is the same measurement as a.json.")]
    assert [kept.path for kept in imported.kept] == ["a.json"]


def test_values_that_differ_between_cycles_are_missing():
    cycles = samples.cycles_of_result_2()
    cycles[1]["environment_snapshot"] = samples.environment(installed_packages=["transformers==5.4.0"])

    result = import_files(study_entries(cycles)).results[0]

    assert result.values.backend_version is None
    assert result.notes["backend_version"] == "The cycles differ in this value."


def test_mean_over_some_cycles_says_so():
    cycles = samples.cycles_of_result_2()
    cycles[0]["flops_per_second"] = None

    result = import_files(study_entries(cycles)).results[0]

    assert result.notes["flops_per_second"] == "The mean over the 2 of 3 cycles that have it."


def test_cycles_that_the_manifest_lists_but_the_upload_lacks_are_named():
    cycles = samples.cycles_of_result_2((220.0, 230.0))
    name = cycles[0]["measurement_config_hash"]
    listed = [(f"study/gpt2_{number}/result.json", name) for number in range(3)]

    result = import_files(study_entries(cycles, listed)).results[0]

    assert "lists 3 completed cycles" in result.notes["runs"]
    assert result.notes["runs"] in result.warnings


def test_manifest_gives_the_tool_version_that_results_lack():
    result = samples.result_2(environment_snapshot=None)

    read = import_files(study_entries([result])).results[0]

    assert (read.values.tool_version, read.origins["tool_version"]) == ("0.8.0", Origin.FILE)


def test_cycles_of_a_multi_cycle_file_below_a_manifest_still_merge():
    entries = study_entries(samples.cycles_of_result_2()[:1])

    imported = import_files([*entries, samples.entry(samples.multi_cycle(), "study/0009_multi_cycle.json")])

    assert [result.values.runs for result in imported.results] == [3, 1]


def test_manifest_alone_asks_for_the_folder():
    with pytest.raises(ImportRefused, match="send the whole folder of the study"):
        import_files([samples.entry(samples.manifest([("a/result.json", "abc")]), "manifest.json")])


def test_wrapping_folders_do_not_matter():
    entries = [Entry(f"deep/er/{entry.path}", entry.content) for entry in samples.bundle_entries("c1")]

    assert import_files(entries).results[0].values.precision == "bf16"


def test_study_result_json_is_spread_out_and_merged():
    imported = import_files([samples.entry(samples.study_result(samples.cycles_of_result_2()), "study.json")])

    assert (imported.shape, imported.results[0].values.runs) == ("study_result", 3)
    assert imported.results[0].file == "study.json: experiments[0]"


def test_folder_of_a_bundle_is_preferred_to_its_copy_in_a_study_result():
    copy = samples.entry(samples.study_result([samples.bundle()]), "api.json")

    imported = import_files([copy, *samples.bundle_entries("c1")])

    assert imported.results[0].values.precision == "bf16"
    assert imported.ignored == [("api.json: experiments[0]", "It is the same measurement as c1/result.json.")]


@pytest.mark.parametrize("experiments", [[], [{"a": 1}], ["text"], [None], "none"])
def test_study_result_without_results_is_refused(experiments):
    with pytest.raises(ImportRefused):
        import_files([samples.entry(samples.study_result(experiments))])


def test_other_files_of_a_study_are_left_out_with_a_reason():
    entries = [
        *study_entries(samples.cycles_of_result_2()),
        Entry("study/gpt2_0/timeseries.parquet", b"PAR1"),
        Entry("study/study.yaml", b"a: 1"),
        Entry("study/_study-artefacts/system.json", b"{}"),
        samples.entry({"groups": [], "observed_collision_groups": []}, "study/equivalence_groups.json"),
        samples.entry({"power_w": 52, "sample_count": 3}, "study/baseline.json"),
    ]

    imported = import_files(entries)

    assert len(imported.ignored) == 5
    assert all(why.endswith(".") for _, why in imported.ignored)
    assert len(imported.kept) == 4


def test_real_study_folder_gives_four_results_of_three_cycles(shared_data):
    folder = shared_data / "llenergymeasure/v2.0_study/my-study_2026-11-21T05-06-27"
    entries = [Entry(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*.json"))]

    imported = import_files(entries)

    assert imported.shape == "study_manifest"
    assert [result.values.runs for result in imported.results] == [3, 3, 3, 3]
    assert all(result.config_hash_matches for result in imported.results)


def test_real_study_of_bundles_gives_four_results_of_three_cycles(shared_data):
    folder = shared_data / "llenergymeasure/pypi070_study/my-study_2026-11-21T05-08-53"
    entries = [
        Entry(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()
    ]

    imported = import_files(entries)

    assert [result.values.runs for result in imported.results] == [3, 3, 3, 3]
    assert {result.values.precision for result in imported.results} == {"fp16", "bf16"}
    assert {result.values.batch_size for result in imported.results} == {1, 4}
