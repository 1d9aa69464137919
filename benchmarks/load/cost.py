"""What processor time costs, and how much of it a reader takes. Pure arithmetic from stated assumptions."""

from __future__ import annotations

from benchmarks.load.day import KINDS, PAGES

#: AWS m7g.large, Linux on demand, us-east-1: 2 vCPU, 8 GiB (public list price, June 2026)
USD_PER_MACHINE_HOUR = 0.0816
CORES_PER_MACHINE = 2
#: the part of the paid processor that is used on average: the rest is for peaks and for a machine that fails
UTILISATION = 0.4
#: of a visit; an assumption
PAGES_PER_READER = 4.0
#: all requests of the mixed day, static files and programs included, that come with those pages
REQUESTS_PER_READER = PAGES_PER_READER / sum(KINDS[kind].share for kind in PAGES)
COST_BASIS = (
    f"A reader is {PAGES_PER_READER:g} pages and what comes with them in the mix, {REQUESTS_PER_READER:.1f} requests; "
    f"2 vCPU at ${USD_PER_MACHINE_HOUR} an hour (AWS m7g.large, list price of June 2026), {UTILISATION:.0%} used."
)


def usd_per_cpu_s() -> float:
    return USD_PER_MACHINE_HOUR / CORES_PER_MACHINE / 3600 / UTILISATION


def usd_per_1000_readers(cpu_ms_per_request: float) -> tuple[float, float]:
    """(processor seconds, dollars)"""
    cpu_s = 1000 * REQUESTS_PER_READER * cpu_ms_per_request / 1000
    return cpu_s, cpu_s * usd_per_cpu_s()
