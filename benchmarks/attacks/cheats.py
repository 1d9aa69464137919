"""Every way to look better than one is that we could think of, each with an honest twin."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.attacks.cheating import Cheat, Made, Verdict
from leaderboard.checks import Context, HardwareFacts, Neighbour
from leaderboard.importers import import_files
from leaderboard.normal import ParsedResult
from lemsite.lib.archives import Entry
from tests.leaderboard.checks import builders
from tests.leaderboard.importers import samples

A100 = HardwareFacts("A100 PCIe 40GB", "NVIDIA", 40, 1555, {"fp16": 312, "bf16": 312}, 250)
GPT2 = builders.model(name="gpt2", parameters_total_b=0.124, parameters_active_b=0.124)
L4 = HardwareFacts("L4", "NVIDIA", 24, 300, {"fp16": 121, "bf16": 121, "fp8": 242}, 72)


def honest(**changes: Any) -> Made:
    return lambda: (builders.result(**changes), builders.context())


def among(changes: Mapping[str, Any], **around: Any) -> Made:
    return lambda: (builders.result(**changes), builders.context(**around))


def rerun(share: float, *names: str) -> dict[str, Any]:
    """These figures times so much."""
    return {name: builders.BELIEVABLE[name] * share for name in names}


TOKENS = ("output_tokens", "throughput_tokens_per_s", "tokens_per_joule")
ENERGY = ("total_energy_j", "avg_power_w", "energy_per_output_token_j", "energy_per_total_token_j")
PER_ENERGY = ("tokens_per_joule", "total_tokens_per_joule")
TIMES = tuple(name for name in builders.BELIEVABLE if "_ms_" in name)
RATES = ("throughput_tokens_per_s", "total_throughput_tokens_per_s", "requests_per_s")
PEERS: list[Neighbour] = [
    builders.neighbour(
        name=f"r-{number}", throughput_tokens_per_s=3600.0 * (1 + number / 100), energy_per_output_token_j=0.1389
    )
    for number in range(-2, 4)
]


def _tokens(share: float) -> dict[str, Any]:
    """More output tokens than there were, with everything that follows from them."""
    changes = rerun(share, *TOKENS) | {"output_tokens": int(432_000 * share)}
    total = changes["output_tokens"] + builders.BELIEVABLE["input_tokens"]
    return changes | {
        "energy_per_output_token_j": 60_000 / changes["output_tokens"],
        "energy_per_total_token_j": 60_000 / total,
        "total_tokens_per_joule": total / 60_000,
        "total_throughput_tokens_per_s": total / 120,
    }


def _energy(share: float) -> dict[str, Any]:
    """Less energy than there was, with everything that follows from it."""
    return rerun(share, *ENERGY) | rerun(1 / share, *PER_ENERGY)


def _faster(times: float) -> dict[str, Any]:
    """Everything so many times faster, at the same power."""
    changes = rerun(times, *RATES, *PER_ENERGY) | rerun(1 / times, "duration_s", "total_energy_j", *TIMES)
    changes |= rerun(1 / times, "energy_per_output_token_j", "energy_per_total_token_j")
    return changes | {"ended_at": datetime(2026, 11, 20, 12, 0, int(120 / times), tzinfo=UTC) if times > 2 else None}


def _idle(times: float) -> dict[str, Any]:
    """Idle power of 70 W subtracted so many times."""
    return {"idle_power_w": 70.0, "adjusted_energy_j": 60_000 - times * 70 * 120}


def _cycles(*energies: float) -> list[dict[str, Any]]:
    figures = {"output_tokens": 144_000, "duration_s": 40.0, "throughput_tokens_per_s": 3600.0}
    return [
        figures | {"total_energy_j": each, "avg_power_w": each / 40, "tokens_per_joule": 144_000 / each}
        for each in energies
    ]


def _repeated(*energies: float, spread: float = 0.01) -> Made:
    """Three repeats, with times that differ by this share."""

    def made() -> tuple[ParsedResult, Context]:
        cycles = _cycles(*energies)
        for number, cycle in enumerate(cycles):
            cycle["duration_s"] *= 1 + spread * number
            cycle["throughput_tokens_per_s"] /= 1 + spread * number
            cycle["avg_power_w"] = cycle["total_energy_j"] / cycle["duration_s"]
        changes = dict.fromkeys((*ENERGY, *PER_ENERGY, *RATES, "duration_s", "output_tokens", "input_tokens"))
        return builders.result(cycles=cycles, runs=3, requests=None, **changes), builders.context()

    return made


def _file(change: Callable[[dict[str, Any]], None], data: Callable[[], dict[str, Any]] = samples.result_2) -> Made:
    """A file of the llem CLI, edited."""

    def made() -> tuple[ParsedResult, Context]:
        edited = copy.deepcopy(data())
        change(edited)
        parsed = import_files([Entry("result.json", json.dumps(edited).encode())]).results[0]
        return parsed, builders.context(hardware=None, model=None)

    return made


def _study(cycles: int) -> Made:
    """A study of three cycles, of which so many are given."""

    def made() -> tuple[ParsedResult, Context]:
        results = [_cycle(number, energy) for number, energy in enumerate((15_900.0, 15_950.0, 16_400.0))]
        listed = [(f"c{number}/result.json", one["declared_config_hash"]) for number, one in enumerate(results)]
        entries = [samples.entry(samples.manifest(listed), "manifest.json")]
        for number, one in enumerate(results[:cycles]):
            sides = {"result": one, "config": samples.config_side(), "system": samples.system_side()}
            entries += [samples.entry(data, f"c{number}/{name}.json") for name, data in sides.items()]
        return import_files(entries).results[0], builders.context(hardware=A100, model=GPT2)

    return made


def _cycle(number: int, energy: float) -> dict[str, Any]:
    made: dict[str, Any] = samples.bundle(
        total_energy_j=energy,
        avg_energy_per_token_j=energy / 15_360,
        energy_per_device_j=[energy],
        energy_breakdown={"raw_j": energy, "adjusted_j": energy - 52 * 123, "baseline_power_w": 52.0},
        start_time=f"2026-08-10T09:{30 + 3 * number}:00",
        end_time=f"2026-08-10T09:{32 + 3 * number}:03",
    )
    return made


def _own(data: dict[str, Any]) -> Made:
    def made() -> tuple[ParsedResult, Context]:
        return import_files([Entry("own.json", json.dumps(data).encode())]).results[0], builders.context()

    return made


REFUSED, ASKED, SHOWN, UNSEEN = Verdict.REFUSED, Verdict.ASKED, Verdict.SHOWN, Verdict.UNSEEN
HONEST = honest()
FOUR = {"gpu_count": 4, "tensor_parallel": 4, "total_energy_j": 240_000.0, "avg_power_w": 2000.0,
    "energy_per_output_token_j": 240_000 / 432_000, "energy_per_total_token_j": 240_000 / 972_000,
    "tokens_per_joule": 1.8, "total_tokens_per_joule": 4.05, "peak_memory_mb": 60_000.0
}  # fmt: skip


CHEATS: tuple[Cheat, ...] = (
    # The machine
    Cheat("a weaker GPU named than was used", REFUSED, ("ROO1", "PWR1"), among({}, hardware=L4), HONEST),
    Cheat(
        "GPU count halved, split left",
        REFUSED,
        ("PAR1", "PWR1", "IDN2"),
        honest(**FOUR | {"gpu_count": 2}),
        honest(**FOUR),
    ),
    Cheat("GPU count doubled", UNSEEN, (), honest(gpu_count=2), HONEST),
    Cheat(
        "a larger model named than ran",
        REFUSED,
        ("MEM1", "ROO1"),
        among({}, model=builders.model(parameters_total_b=70, parameters_active_b=70)),
        HONEST,
    ),
    Cheat("a wider format named than ran", REFUSED, ("ROO1",), honest(precision="fp32"), HONEST),
    Cheat("a narrower format named, so that the floor sinks", UNSEEN, (), honest(precision="fp8"), HONEST),
    Cheat("a GPU that nobody knows", ASKED, ("SCH2",), among({}, hardware=None), HONEST),
    # Tokens
    Cheat("throughput doubled, rest left", REFUSED, ("IDN1", "IDN4"), honest(throughput_tokens_per_s=7200.0), HONEST),
    Cheat("tokens doubled in every figure", REFUSED, ("TOK1",), honest(**_tokens(2)), HONEST),
    Cheat(
        "tokens doubled, longest answer left out",
        ASKED,
        ("LAT1", "LAT3"),
        honest(**_tokens(2), max_output_tokens=None),
        HONEST,
    ),
    Cheat("prompt tokens counted as output", REFUSED, ("TOK1",), honest(**_tokens(972 / 432)), HONEST),
    Cheat(
        "energy per total token given as per output token",
        REFUSED,
        ("IDN3",),
        honest(energy_per_output_token_j=60_000 / 972_000),
        HONEST,
    ),
    Cheat(
        "answers cut short although asked not to be",
        ASKED,
        ("LEN1",),
        honest(**_tokens(0.5), config={"ignore_eos": True}),
        honest(config={"ignore_eos": True}),
    ),
    Cheat(
        "failed requests counted as served", ASKED, ("OK1",), honest(success_rate=0.6, output_tokens=432_000), HONEST
    ),
    # Energy
    Cheat(
        "energy of one GPU of four, power left",
        REFUSED,
        ("IDN2", "IDN4"),
        honest(**FOUR | {"total_energy_j": 60_000.0}),
        honest(**FOUR),
    ),
    Cheat(
        "energy and power of one GPU of eight",
        ASKED,
        ("OUT1",),
        among(FOUR | {"gpu_count": 8, "tensor_parallel": 8} | _energy(1 / 8), peers=PEERS),
        HONEST,
    ),
    Cheat("joules halved, rest left", REFUSED, ("IDN2", "IDN3"), honest(total_energy_j=30_000.0), HONEST),
    Cheat("Wh given as J", REFUSED, ("IDN2", "PWR2"), honest(total_energy_j=60_000 / 3600), HONEST),
    Cheat("kJ given as J in every figure", REFUSED, ("PWR2",), honest(**_energy(1e-3)), HONEST),
    Cheat("mJ given as J in every figure", REFUSED, ("PWR1",), honest(**_energy(1e3)), HONEST),
    Cheat("energy and power halved", UNSEEN, (), honest(**_energy(0.5)), HONEST),
    Cheat(
        "energy and power halved, among peers",
        ASKED,
        ("OUT1",),
        among(_energy(0.5), peers=PEERS),
        among({}, peers=PEERS),
    ),
    Cheat("idle power subtracted from the total", REFUSED, ("IDN2", "IDN3"), honest(total_energy_j=51_600.0), HONEST),
    Cheat("idle power subtracted twice", ASKED, ("IDL1",), honest(**_idle(2)), honest(**_idle(1))),
    Cheat("more left after idle than was drawn", ASKED, ("IDL1",), honest(**_idle(-1)), honest(**_idle(1))),
    Cheat(
        "GPU energy given as that of the wall",
        ASKED,
        ("PWR3",),
        honest(energy_scope="wall"),
        honest(energy_scope="wall", **_energy(2.0)),
    ),
    Cheat(
        "the wall's energy given as the GPU's",
        REFUSED,
        ("PWR1",),
        honest(**_energy(2.0)),
        honest(energy_scope="wall", **_energy(2.0)),
    ),
    Cheat("power above the limit", REFUSED, ("PWR1",), honest(**_energy(1.6)), honest(**_energy(1.3))),
    Cheat(
        "another GPU metered than the host saw",
        ASKED,
        ("HST1",),
        honest(host_energy_j=120_000.0),
        honest(host_energy_j=61_000.0),
    ),
    Cheat(
        "what only a host may measure, in a file",
        REFUSED,
        ("import",),
        _own({**samples.normal(), "host_energy_j": 1.0}),
        lambda: (builders.result(), builders.context()),
    ),
    # Time
    Cheat(
        "time per token below what memory allows",
        REFUSED,
        ("ROO1",),
        honest(itl_ms_p50=2.0, itl_ms_mean=2.0, tpot_ms_mean=2.0),
        HONEST,
    ),
    Cheat("time per token in s given as ms", REFUSED, ("ROO1",), honest(**rerun(1e-3, *TIMES)), HONEST),
    Cheat("ms multiplied by 1,000", ASKED, ("LAT2", "LAT3"), honest(**rerun(1e3, *TIMES)), HONEST),
    Cheat("one stream claimed, many measured", REFUSED, ("ROO3",), honest(batch_size=1, concurrency=1), HONEST),
    Cheat("percentiles of another run", REFUSED, ("PCT1",), honest(itl_ms_p99=9.0), HONEST),
    Cheat(
        "compute above the peak, prompts from a cache",
        REFUSED,
        ("ROO2",),
        honest(
            input_tokens=10_800_000,
            total_throughput_tokens_per_s=93_600.0,
            energy_per_total_token_j=None,
            total_tokens_per_joule=None,
        ),
        HONEST,
    ),
    Cheat("everything 1.7 times as fast", UNSEEN, (), honest(**_faster(1.7)), HONEST),
    Cheat(
        "everything 1.7 times as fast, among peers",
        ASKED,
        ("OUT1",),
        among(_faster(1.7), peers=PEERS),
        among({}, peers=PEERS),
    ),
    Cheat("everything four times as fast", REFUSED, ("ROO1",), honest(**_faster(4)), HONEST),
    Cheat("a window of five seconds", ASKED, ("DUR1",), honest(**_faster(24)), HONEST),
    Cheat(
        "a run of tomorrow",
        SHOWN,
        ("CLK1",),
        honest(started_at=datetime(2027, 1, 1, tzinfo=UTC), ended_at=None),
        HONEST,
    ),
    # Copies and inventions
    Cheat("the same file again, under another account", REFUSED, ("DUP1",), among({}, duplicate_of="r-1"), HONEST),
    Cheat(
        "a peer's figures to six digits",
        ASKED,
        ("DUP2",),
        among(
            {}, peers=[builders.neighbour(throughput_tokens_per_s=3600.001, energy_per_output_token_j=60_000 / 432_000)]
        ),
        among({}, peers=PEERS[:2]),
    ),
    Cheat(
        "a peer's figures with noise of a thousandth",
        UNSEEN,
        (),
        among({}, peers=[builders.neighbour(throughput_tokens_per_s=3603.6, energy_per_output_token_j=0.139)]),
        among({}, peers=PEERS[:2]),
    ),
    Cheat(
        "invented, two digits each",
        ASKED,
        ("DUP2",),
        honest(
            **{
                name: float(f"{value:.1e}")
                for name, value in builders.BELIEVABLE.items()
                if isinstance(value, float) and name not in ("duration_s", "success_rate")
            }
        ),
        HONEST,
    ),
    Cheat(
        "one run given as three",
        ASKED,
        ("DUP2",),
        _repeated(20_000.0, 20_000.0, 20_000.0, spread=0),
        _repeated(20_000.0, 20_150.0, 19_870.0),
    ),
    Cheat(
        "one run given as three, last digits changed",
        ASKED,
        ("DUP2",),
        _repeated(20_000.0, 20_000.02, 19_999.98, spread=1e-6),
        _repeated(20_000.0, 20_150.0, 19_870.0),
    ),
    Cheat("a slower cycle left out of the study", SHOWN, ("note",), _study(2), _study(3)),
    Cheat(
        "far better than a verified result",
        ASKED,
        ("OUT2",),
        among(
            {},
            peers=[
                builders.neighbour(throughput_tokens_per_s=3000.0, energy_per_output_token_j=0.139, is_verified=True)
            ],
        ),
        among(
            {},
            peers=[
                builders.neighbour(throughput_tokens_per_s=3500.0, energy_per_output_token_j=0.139, is_verified=True)
            ],
        ),
    ),
    Cheat(
        "energy edited in the tool's file",
        REFUSED,
        ("IDN3",),
        _file(lambda data: data.update(total_energy_j=114.0)),
        HONEST,
    ),
    Cheat(
        "settings edited in the tool's file",
        ASKED,
        ("CFG1",),
        _file(lambda data: data["effective_config"].update(precision="fp32")),
        HONEST,
    ),
)
