"""The pictures of results, models, GPUs and the site itself that links to them show elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from leaderboard import format as fmt
from leaderboard.metrics import BY_NAME
from leaderboard.models import Hardware, LanguageModel, Result
from leaderboard.presenting.common import SCOPE_WORDS, backend_words, batch_words, gpu_words, model_link, result_badge
from leaderboard.queries.share_cards import Standing
from lemsite.context import SITE_NAME
from lemsite.lib.share_card import Canvas, Figure

#: the figures of a result's card, where it has them; the first four
FIGURES = (
    "tokens_per_joule", "throughput_tokens_per_s", "energy_per_output_token_j", "itl_ms_p50", "ttft_ms_p50",
    "tpot_ms_mean", "avg_power_w",
)  # fmt: skip
BEST = ("tokens_per_joule", "throughput_tokens_per_s")
SCOPES = {"gpu": "GPU energy", **SCOPE_WORDS}
FOOT = "Every figure carries its unit, its energy scope and its trust level."


def result_card(result: Result) -> bytes:
    """A result that is not ranked has no figures on its card: nobody reads the page behind a picture."""
    canvas = Canvas(SITE_NAME)
    if result.is_ranked:
        canvas.pill(result_badge(result).label)
    else:
        canvas.pill(result.submission.get_status_display(), is_warning=True)
    batch = f"batch {batch_words(result)}" if batch_words(result) else ""
    line = " · ".join(filter(None, [gpu_words(result), result.precision, backend_words(result), batch]))
    canvas.title(model_link(result).label, line)
    if result.is_ranked:
        canvas.figures(list(_figures(result)))
        canvas.foot(f"Energy is {SCOPES.get(result.energy_scope, 'of no stated scope')}; tokens are output tokens.")
    else:
        canvas.sentence("This result is not ranked. Its page says why.")
    return canvas.png()


def model_card(model: LanguageModel, standing: Standing) -> bytes:
    sizes = [f"{fmt.exact(model.parameters_total_b)} billion parameters" if model.parameters_total_b else ""]
    if model.parameters_active_b and model.parameters_active_b != model.parameters_total_b:
        sizes.append(f"{fmt.exact(model.parameters_active_b)} active per token")
    line = " · ".join(filter(None, [model.name, *sizes]))
    return _catalogue_card(
        model.title, line, standing=standing, others=f"on {fmt.count(standing.others, 'GPU')}", who=gpu_words
    )


def hardware_card(gpu: Hardware, standing: Standing) -> bytes:
    figures = [
        f"{fmt.exact(gpu.memory_gb)} GB" if gpu.memory_gb else "",
        f"{fmt.exact(gpu.tdp_w)} W" if gpu.tdp_w else "",
    ]
    line = " · ".join(filter(None, [gpu.vendor, gpu.architecture, *figures]))
    return _catalogue_card(
        gpu.name, line, standing=standing, others=f"of {fmt.count(standing.others, 'model')}", who=_model_words
    )


def site_card(results: int, models: int, gpus: int) -> bytes:
    canvas = Canvas(SITE_NAME)
    canvas.title(
        "How much does a token cost in energy?", "Energy, speed, memory and cost of language models, as measured"
    )
    canvas.figures([(f"{results:,}", "results"), (f"{models:,}", "models"), (f"{gpus:,}", "GPUs")])
    canvas.foot(FOOT)
    return canvas.png()


def _catalogue_card(title: str, line: str, *, standing: Standing, others: str, who: Callable[[Result], str]) -> bytes:
    canvas = Canvas(SITE_NAME)
    canvas.pill(f"{fmt.count(standing.results, 'result')} {others}" if standing.results else "no result yet")
    canvas.title(title, line)
    figures = [_best(name, standing.best[name], who) for name in BEST if name in standing.best]
    if figures:
        canvas.figures(figures)
        canvas.foot("The best results; energy is GPU energy, tokens are output tokens.")
    else:
        canvas.sentence("Its page has the results." if standing.results else "Nobody has measured it here yet.")
    return canvas.png()


def _best(name: str, result: Result, who: Callable[[Result], str]) -> Figure:
    words = filter(None, [who(result), result.precision, result_badge(result).label])
    return f"{fmt.number(getattr(result, name))} {BY_NAME[name].unit}", ", ".join(words)


def _model_words(result: Result) -> str:
    name = model_link(result).label
    return f"{name}, {fmt.count(result.gpu_count, 'GPU')}" if result.gpu_count else name


def _figures(result: Result) -> Iterator[Figure]:
    for name in FIGURES:
        value = getattr(result, name)
        if value is not None:
            yield f"{fmt.number(value)} {BY_NAME[name].unit}", BY_NAME[name].label
