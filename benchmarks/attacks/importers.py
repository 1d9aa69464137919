"""Files that no tool wrote: valid samples of every shape, changed at random, and bytes of no shape at all.

Whatever is sent, an import ends in results or in ImportRefused with a reason; twice the same; and what this site
computed itself agrees with the definitions. Hypothesis draws, here and in tests/fuzz.
"""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from benchmarks.attacks.archives import garbled
from leaderboard.checks import Context, HardwareFacts, ModelFacts, Neighbour, run_checks
from leaderboard.importers import Imported, ImportRefused, import_files
from leaderboard.normal import NormalResult, Origin, ParsedResult
from leaderboard.redaction import redact_document, redact_value
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import power_samples, samples

SHAPES = (*samples.ALL, "aiperf with telemetry", "localscore database")
#: what a value may turn into
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.0, -0.0, 0.5, 1e-300, 5e-324, 1e99, 1e101, 1e308, -1e308, 2**31, 2**53 + 1,
    2**63 - 1, 2**63,
    float("nan"), float("inf"), "", " ", "0", "1", "NaN", "inf", "-1", "1e5", "x" * 201, "x" * 5_000, "\u202e",
    "\x1b[1m", "é",
    "=1+1", "/home/jane/model", "C:\\Users\\jane\\m", "2026-01-01", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2.0", [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": {"c": []}}}, [1, 2, 3],
    ["1"],
)  # fmt: skip
_FACTS = Context(
    hardware=HardwareFacts("GPU", "NVIDIA", 80, 3350, {"fp16": 989, "bf16": 989, "fp8": 1979}, 700),
    model=ModelFacts("model", 8, 8),
    backend_known=True,
    now=datetime(2026, 11, 21, tzinfo=UTC),
    duplicate_of=None,
    peers=[
        Neighbour(f"r-{number}", 8, 1000.0 + number, 0.5, 100.0, "d", 128, False, number == 0) for number in range(6)
    ],
    curve=[Neighbour("low", 1, 200.0, 2.0), Neighbour("high", 64, 5000.0, 0.1)],
)


def sample(shape: str) -> list[Entry]:
    """A valid upload of this shape."""
    if shape == "aiperf with telemetry":
        return list(power_samples.aiperf_entries(power_samples.readings()))
    if shape == "localscore database":
        return [Entry("results.db", power_samples.database())]
    return list(samples.ALL[shape]())


def changed_samples() -> SearchStrategy[list[Entry]]:
    """A sample, or two of them together, with one to six changes."""
    seeds = st.integers(min_value=0, max_value=2**32)
    return st.builds(changed, st.sampled_from(SHAPES), seeds, st.integers(min_value=1, max_value=6))


def loose_files() -> SearchStrategy[list[Entry]]:
    """Bytes, text and JSON under the names that tools give their files."""
    names = st.sampled_from(
        (
            "result.json",
            "a.csv",
            "b.yaml",
            "gpu_telemetry_export.jsonl",
            "x.db",
            "manifest.json",
            "x",
            "config.json",
            "",
        )
    )
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ODD)
    keys = st.text(max_size=8) | st.sampled_from(("model", "experiments", "results", "benchmarks", "config", "metrics"))
    trees = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
    )
    contents = st.binary(max_size=200) | trees.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
    return st.lists(st.builds(Entry, names, contents), max_size=3)


def changed(shape: str, seed: int, changes: int) -> list[Entry]:
    """The sample of a shape after so many changes, the same for the same seed."""
    dice = random.Random(seed)
    entries = sample(shape)
    if dice.random() < 0.1:
        entries += sample(dice.choice(SHAPES))
    for _ in range(changes):
        place = dice.randrange(len(entries))
        entries[place] = _changed_file(dice, entries[place])
        if dice.random() < 0.1:
            dice.shuffle(entries)
        if dice.random() < 0.05:
            entries.append(Entry(dice.choice(("config.json", "b/result.json", "x.csv")), entries[place].content))
    return entries


def _changed_file(dice: random.Random, entry: Entry) -> Entry:
    if dice.random() < 0.1:
        return Entry(entry.path, garbled(dice, entry.content))
    try:
        tree = json.loads(entry.content)
    except ValueError:
        return Entry(entry.path, garbled(dice, entry.content))
    tree = _changed_tree(dice, tree)
    return Entry(entry.path, json.dumps(tree).encode("utf-8", "surrogatepass"))


def _changed_tree(dice: random.Random, tree: Any) -> Any:
    """One value dropped, replaced, moved or repeated."""
    spots = list(_spots(tree))
    if not spots:
        return dice.choice(ODD)
    holder, key = dice.choice(spots)
    way = dice.randrange(6)
    if way == 0:
        del holder[key]
    elif way in (1, 2):
        holder[key] = dice.choice(ODD)
    elif way == 3:
        holder[key] = _scaled(dice, holder[key])
    elif way == 4:
        other, name = dice.choice(spots)
        holder[key] = copy.deepcopy(other[name])
    else:
        holder[key] = [holder[key], holder[key]]
    return tree


def _spots(tree: Any) -> Any:
    """Every place of a tree that holds a value."""
    stack = [tree]
    while stack:
        item = stack.pop()
        keys: Any = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            yield item, key
            stack.append(item[key])


def _scaled(dice: random.Random, value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * dice.choice((1000, 1e-3, 3600, 1e6, -1, 2, 1e80, 1e-80))
    if isinstance(value, str):
        return dice.choice((value * 60, value.upper(), value[::-1], f" {value} ", value[:3], f"{value}\u202e"))
    return json.dumps(value) if dice.random() < 0.5 else None


def fault_of(entries: Sequence[Entry]) -> str:
    """What is wrong with how these files are read; "" where nothing is."""
    first = _read(entries)
    if isinstance(first, str):
        return first
    if isinstance(first, ImportRefused):
        return _fault_of_refusal(first)
    again = _read(entries)
    if not isinstance(again, Imported) or repr(again) != repr(first):
        return "the same files are read differently the second time"
    return next((fault for parsed in first.results if (fault := _fault_of_result(parsed))), "") or _fault_of_redaction(
        first
    )


def _read(entries: Sequence[Entry]) -> Imported | ImportRefused | str:
    try:
        return import_files(entries)
    except ImportRefused as refused:
        return refused
    except Exception as error:  # noqa: BLE001 - any other exception is what is looked for
        return f"{type(error).__name__}: {error}"


def _fault_of_refusal(refused: ImportRefused) -> str:
    message = refused.message
    if not message.strip() or not message.rstrip().endswith((".", "?")) or len(message) > 2_000:
        return f"the reason is no sentence: {message[:200]!r}"
    return ""


def _fault_of_result(parsed: ParsedResult) -> str:
    numbers = [value for value in parsed.values.model_dump().values() if isinstance(value, float)]
    if not all(map(math.isfinite, numbers)):
        return "a figure is not finite"
    if any(not origin for origin in parsed.origins.values()):
        return "a value has no origin"
    try:
        run_checks(parsed, _FACTS)
        run_checks(parsed, Context(None, None, False, _FACTS.now, None))
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        return f"the checks: {type(error).__name__}: {error}"
    return _fault_of_units(parsed)


def _fault_of_units(parsed: ParsedResult) -> str:
    """What this site computed itself agrees with the definitions, to 1 %."""
    values = parsed.values
    if parsed.cycles:
        return ""
    identities: tuple[tuple[str, Callable[[NormalResult], float | None]], ...] = (
        ("throughput_tokens_per_s", lambda v: _ratio(v.output_tokens, v.duration_s)),
        ("energy_per_output_token_j", lambda v: _ratio(v.total_energy_j, v.output_tokens)),
        ("tokens_per_joule", lambda v: _ratio(v.output_tokens, v.total_energy_j)),
        ("avg_power_w", lambda v: _ratio(v.total_energy_j, v.duration_s)),
    )
    for name, expected in identities:
        given, right = getattr(values, name), expected(values)
        is_derived = parsed.origins.get(name) is Origin.COMPUTED and "divided by" in parsed.notes.get(name, "")
        if is_derived and given and right and abs(given / right - 1) > 0.01:
            return f"{name} is {given}, by its definition {right}"
    return ""


def _ratio(top: float | None, bottom: float | None) -> float | None:
    return top / bottom if top and bottom else None


def _fault_of_redaction(imported: Imported) -> str:
    """What is kept can be redacted, and what was redacted once needs it no more."""
    try:
        for entry in imported.kept:
            clean = redact_document(entry.content, name=entry.path).content
            if redact_document(clean, name=entry.path).content != clean:
                return f"redacting {entry.path} a second time changes it again"
        for parsed in imported.results:
            redact_value(parsed.config), redact_value(parsed.environment)
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        return f"the redaction: {type(error).__name__}: {error}"
    return ""


def fault_of_own_form(parsed: ParsedResult) -> str:
    """A result written in this site's own form, as JSON and as CSV, is read back as it was."""
    values = parsed.values.model_dump(mode="json", exclude_none=True, exclude={"host_energy_j"})
    if len({"model", *values}) < 4 or "model" not in values:
        return ""
    for entry in (Entry("own.json", json.dumps(values).encode()), Entry("own.csv", _table(values))):
        read = _read([entry])
        if not isinstance(read, Imported):
            return f"{entry.path}: {read}"
        again = read.results[0].values
        lost = {name for name, value in parsed.values.model_dump(exclude={"host_energy_j"}).items()
                if value is not None and getattr(again, name) != value}  # fmt: skip
        if lost:
            return f"{entry.path} lost {sorted(lost)}"
    return ""


def _table(values: dict[str, Any]) -> bytes:
    from leaderboard.exports import csv_table

    return csv_table(
        values, [[str(value).lower() if isinstance(value, bool) else value for value in values.values()]]
    ).encode()
