"""The rows and files that benchmarks/checks.py judges, and the ways in which it falsifies them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from leaderboard.checks import Context, Finding, HardwareFacts, ModelFacts, Neighbour, run_checks
from leaderboard.checks.surroundings import Crowd, Standing, standing, surround
from leaderboard.importers import Imported, ImportRefused, import_files
from leaderboard.normal import NormalResult, Origin, ParsedResult
from lemsite.lib.archives import Entry

Values = dict[str, Any]
Facts = TypeVar("Facts")
CATALOGUE = Path(__file__).resolve().parent.parent / "leaderboard" / "catalogue"
WINDOW_S = 600.0
#: figures of one run against the next, as a share: what a rerun of the same configuration scatters by
RERUN_SD = 0.03
RERUNS = 5
#: what describes results and is none; the invented ones are judged by themselves
NOT_RESULTS = ("llenergymeasure/schemas", "llenergymeasure/yaml", "schema.", "llenergymeasure/commons")
#: folders whose files belong together; in the others each file is an upload of its own
TOGETHER = ("llenergymeasure/", "other-tools/aiperf/")


class Catalogue:
    """Names and aliases of the catalogue's data files, and what they mean."""

    def __init__(self) -> None:
        self.hardware = load_facts("hardware.json", "hardware", hardware_facts)
        self.models = load_facts("models.json", "models", model_facts)
        self.backends = load_facts("backends.json", "backends", lambda entry: str(entry["slug"]))

    def stands(self, values: NormalResult, **whose: Any) -> Standing:
        gpu, model = _named(self.hardware, values.hardware), _named(self.models, values.model)
        backend = _named(self.backends, values.backend)
        return standing(values, targets=(model and model.name, gpu and gpu.name, backend), **whose)

    def judge(self, parsed: ParsedResult, *crowds: Crowd, reruns: Sequence[Neighbour] = ()) -> list[Finding]:
        """The findings on a result among these others."""
        values = parsed.values
        around = surround(self.stands(values), *(crowds or (Crowd([]),)))
        context = Context(
            hardware=_named(self.hardware, values.hardware),
            model=_named(self.models, values.model),
            backend_known=_named(self.backends, values.backend) is not None,
            now=datetime.now(tz=UTC),
            duplicate_of=None,
            peers=[*around.peers, *reruns],
            curve=around.curve,
        )
        return run_checks(parsed, context)


def load_facts(name: str, key: str, build: Callable[[Values], Facts]) -> dict[str, Facts]:
    """Names and aliases, in lower case, of one catalogue file."""
    entries = json.loads((CATALOGUE / name).read_text(encoding="utf-8"))[key]
    named = ((alias, entry) for entry in entries for alias in (entry["name"], *entry["aliases"]))
    return {alias.casefold(): build(entry) for alias, entry in named} | {
        entry["slug"]: build(entry) for entry in entries if "slug" in entry
    }


def hardware_facts(entry: Values) -> HardwareFacts:
    return HardwareFacts(
        name=entry["name"],
        vendor=entry["vendor"],
        memory_gb=entry["memory_gb"],
        bandwidth_gb_per_s=entry["bandwidth_gb_per_s"],
        tflops={width: entry[f"{width}_dense_tflops"] for width in ("fp16", "bf16", "fp8", "fp4")},
        tdp_w=entry["tdp_w"],
    )


def model_facts(entry: Values) -> ModelFacts:
    return ModelFacts(entry["name"], entry["parameters_total_b"], entry["parameters_active_b"])


def _named(facts: Mapping[str, Facts], name: str | None) -> Facts | None:
    return facts.get((name or "").casefold())


def published_results() -> list[ParsedResult]:
    """The rows that come with the site, as the importer reads them."""
    path = CATALOGUE / "published.json"
    return import_files([Entry(path.name, path.read_bytes())]).results


def uploads(data: Path) -> Iterator[tuple[str, list[Entry]]]:
    """What someone would upload of the data folder: a folder of files that belong together, or one file."""
    for path in sorted(path for path in data.glob("*/*/**/*") if path.is_file()):
        name = path.relative_to(data).as_posix()
        if not name.startswith(TOGETHER) and not any(word in name for word in NOT_RESULTS):
            yield name, [Entry(path.name, path.read_bytes())]
    exports = {path.parent for path in data.glob("other-tools/aiperf/**/*.json")}
    for folder in sorted({*data.glob("llenergymeasure/*"), *exports}):
        name = folder.relative_to(data).as_posix()
        if not any(word in name for word in NOT_RESULTS):
            yield name, _files_below(folder)


def _files_below(folder: Path) -> list[Entry]:
    inner = {path.parent for path in folder.rglob("profile_export_aiperf.json")} - {folder}
    files = (path for path in sorted(folder.rglob("*.json*")) if not any(other in path.parents for other in inner))
    return [Entry(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]


def read_or_say(entries: Sequence[Entry]) -> Imported | ImportRefused:
    try:
        return import_files(entries)
    except ImportRefused as refused:
        return refused


@dataclass(frozen=True)
class Row:
    """One real row, with every figure that the checks of one file can use."""

    values: Values
    number: int

    def parsed(self, values: Values | None = None) -> ParsedResult:
        given = values or self.values
        cycles = [NormalResult(**cycle) for cycle in given.get("cycles", ())]
        plain = {name: value for name, value in given.items() if name != "cycles"}
        return ParsedResult(NormalResult(**plain), dict.fromkeys(plain, Origin.FILE), file="published", cycles=cycles)

    def reruns(self) -> list[Neighbour]:
        """Simulated, the same each time: other people's honest reruns of this row."""
        chance = random.Random(self.number)
        kept = replace(REAL_NEIGHBOUR, load=self.values["batch_size"])
        return [
            replace(
                kept,
                throughput_tokens_per_s=self.values["throughput_tokens_per_s"] * chance.lognormvariate(0, RERUN_SD),
                energy_per_output_token_j=self.values["energy_per_output_token_j"] * chance.lognormvariate(0, RERUN_SD),
            )
            for _ in range(RERUNS)
        ]


#: what the copies below do not change along, so it would give them away
LEFT_OUT = {"runs", "tokens_per_joule", "total_tokens_per_joule", "energy_per_total_token_j", *(
    f"{latency}_ms_p{place}" for latency in ("itl", "tpot") for place in (50, 90, 95, 99)
)}  # fmt: skip
#: which H100 that board means
BOARD_GPUS = {"H100": "NVIDIA H100 80GB HBM3"}
REAL_NEIGHBOUR = Neighbour("rerun", load=None, throughput_tokens_per_s=None, energy_per_output_token_j=None)


def full_rows(results: Sequence[ParsedResult]) -> list[Row]:
    """Rows of a board with what a file of its tool would hold besides: engine, bf16 and batch where the row lacks
    them, and power, energy and tokens of a window of ten minutes. The IDN checks hold on these by construction."""
    return [Row(_full(parsed.values), number) for number, parsed in enumerate(results)]


def rows_of_files(files: Sequence[Path]) -> list[ParsedResult]:
    """The text rows of the task files of the ML.ENERGY Leaderboard v3; those of images and videos are left out."""
    found: list[ParsedResult] = []
    for file in files:
        imported = read_or_say([Entry(file.name, file.read_bytes())])
        if isinstance(imported, ImportRefused):
            print(f"left out: {imported}")
        else:
            found += imported.results
    return found


def _full(values: NormalResult) -> Values:
    throughput, joules = values.throughput_tokens_per_s or 0.0, values.energy_per_output_token_j or 0.0
    tokens = round(throughput * WINDOW_S)
    kept = values.model_dump(exclude_none=True, exclude=LEFT_OUT)
    step = values.tpot_ms_mean or values.itl_ms_p50
    return (
        {"precision": "bf16", "backend": "vllm", "batch_size": values.concurrency or 1}
        | kept
        | {
            "hardware": BOARD_GPUS.get(values.hardware or "", values.hardware),
            "duration_s": WINDOW_S,
            "output_tokens": tokens,
            "total_energy_j": joules * tokens,
            "avg_power_w": joules * throughput,
            "itl_ms_mean": step,
            "tpot_ms_mean": step,
        }
    )


def scaled(values: Values, **factors: float) -> Values:
    return values | {name: values[name] * factor for name, factor in factors.items()}


def all_faster(values: Values, factor: float) -> Values:
    """Every figure better by one factor, in agreement: what a careful forger would write."""
    less = dict.fromkeys(("energy_per_output_token_j", "total_energy_j", "itl_ms_mean", "tpot_ms_mean"), 1 / factor)
    return scaled(values, throughput_tokens_per_s=factor, duration_s=1 / factor, **less)


def less_power(values: Values, factor: float) -> Values:
    part = 1 / factor
    return scaled(values, avg_power_w=part, energy_per_output_token_j=part, total_energy_j=part)


def gpus(values: Values, factor: float, *, split: bool) -> Values | None:
    """Another GPU count, alone or with the split that goes with it; None where a row has no half."""
    if values["gpu_count"] == 1 or values["tensor_parallel"] * factor < 1:
        return None
    parts = values["tensor_parallel"] * (factor if split else 1)
    return values | {"gpu_count": int(values["gpu_count"] * factor), "tensor_parallel": int(parts)}


def power_by_gpus(values: Values, *, times: bool) -> Values | None:
    count = values["gpu_count"]
    return scaled(values, avg_power_w=count if times else 1 / count) if count > 1 else None


MEASURED = (
    "throughput_tokens_per_s", "total_energy_j", "energy_per_output_token_j", "avg_power_w", "itl_ms_mean",
    "tpot_ms_mean",
)  # fmt: skip


def invented(values: Values) -> Values:
    """Two digits in every figure, as someone writes who never measured; tokens and window are made to fit."""
    rounded = {name: float(f"{values[name]:.1e}") for name in MEASURED}
    return values | rounded | {"output_tokens": round(rounded["throughput_tokens_per_s"] * values["duration_s"])}


def repeated(values: Values) -> Values:
    """One run given three times, as if repeated."""
    cycle = {name: values[name] for name in (*MEASURED, "duration_s", "output_tokens")}
    return values | {"cycles": [cycle] * 3, "runs": 3}


@dataclass(frozen=True)
class Falsification:
    name: str
    #: the share that checks.md found in its own 838 rows; None where it had no such case
    expected: float | None
    make: Callable[[Values], Values | None]


FALSIFICATIONS = (
    Falsification("throughput x 1.2, rest unchanged", 1.0, lambda v: scaled(v, throughput_tokens_per_s=1.2)),
    Falsification("throughput x 2, rest unchanged", 1.0, lambda v: scaled(v, throughput_tokens_per_s=2)),
    Falsification("J per token halved, rest unchanged", 1.0, lambda v: scaled(v, energy_per_output_token_j=0.5)),
    Falsification(
        "Wh read as J", 1.0, lambda v: scaled(v, total_energy_j=1 / 3600, energy_per_output_token_j=1 / 3600)
    ),
    Falsification(
        "time per token in s read as ms", 0.998, lambda v: scaled(v, itl_ms_mean=1 / 1000, tpot_ms_mean=1 / 1000)
    ),
    Falsification("power of one GPU given as total", 1.0, lambda v: power_by_gpus(v, times=False)),
    Falsification("power of all GPUs multiplied again", 0.986, lambda v: power_by_gpus(v, times=True)),
    Falsification("GPU count halved", 0.931, lambda v: gpus(v, 0.5, split=False)),
    Falsification("GPU count and split halved", None, lambda v: gpus(v, 0.5, split=True)),
    Falsification("GPU count doubled", 0.0, lambda v: gpus(v, 2, split=False)),
    Falsification("GPU count and split doubled", 0.0, lambda v: gpus(v, 2, split=True)),
    Falsification("all figures 2 x faster", 0.076, lambda v: all_faster(v, 2)),
    Falsification("all figures 3 x faster", 0.179, lambda v: all_faster(v, 3)),
    Falsification("all figures 5 x faster", 0.286, lambda v: all_faster(v, 5)),
    Falsification("all figures 10 x faster", 0.379, lambda v: all_faster(v, 10)),
    Falsification("power and J / 2", 0.0, lambda v: less_power(v, 2)),
    Falsification("power and J / 5", 0.044, lambda v: less_power(v, 5)),
    Falsification("power and J / 10", 0.711, lambda v: less_power(v, 10)),
    Falsification("figures invented, two digits each", None, invented),
    Falsification("one run given as three repeats", None, repeated),
)
