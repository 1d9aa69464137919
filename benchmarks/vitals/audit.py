"""One page in one browser window, with or without the slow phone's processor and network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from benchmarks.vitals.pages import Audited, do
from benchmarks.vitals.scores import accessibility, performance

OBSERVER = (Path(__file__).parent / "observer.js").read_text(encoding="utf-8")
#: how much of a long task counts as not blocking
LONG_TASK_MS = 50
#: after the page has loaded, for what it does by itself
SETTLE_MS = 2500
ACT_SETTLE_MS = 700
ACT_WITHIN_MS = 15_000
TIMEOUT_MS = 60_000
#: Chrome's own "slow 4G" as Lighthouse has it: 150 ms, 1.6 Mbit/s down, 750 kbit/s up
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 768_000 / 8}
SLOW_CPU = 4


@dataclass(frozen=True)
class Window:
    name: str
    width: int
    height: int
    #: which of Lighthouse's curves
    form: str
    is_slow: bool = False


WINDOWS = (
    Window("1440", 1440, 900, "desktop"),
    Window("390", 390, 844, "mobile"),
    Window("390, slow 4G, processor / 4", 390, 844, "mobile", is_slow=True),
)


@dataclass
class Audit:
    """Medians over the loads of a page; of the interactions and shifts the worst."""

    path: str
    window: Window
    metrics: dict[str, float] = field(default_factory=dict)
    inp_ms: float = 0.0
    inp_of: str = ""
    acts: int = 0
    kb: float = 0.0
    requests: int = 0
    lcp_element: str = ""
    shifts: list[Any] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    accessibility: float = 100.0

    @property
    def performance(self) -> float:
        return performance(self.metrics, self.window.form)


def audit(browser: Browser, url: str, audited: Audited, window: Window, *, runs: int) -> Audit:
    """Loads the page `runs` times with an empty cache; does what is to be done on the last one."""
    found = Audit(audited.path, window)
    loads: list[dict[str, Any]] = []
    for number in range(runs):
        context = browser.new_context(base_url=url, viewport={"width": window.width, "height": window.height})
        page = context.new_page()
        _prepare(page, window)
        page.goto(audited.path, wait_until="load")
        page.wait_for_timeout(SETTLE_MS)
        loads.append(_metrics(page))
        if number == runs - 1:
            _weigh(page, found)
            page.set_default_timeout(ACT_WITHIN_MS)
            settle_ms = ACT_SETTLE_MS * (SLOW_CPU if window.is_slow else 1)
            found.acts = sum(do(page, act, settle_ms) for act in audited.acts)
            seen = page.evaluate("window.__vitals")
            _note_interactions(seen, found)
            loads[-1]["cls"] = seen["cls"]
            found.shifts = sorted(seen["shifts"], reverse=True)[:3]
            found.lcp_element = seen["lcp_element"]
            _judge(page, found)
        context.close()
    found.metrics = {name: median(load[name] for load in loads) for name in ("fcp_ms", "lcp_ms", "tbt_ms")}
    found.metrics["cls"] = max(load["cls"] for load in loads)
    return found


def _prepare(page: Page, window: Window) -> None:
    page.set_default_timeout(TIMEOUT_MS)
    page.add_init_script(OBSERVER)
    if window.is_slow:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_CPU})


def _metrics(page: Page) -> dict[str, Any]:
    """Blocking time is counted from the first paint to two and a half seconds after the load."""
    seen = page.evaluate("window.__vitals")
    long = [max(0.0, duration - LONG_TASK_MS) for start, duration in seen["long"] if start + duration > seen["fcp_ms"]]
    return {name: seen[name] for name in ("fcp_ms", "lcp_ms", "cls")} | {"tbt_ms": sum(long)}


def _weigh(page: Page, found: Audit) -> None:
    """What came over the wire, as the browser counts it."""
    script = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .map((entry) => entry.transferSize)"""
    sizes = page.evaluate(script)
    found.requests, found.kb = len(sizes), sum(sizes) / 1000


def _note_interactions(seen: dict[str, Any], found: Audit) -> None:
    """The worst of a few interactions is what Chrome reports as INP."""
    for duration_ms, name, target in seen["interactions"].values():
        if duration_ms > found.inp_ms:
            found.inp_ms, found.inp_of = duration_ms, f"{name} on {target}"


def _judge(page: Page, found: Audit) -> None:
    answer = Axe().run(page, options={"preload": False}).response
    found.violations = [f"{fault['id']}: {fault['nodes'][0]['html'][:100]}" for fault in answer["violations"]]
    found.accessibility = accessibility(
        {rule["id"] for rule in answer["passes"]}, {rule["id"] for rule in answer["violations"]}
    )
