"""What a comparison says in plain words: what the results share, and which differences can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from leaderboard import format as fmt
from leaderboard.analysis.comparing import (
    Agreement,
    Difference,
    Figure,
    Verdict,
    agreement,
    length_agreement,
)
from leaderboard.comparing_pages import Aspect, Statement
from leaderboard.metrics import Better, Metric
from leaderboard.models import Result

LETTERS = "ABCDEFGH"
#: below it a difference is told in percent
AS_FACTOR_FROM = 1.1
NOUNS = {
    "tokens_per_joule": "tokens per joule",
    "total_tokens_per_joule": "total tokens per joule",
    "energy_per_output_token_j": "energy per token",
    "energy_per_total_token_j": "energy per total token",
    "throughput_tokens_per_s": "output tokens per second",
    "total_throughput_tokens_per_s": "total tokens per second",
    "requests_per_s": "requests per second",
    "avg_power_w": "power",
    "peak_memory_mb": "peak memory of one GPU",
    "peak_memory_total_mb": "peak memory of all GPUs",
    "cost_per_million_tokens_usd": "cost per million tokens",
    "co2_g_per_million_tokens": "CO2 per million tokens",
    "quality_composite": "quality",
}
SCOPES = {"gpu": "the GPUs alone", "node": "the node", "wall": "the wall socket"}
KINDS = {Agreement.SAME: "same", Agreement.UNKNOWN: "unknown"}


def noun(metric: Metric) -> str:
    return NOUNS.get(metric.name, metric.label)


def letters(places: Sequence[int]) -> str:
    """ "A", "A and B", "A, B and C"."""
    names = [LETTERS[place] for place in places]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def statement(difference: Difference, figures: Sequence[Figure | None], metric: Metric) -> Statement:
    first, second = LETTERS[difference.best], LETTERS[difference.other]
    if difference.verdict == Verdict.NOT_COMPARABLE:
        return Statement(f"{first} and {second} are not compared: {_scopes(difference, figures)}.", "not-comparable")
    by_how_much = _by_how_much(difference, metric)
    test = f"by Welch's test at 5 %, {_repeats(difference, figures)}"
    if difference.verdict == Verdict.NOT_CLEAR:
        return Statement(f"{first} and {second}: no clear difference {test} ({by_how_much}).", "not-clear")
    if difference.verdict == Verdict.CLEAR:
        return Statement(f"{by_how_much}; clear difference {test}.", "clear")
    return Statement(f"{by_how_much}; too few repeats to tell, {_repeats(difference, figures)}.", "too-few")


def _by_how_much(difference: Difference, metric: Metric) -> str:
    first, second, factor = LETTERS[difference.best], LETTERS[difference.other], difference.factor
    if factor is None:
        return f"{first} is ahead of {second} in {noun(metric)}"
    if factor == 1:
        return f"{first} and {second} have the same {noun(metric)}"
    is_high = metric.better == Better.HIGHER
    if factor < AS_FACTOR_FROM:
        percent = fmt.number((factor - 1 if is_high else 1 - 1 / factor) * 100, 2)
        return f"{first} has {percent} % {'more' if is_high else 'less'} {noun(metric)} than {second}"
    if is_high:
        return f"{first} gives {fmt.number(factor, 2)}x the {noun(metric)} of {second}"
    return f"{first} has {fmt.number(1 / factor, 2)}x the {noun(metric)} of {second}"


def _repeats(difference: Difference, figures: Sequence[Figure | None]) -> str:
    counts = [figure.n if figure else None for figure in (figures[difference.best], figures[difference.other])]
    return "n = {} and {}".format(*("not stated" if n is None else f"{n:,}" for n in counts))


def _scopes(difference: Difference, figures: Sequence[Figure | None]) -> str:
    found = [figure.scope if figure else "" for figure in (figures[difference.best], figures[difference.other])]
    said = [f"energy of {SCOPES[scope]}" if scope in SCOPES else "energy of unstated scope" for scope in found]
    return " and ".join(said) if said[0] != said[1] else f"both are {said[0]}"


def context(results: Sequence[Result]) -> Iterator[Aspect]:
    """What has to be the same before figures can be set side by side, the most telling first."""
    yield _model(results)
    yield _prompts(results)
    yield _lengths(results)
    yield _scope(results)
    yield _gpus(results)
    yield _aspect("Load", [_load(result) for result in results], "different", "Part of the configuration.")
    yield _aspect(
        "Tool", [result.tool for result in results], "different", "Tools cut the measured window differently."
    )


def _model(results: Sequence[Result]) -> Aspect:
    names = [result.model.title if result.model else result.model_name for result in results]
    return _aspect("Model", names, "different", "Each cuts text into tokens of its own and answers in its own quality.")


def _prompts(results: Sequence[Result]) -> Aspect:
    words = "Other prompts have other lengths and other work per token."
    return _aspect("Prompts", [result.dataset for result in results], "warning", words)


def _lengths(results: Sequence[Result]) -> Aspect:
    """Mean tokens a request where they are known of all, else the stated limits."""
    means = [(_mean(one.input_tokens, one.requests), _mean(one.output_tokens, one.requests)) for one in results]
    found = [length_agreement(lengths) for lengths in zip(*means, strict=True)]
    texts = [_pair_words(*one) for one in means]
    if Agreement.UNKNOWN in found:
        limits = [(one.max_input_tokens, one.max_output_tokens) for one in results]
        found = [agreement(one) for one in zip(*limits, strict=True)]
        texts = [_pair_words(*one, at_most=True) for one in limits]
    together = next((one for one in (Agreement.DIFFERENT, Agreement.UNKNOWN) if one in found), Agreement.SAME)
    if together == Agreement.SAME:
        return Aspect("Input and output length", "same", texts[0])
    words = "Long inputs cost energy that no output token shows. " if together == Agreement.DIFFERENT else ""
    kind = "warning" if together == Agreement.DIFFERENT else "unknown"
    return Aspect("Input and output length", kind, f"{words}{_each(texts)}")


def _mean(tokens: int | None, requests: int | None) -> float | None:
    return tokens / requests if tokens is not None and requests else None


def _pair_words(given: float | None, made: float | None, *, at_most: bool = False) -> str:
    """ "about 512 in, 128 out" tokens a request."""
    known = [f"{fmt.number(round(count))} {way}" for count, way in ((given, "in"), (made, "out")) if count is not None]
    return f"{'at most' if at_most else 'on average'} {', '.join(known)}" if known else ""


def _scope(results: Sequence[Result]) -> Aspect:
    scopes = [SCOPES.get(result.energy_scope, "") for result in results]
    return _aspect("Energy scope", scopes, "warning", "Energy is compared within one scope only.")


def _gpus(results: Sequence[Result]) -> Aspect:
    counts = [fmt.count(result.gpu_count, "GPU") if result.gpu_count else "" for result in results]
    words = "Throughput and power are of all GPUs together."
    return _aspect("GPU count", counts, "warning", words)


def _load(result: Result) -> str:
    parts = [
        f"batch {result.batch_size:,}" if result.batch_size is not None else "",
        f"{result.concurrency:,} concurrent" if result.concurrency is not None else "",
        f"{fmt.number(result.request_rate_per_s)} requests/s" if result.request_rate_per_s is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _aspect(label: str, values: Sequence[str], kind: str, words: str) -> Aspect:
    """`kind` and `words` are for values that differ."""
    found = agreement(values)
    if found == Agreement.SAME:
        return Aspect(label, "same", values[0])
    if found == Agreement.DIFFERENT:
        return Aspect(label, kind, f"{words} {_each(values)}")
    unstated = [place for place, value in enumerate(values) if not value]
    known = next((value for value in values if value), "")
    return Aspect(label, "unknown", f"{known + '; not' if known else 'Not'} stated for {letters(unstated)}.")


def _each(values: Sequence[str]) -> str:
    """ "A and B: vLLM. C: not stated."."""
    ordered = sorted(range(len(values)), key=lambda place: (list(values).index(values[place]), place))
    groups = groupby(ordered, key=lambda place: values[place])
    return " ".join(f"{letters(list(places))}: {value or 'not stated'}." for value, places in groups)


def verdict(aspects: Sequence[Aspect]) -> tuple[str, bool]:
    """Whether the figures are like for like, in one sentence."""
    off = [aspect.label.lower() for aspect in aspects if aspect.kind == "warning"]
    unknown = [aspect.label.lower() for aspect in aspects if aspect.kind == "unknown"]
    same_model = next(aspect.kind for aspect in aspects if aspect.label == "Model") == "same"
    if off:
        return f"Not like for like: {_list(off)} differ{'s' if len(off) == 1 else ''}.", False
    if unknown:
        return f"Perhaps not like for like: not every result states its {_list(unknown)}.", False
    subject = "One model" if same_model else "Different models"
    return f"Like for like: {subject.lower()}, the same workload, energy scope and number of GPUs.", True


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
