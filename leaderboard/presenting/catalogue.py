"""The pages of models and hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from leaderboard import format as fmt
from leaderboard.board import BoardQuery
from leaderboard.models import Hardware, LanguageModel
from leaderboard.pages import CatalogueDetail, CataloguePage, CatalogueRow, ColumnHead, Link, SourcedFigure
from leaderboard.presenting.board import board_rows, column_heads, shown_columns
from leaderboard.presenting.common import board_url, hardware_url, model_url
from leaderboard.queries.board import BoardResults

#: column -> (label, unit)
HARDWARE_FIGURES: dict[str, tuple[str, str]] = {
    "memory_gb": ("Memory", "GB"),
    "bandwidth_gb_per_s": ("Memory bandwidth", "GB/s"),
    "fp16_dense_tflops": ("FP16, dense", "TFLOP/s"),
    "bf16_dense_tflops": ("BF16, dense", "TFLOP/s"),
    "fp8_dense_tflops": ("FP8, dense", "TFLOP/s"),
    "fp4_dense_tflops": ("FP4, dense", "TFLOP/s"),
    "tdp_w": ("TDP", "W"),
}


def model_list_page(models: Sequence[LanguageModel], results: Mapping[int, int], q: str) -> CataloguePage:
    groups = []
    for family, members in groupby(models, key=lambda model: model.family):
        rows = [
            CatalogueRow(
                Link(model.name, model_url(model)),
                [fmt.exact(model.parameters_total_b), fmt.exact(model.parameters_active_b), model.licence],
                results.get(model.pk, 0),
            )
            for model in members
        ]
        groups.append((family, rows))
    return CataloguePage(
        title="Models",
        intro="Language models that results can be about, with their size in 10^9 parameters, "
        "in all and read per token.",
        heads=["Model", "Parameters, 10^9", "Active, 10^9", "Licence", "Results"],
        groups=_measured_first(groups),
        q=q,
    )


def hardware_list_page(hardware: Sequence[Hardware], results: Mapping[int, int], q: str) -> CataloguePage:
    groups = []
    for vendor, members in groupby(hardware, key=lambda gpu: gpu.vendor):
        rows = [
            CatalogueRow(
                Link(gpu.name, hardware_url(gpu)),
                [
                    fmt.exact(gpu.memory_gb),
                    fmt.exact(gpu.bandwidth_gb_per_s),
                    fmt.exact(gpu.bf16_dense_tflops or gpu.fp16_dense_tflops),
                    fmt.exact(gpu.tdp_w),
                    _price(gpu),
                ],
                results.get(gpu.pk, 0),
            )
            for gpu in members
        ]
        groups.append((vendor, rows))
    return CataloguePage(
        title="Hardware",
        intro="GPU profiles with the figures that checks and costs use. Each page names the source of every figure.",
        heads=["GPU", "Memory, GB", "Bandwidth, GB/s", "16-bit, TFLOP/s", "TDP, W", "$ per GPU-hour", "Results"],
        groups=_measured_first(groups),
        q=q,
    )


def _measured_first(groups: Sequence[tuple[str, Sequence[CatalogueRow]]]) -> list[tuple[str, list[CatalogueRow]]]:
    """Families and vendors with most results first, and in each of them what has results: readers come for those."""
    ordered = [(name, sorted(rows, key=lambda row: row.results == 0)) for name, rows in groups]
    return sorted(ordered, key=lambda group: -sum(row.results for row in group[1]))


def model_page(model: LanguageModel, query: BoardQuery, found: BoardResults, hidden: int) -> CatalogueDetail:
    card = [model.source_url] if model.source_url else []
    facts = [
        SourcedFigure("Parameters", fmt.exact(model.parameters_total_b), "10^9", card, ""),
        SourcedFigure("Active per token", fmt.exact(model.parameters_active_b), "10^9", card, ""),
        SourcedFigure("Licence", model.licence, "", card, ""),
        SourcedFigure("Family", model.family, "", card, ""),
    ]
    return CatalogueDetail(
        title=model.title,
        subtitle=model.name,
        facts=facts,
        aliases=[alias.name for alias in model.aliases.all()],
        board_url=board_url(model=model.name),
        heads=_heads(query),
        rows=board_rows(query, found.results, shown_columns(query)),
        table_title="Best configuration on each GPU",
        empty=f"No published result with {model.title} yet.",
        source=Link("Model card", model.source_url) if model.source_url else None,
        hidden_by_trust=_hidden(hidden, board_url(model=model.name, min_trust="T1")),
    )


def hardware_page(gpu: Hardware, query: BoardQuery, found: BoardResults, hidden: int) -> CatalogueDetail:
    sources = [source["text"] for source in gpu.sources]
    recalled = [source for source in gpu.sources if not source["is_found"]]
    caution = ""
    if recalled:
        caution = "recalled, not confirmed" if len(recalled) == len(gpu.sources) else "partly recalled"
    facts = [
        SourcedFigure(label, fmt.exact(getattr(gpu, name)), unit, sources, caution)
        for name, (label, unit) in HARDWARE_FIGURES.items()
    ]
    price_source = [text for text in (f"{gpu.price_source} {gpu.price_date}".strip(),) if text]
    facts.append(SourcedFigure("Price", _price(gpu), "USD per GPU-hour", price_source, ""))
    return CatalogueDetail(
        title=gpu.name,
        subtitle=" ".join(part for part in (gpu.vendor, gpu.architecture) if part),
        facts=facts,
        aliases=[alias.name for alias in gpu.aliases.all()],
        board_url=board_url(hardware=gpu.slug),
        heads=_heads(query),
        rows=board_rows(query, found.results, shown_columns(query)),
        table_title="Best configuration of each model",
        empty=f"No published result on {gpu.name} yet.",
        source=None,
        hidden_by_trust=_hidden(hidden, board_url(hardware=gpu.slug, min_trust="T1")),
    )


def _price(gpu: Hardware) -> str:
    return "" if gpu.usd_per_gpu_hour is None else f"{gpu.usd_per_gpu_hour:,.2f}"


def _heads(query: BoardQuery) -> list[ColumnHead]:
    """Without sort links: the full table is one click away."""
    return [
        ColumnHead(head.name, head.label, head.unit, head.title, head.sorted, "")
        for head in column_heads(query, shown_columns(query), "")
    ]


def _hidden(hidden: int, url: str) -> Link | None:
    return Link(f"{fmt.count(hidden, 'self-reported result')} hidden", url) if hidden else None
