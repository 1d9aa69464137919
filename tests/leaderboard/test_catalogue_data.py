"""The catalogue's data files: names mean one thing, figures are sane and sourced, published rows hold together."""

import json
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from leaderboard.models.catalogue import fold_gpu_name
from leaderboard.normal import NormalResult

CATALOGUE = Path(__file__).resolve().parents[2] / "leaderboard" / "catalogue"
FIGURES = {
    "memory_gb": (1, 1000),
    "bandwidth_gb_per_s": (50, 20_000),
    "fp16_dense_tflops": (1, 20_000),
    "bf16_dense_tflops": (1, 20_000),
    "fp8_dense_tflops": (1, 40_000),
    "fp4_dense_tflops": (1, 80_000),
    "tdp_w": (10, 3000),
    "usd_per_gpu_hour": (0.01, 100),
}


@cache
def read(name: str) -> Any:
    return json.loads((CATALOGUE / name).read_text(encoding="utf-8"))


def folded(name: str) -> str:
    return name.casefold().removeprefix("nvidia ").removeprefix("amd ")


def repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def names_of(row: dict[str, Any], *fields: str) -> set[str]:
    return {folded(name) for name in [*(row[field] for field in fields), *row["aliases"]]}


def hardware_by_name() -> dict[str, dict[str, Any]]:
    return {name: row for row in read("hardware.json")["hardware"] for name in names_of(row, "slug", "name")}


def models_by_name() -> dict[str, dict[str, Any]]:
    return {name: row for row in read("models.json")["models"] for name in names_of(row, "name")}


@pytest.mark.parametrize(
    ("file", "key", "fields"),
    [
        ("hardware.json", "hardware", ("slug", "name")),
        ("models.json", "models", ("name",)),
        ("backends.json", "backends", ("slug", "name")),
    ],
)
def test_a_name_means_one_row_whatever_its_case(file: str, key: str, fields: tuple[str, ...]) -> None:
    rows = read(file)[key]

    names = [name for row in rows for name in names_of(row, *fields)]

    assert repeated(names) == []


def test_a_gpu_is_named_apart_from_the_others_without_dashes_too() -> None:
    rows = read("hardware.json")["hardware"]

    names = [{fold_gpu_name(name) for name in (row["slug"], row["name"], *row["aliases"])} for row in rows]

    assert repeated(name for some in names for name in some) == []


@pytest.mark.parametrize("name", ["hardware.json", "models.json", "backends.json", "published.json", "grid.json"])
def test_a_data_file_holds_one_row_a_line(name: str) -> None:
    lines = {line.rstrip(",") for line in (CATALOGUE / name).read_text(encoding="utf-8").splitlines()}

    rows = [row for rows in read(name).values() if isinstance(rows, list) for row in rows]

    assert [row for row in rows if json.dumps(row, ensure_ascii=False) not in lines] == []


@pytest.mark.parametrize(
    ("reported", "slug"),
    [
        ("NVIDIA A100-PCIE-40GB", "a100-pcie-40"),
        ("A100-PCIE-40GB", "a100-pcie-40"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("H100 PCIe", "h100-pcie"),
        ("nvidia geforce rtx 4090", "rtx-4090"),
        ("Tesla V100-PCIE-32GB", "v100-pcie-32"),
        ("AMD Instinct MI300X", "mi300x"),
    ],
)
def test_the_name_a_driver_reports_finds_its_gpu(reported: str, slug: str) -> None:
    assert hardware_by_name()[folded(reported)]["slug"] == slug


@pytest.mark.parametrize("bare", ["V100", "A100", "H100"])
def test_a_name_that_fits_several_gpus_finds_none(bare: str) -> None:
    assert folded(bare) not in hardware_by_name()


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_of_gpus_lie_in_a_sane_range(figure: str) -> None:
    low, high = FIGURES[figure]

    odd = [
        row["slug"]
        for row in read("hardware.json")["hardware"]
        if row[figure] is not None and not low <= row[figure] <= high
    ]

    assert odd == []


def test_every_gpu_states_memory_bandwidth_and_power() -> None:
    missing = [
        row["slug"]
        for row in read("hardware.json")["hardware"]
        if None in (row["memory_gb"], row["bandwidth_gb_per_s"], row["tdp_w"])
    ]

    assert missing == []


def test_narrower_formats_are_never_slower() -> None:
    for row in read("hardware.json")["hardware"]:
        peaks = [row[f"{kind}_dense_tflops"] for kind in ("bf16", "fp16", "fp8", "fp4")]
        known = [peak for peak in peaks if peak is not None]
        assert known == sorted(known), row["slug"]


def test_every_gpu_names_known_sources() -> None:
    data = read("hardware.json")

    for row in data["hardware"]:
        assert row["sources"], row["slug"]
        assert set(row["sources"]) <= set(data["sources"]), row["slug"]


def test_only_the_recalled_source_counts_as_not_found() -> None:
    sources = read("hardware.json")["sources"]

    assert [key for key, source in sources.items() if not source["is_found"]] == ["REC"]


def test_a_price_has_a_source_and_no_price_has_none() -> None:
    for row in read("hardware.json")["hardware"]:
        assert (row["usd_per_gpu_hour"] is None) == (row["price_source"] is None), row["slug"]
        if row["price_date"] is not None:
            assert row["price_source"] is not None, row["slug"]


def test_every_model_has_a_card_of_its_own_name() -> None:
    for row in read("models.json")["models"]:
        assert row["source"] == f"https://huggingface.co/{row['name']}"
        assert row["name"].count("/") == 1


def test_a_model_never_reads_more_parameters_than_it_has() -> None:
    for row in read("models.json")["models"]:
        assert 0.01 <= row["parameters_total_b"] <= 5000, row["name"]
        if row["parameters_active_b"] is not None:
            assert 0 < row["parameters_active_b"] <= row["parameters_total_b"], row["name"]


def test_titles_of_models_are_unique() -> None:
    assert repeated(row["title"].casefold() for row in read("models.json")["models"]) == []


@pytest.mark.parametrize(
    ("written", "slug"),
    [("pytorch", "transformers"), ("tensorrt", "tensorrt-llm"), ("llamafile", "llama-cpp"), ("vLLM", "vllm")],
)
def test_a_backend_is_found_by_what_tools_call_it(written: str, slug: str) -> None:
    found = [row["slug"] for row in read("backends.json")["backends"] if folded(written) in names_of(row, "slug")]

    assert found == [slug]


def test_published_rows_are_valid_and_say_where_they_come_from() -> None:
    for row in read("published.json")["results"]:
        result = NormalResult.model_validate(row)
        assert result.source_name
        assert result.source_url
        assert result.source_date


def test_published_rows_belong_to_a_listed_source() -> None:
    data = read("published.json")
    named = Counter(row["source_name"] for row in data["results"])

    assert named == {source["name"]: source["rows"] for source in data["sources"]}
    assert all(source["licence"] and source["date"] for source in data["sources"])


def test_published_rows_are_about_known_models_and_gpus() -> None:
    for row in read("published.json")["results"]:
        assert folded(row["model"]) in models_by_name(), row["model"]
        assert folded(row["hardware"]) in hardware_by_name(), row["hardware"]


def test_no_configuration_is_published_twice() -> None:
    keys = ("model", "hardware", "tensor_parallel", "pipeline_parallel", "batch_size")

    rows = [" ".join(str(row[key]) for key in keys) for row in read("published.json")["results"]]

    assert repeated(rows) == []


def test_power_over_throughput_is_energy_per_token_in_every_published_row() -> None:
    for row in read("published.json")["results"]:
        derived = row["avg_power_w"] / row["throughput_tokens_per_s"]
        assert derived == pytest.approx(row["energy_per_output_token_j"], rel=1e-4)
        assert 1 / row["tokens_per_joule"] == pytest.approx(row["energy_per_output_token_j"], rel=1e-4)


def test_published_power_is_possible_on_its_gpus() -> None:
    gpus = hardware_by_name()

    for row in read("published.json")["results"]:
        tdp_w = gpus[folded(row["hardware"])]["tdp_w"]
        assert row["tensor_parallel"] * row["pipeline_parallel"] == row["gpu_count"]
        assert 0.08 * tdp_w < row["avg_power_w"] / row["gpu_count"] < 1.05 * tdp_w, row["source_url"]


def test_grid_factors_have_a_source_a_year_and_sane_values() -> None:
    grid = read("grid.json")

    assert grid["source"]
    assert repeated(row["code"] for row in grid["countries"]) == []
    for row in grid["countries"]:
        assert 5 < row["co2_g_per_kwh"] < 1500, row["name"]
        assert 2000 < row["year"] <= grid["year"], row["name"]


def test_gpu_figures_equal_the_collected_facts(shared_data: Path) -> None:
    facts = json.loads((shared_data / "gpu_facts.json").read_text(encoding="utf-8"))["gpus"]
    rows = {row["slug"]: row for row in read("hardware.json")["hardware"]}
    renamed = {"memory_gb": "vram_gb", "bandwidth_gb_per_s": "mem_bw_gbs", "prices": "price_usd_h"}
    same = ("fp16_dense_tflops", "bf16_dense_tflops", "fp8_dense_tflops", "fp4_dense_tflops", "tdp_w", "sources")

    for fact in facts:
        row = rows[fact["slug"]]
        assert {ours: row[ours] for ours in renamed} == {ours: fact[theirs] for ours, theirs in renamed.items()}
        assert {name: row[name] for name in same} == {name: fact[name] for name in same}


def test_published_rows_equal_the_files_they_come_from(shared_data: Path) -> None:
    files = sorted((shared_data / "other-tools" / "ml-energy-v2" / "chat").glob("*/*/*/bs*.json"))
    rows = {
        (row["model"], row["hardware"], row["tensor_parallel"], row["pipeline_parallel"], row["batch_size"]): row
        for row in read("published.json")["results"]
    }

    assert len(files) == len(rows)
    for file in files:
        data = json.loads(file.read_text(encoding="utf-8"))
        row = rows[data["Model"], data["GPU"], data["TP"], data["PP"], data["Max BS (reqs)"]]
        energy = row["energy_per_output_token_j"] * data["Avg Output Tokens"]
        assert energy == pytest.approx(data["Energy/req (J)"], rel=1e-5)
        assert row["throughput_tokens_per_s"] == pytest.approx(data["Token tput (tok/s)"], rel=1e-5)
        assert row["tpot_ms_mean"] == pytest.approx(data["Avg TPOT (s)"] * 1000, rel=1e-5)


def test_the_catalogue_knows_every_model_of_the_collected_results(shared_data: Path) -> None:
    known = models_by_name()
    published = json.loads((shared_data / "other-tools/ml-energy-v2/chat/models.json").read_text(encoding="utf-8"))
    measured = ["gpt2", "Qwen/Qwen2.5-0.5B", "meta-llama/Llama-3.1-8B", "TinyLlama/TinyLlama-1.1B-Chat-v1.0"]
    local = ["Meta Llama 3.1 8B Instruct", "Qwen2.5 14B Instruct", "Llama 3.2 1B Instruct"]
    others = ["meta-llama/Llama-3.2-1B", "meta-llama/Meta-Llama-3-8B-Instruct", "Qwen/Qwen3-0.6B"]

    assert [name for name in [*published, *measured, *local, *others] if folded(name) not in known] == []
