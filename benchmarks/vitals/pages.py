"""The audited pages, and what a person does on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as WaitedTooLong

#: what is done, where, and with which text or key
Act = tuple[str, str, str]
THEME: Act = ("click", "[data-theme-toggle]", "")


@dataclass(frozen=True)
class Audited:
    path: str
    acts: Sequence[Act]


def audited(result: str) -> list[Audited]:
    return [
        Audited(
            "/",
            [
                ("click", "#facets-fold > summary", ""),
                ("click", ".facets details.more > summary", ""),
                ("click", ".facets input[type=checkbox]", ""),
                ("click", "#board th a, #board th button", ""),
                ("type", "#filters input[type=search]", "llama"),
                THEME,
            ],
        ),
        Audited(result, [("click", "main details > summary", ""), ("press", "main", "Tab"), THEME]),
        Audited("/live/", [("press", "main", "Tab"), ("click", "main details > summary", ""), THEME]),
        Audited(
            "/analysis/",
            [
                ("click", "#ask-fold > summary", ""),
                ("click", ".goals input[type=radio]:not(:checked)", ""),
                ("type", "#ask input[type=search]", "llama"),
                ("select", "#ask select[name=size]", ""),
                ("click", "details.chart-table > summary", ""),
                THEME,
            ],
        ),
    ]


def do(page: Page, act: Act, settle_ms: int) -> bool:
    """False where there is nothing to do it with at this width."""
    kind, where, what = act
    place = page.locator(where).locator("visible=true").first
    if not place.count():
        return False
    actions: dict[str, Any] = {
        "click": place.click,
        "type": lambda: place.press_sequentially(what, delay=60),
        "press": lambda: place.press(what),
        "select": lambda: place.select_option(index=1),
    }
    try:
        actions[kind]()
    except WaitedTooLong:
        # What an earlier act brought has taken its place.
        return False
    page.wait_for_timeout(settle_ms)
    return True
