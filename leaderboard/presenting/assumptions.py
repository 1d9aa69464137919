"""What an answer rests on beside what was measured: prices with their dates, PUE, grid."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard import format as fmt
from leaderboard.board import DEFAULT_PUE
from leaderboard.models import Result
from leaderboard.presenting.answer_words import SEVERAL_SCOPES
from leaderboard.question import CO2, ELECTRICITY, GPU_TIME, Question, countries, grid_source

LACKING = {
    "usd_per_kwh": "Type your price of electricity for the figure in $. "
    "The order is right without it: electricity follows energy per token.",
    "co2_g_per_kwh": "Choose a country or type your grid's gCO2/kWh for the figure in grams. "
    "The order is right without it: carbon follows energy per token.",
}
ONLY_GPUS = "GPU energy is that of the GPUs alone: CPU, memory and power supply come on top of it."


def assumptions(best: Result | None, question: Question) -> Iterator[str]:
    if question.lacks:
        yield LACKING[question.lacks]
    if question.goal == GPU_TIME:
        yield _gpu_price(best, question)
    elif question.goal in (ELECTRICITY, CO2) and not question.lacks:
        yield _energy_price(question)
    if question.is_about_energy and len(question.board.facets.get("energy_scope", ())) > 1:
        yield SEVERAL_SCOPES
    if question.is_about_energy and best is not None and best.energy_scope == "gpu":
        yield ONLY_GPUS


def _gpu_price(best: Result | None, question: Question) -> str:
    own = question.board.prices.usd_per_gpu_hour
    if own is not None:
        return f"At your ${fmt.exact(own)} per GPU-hour{_private(question)}."
    words = "At the catalogue's price of each GPU, which is of different kinds and dates; type your own to compare."
    hardware = best.hardware if best else None
    if hardware is None or hardware.usd_per_gpu_hour is None:
        return words
    of = ", ".join(part for part in (hardware.price_source, hardware.price_date) if part)
    return f"{hardware.name}: ${fmt.exact(hardware.usd_per_gpu_hour)} per GPU-hour ({of}). {words}"


def _energy_price(question: Question) -> str:
    prices = question.board.prices
    pue = f"PUE {fmt.exact(prices.effective_pue)}"
    if prices.pue is None:
        pue += f" (assumed: {DEFAULT_PUE:g} is usual, a machine at home has 1)"
    if question.goal == ELECTRICITY:
        return f"At ${fmt.exact(prices.usd_per_kwh)} per kWh and {pue}{_private(question)}."
    grid = f"{fmt.exact(prices.co2_g_per_kwh)} gCO2/kWh"
    if question.country:
        country = countries()[question.country]
        grid += f" ({country.name}, {country.year}; {grid_source()})"
    return f"At {grid} and {pue}{_private(question)}."


def _private(question: Question) -> str:
    return ", from your settings" if question.board.are_prices_private else ""
