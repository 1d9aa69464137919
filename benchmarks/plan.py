"""What a large site needs, computed from what was measured: requests, sockets, rows, bytes, machines, dollars.

    python -m benchmarks.plan [--hosts 10000] [--viewers-per-day 1000000] [--events-per-year 1e9] [--poll-s 3] ...

Pure arithmetic; each line says how it follows. docs/scaling.md explains the assumptions and what to do about the walls.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, field, fields
from typing import TypeVar

from benchmarks.load.cost import CORES_PER_MACHINE, REQUESTS_PER_READER, USD_PER_MACHINE_HOUR

DAY_S = 86_400
HOURS_PER_MONTH = 730
DAYS_PER_MONTH = 30.4
DAYS_PER_YEAR = 365


@dataclass(frozen=True)
class Measured:
    """Figures of docs/performance.md, on PostgreSQL with two web processes unless it says otherwise."""

    #: of the mixed day at 15 requests a second, where few of the pages that are asked for are kept already
    request_cpu_ms: float = 54
    #: both cores made 110 a second
    claim_cpu_ms: float = 18
    heartbeat_cpu_ms: float = 22
    #: of web process and PostgreSQL together, in the chaos run
    job_cpu_ms: float = 500
    #: in batches of 100, one process
    ingest_events_per_s: float = 10_490
    #: by one process, 30 events/s
    viewers_per_core: float = 5_000
    viewer_kb: float = 44
    sealed_event_bytes: float = 36.5
    #: of a million, indexes included
    stored_event_bytes: float = 553
    sent_event_bytes: float = 330
    #: a first page with its files, three more pages, and Plotly for one in five
    reader_kb: float = 170


@dataclass(frozen=True)
class Demand:
    """What is planned for, and what is assumed about it."""

    hosts: float = 10_000
    viewers_per_day: float = 1_000_000
    events_per_year: float = 1e9
    #: the busiest hour of the year against the mean
    peak: float = 4
    #: seconds that each viewer watches a live run
    watched_s: float = 60
    run_events_per_s: float = 30
    jobs_per_host_day: float = 5
    #: what the site asks of so many idle hosts (jobs.services.polling)
    poll_s: float = 100
    heartbeat_s: float = 10
    #: log, samples and result files of a job, compressed
    job_kb: float = 500
    #: how long events stay rows before they are sealed into a file
    unsealed_days: float = 2
    #: of each core at the peak
    busy: float = 0.6


@dataclass(frozen=True)
class Price:
    """AWS us-east-1, public list prices: machines of June 2026, the others of 2025."""

    machine_hour_usd: float = USD_PER_MACHINE_HOUR
    disk_gb_month_usd: float = 0.08
    storage_gb_month_usd: float = 0.023
    egress_gb_usd: float = 0.09


Group = TypeVar("Group", Measured, Demand, Price)


@dataclass(frozen=True)
class Line:
    name: str
    value: float
    unit: str
    how: str


@dataclass
class Sheet:
    lines: list[Line] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, how: str) -> float:
        self.lines.append(Line(name, value, unit, how))
        return value

    def __getitem__(self, name: str) -> float:
        return next(line.value for line in self.lines if line.name == name)


def plan(measured: Measured, demand: Demand, price: Price) -> Sheet:
    sheet = Sheet()
    cores = _readers(sheet, measured, demand) + _hosts(sheet, measured, demand) + _events(sheet, measured, demand)
    _machines(sheet, measured, demand, cores)
    _money(sheet, measured, demand, price)
    return sheet


def _readers(sheet: Sheet, measured: Measured, demand: Demand) -> float:
    """Cores at the peak."""
    mean = sheet.add(
        "requests", demand.viewers_per_day * REQUESTS_PER_READER / DAY_S, "/s",
        f"{demand.viewers_per_day:,.0f} viewers x {REQUESTS_PER_READER:.2f} requests / {DAY_S:,} s",
    )  # fmt: skip
    peak = sheet.add("requests at the peak", mean * demand.peak, "/s", f"x {demand.peak:g}")
    reading = sheet.add(
        "cores for requests", peak * measured.request_cpu_ms / 1000, "cores",
        f"x {measured.request_cpu_ms:g} ms of processor, database and proxy included",
    )  # fmt: skip
    sockets = sheet.add(
        "sockets at the peak", demand.viewers_per_day * demand.watched_s / DAY_S * demand.peak, "",
        f"{demand.viewers_per_day:,.0f} x {demand.watched_s:g} s watched / {DAY_S:,} s x {demand.peak:g}",
    )  # fmt: skip
    sheet.add("memory of sockets", sockets * measured.viewer_kb / 1e6, "GB", f"x {measured.viewer_kb:g} kB")
    return reading + sheet.add(
        "cores for sockets", sockets / measured.viewers_per_core, "cores",
        f"/ {measured.viewers_per_core:,.0f} viewers a core",
    )  # fmt: skip


def _hosts(sheet: Sheet, measured: Measured, demand: Demand) -> float:
    claims = sheet.add(
        "claims of idle hosts", demand.hosts / demand.poll_s, "/s", f"{demand.hosts:,.0f} hosts / {demand.poll_s:g} s"
    )
    beats = sheet.add(
        "heartbeats", demand.hosts / demand.heartbeat_s, "/s", f"{demand.hosts:,.0f} hosts / {demand.heartbeat_s:g} s"
    )
    idle = sheet.add(
        "cores for idle hosts", (claims * measured.claim_cpu_ms + beats * measured.heartbeat_cpu_ms) / 1000, "cores",
        f"claims x {measured.claim_cpu_ms:g} ms + heartbeats x {measured.heartbeat_cpu_ms:g} ms",
    )  # fmt: skip
    jobs = sheet.add(
        "jobs", demand.hosts * demand.jobs_per_host_day / DAY_S, "/s",
        f"{demand.hosts:,.0f} hosts x {demand.jobs_per_host_day:g} a day",
    )  # fmt: skip
    working = sheet.add(
        "cores for jobs", jobs * demand.peak * measured.job_cpu_ms / 1000, "cores",
        f"x {demand.peak:g} x {measured.job_cpu_ms:g} ms",
    )  # fmt: skip
    return idle + working


def _events(sheet: Sheet, measured: Measured, demand: Demand) -> float:
    mean = sheet.add(
        "events", demand.events_per_year / DAYS_PER_YEAR / DAY_S, "/s",
        f"{demand.events_per_year:,.0f} a year / {DAYS_PER_YEAR} d / {DAY_S:,} s",
    )  # fmt: skip
    peak = sheet.add("events at the peak", mean * demand.peak, "/s", f"x {demand.peak:g}")
    sheet.add(
        "event rows in the database", mean * DAY_S * demand.unsealed_days, "rows", f"{demand.unsealed_days:g} days"
    )
    sheet.add(
        "events in the database", sheet["event rows in the database"] * measured.stored_event_bytes / 1e9, "GB",
        f"x {measured.stored_event_bytes:g} bytes, indexes included",
    )  # fmt: skip
    sheet.add(
        "sealed events", demand.events_per_year * measured.sealed_event_bytes / 1e9, "GB a year",
        f"{demand.events_per_year:,.0f} x {measured.sealed_event_bytes:g} bytes of Parquet",
    )  # fmt: skip
    return sheet.add(
        "cores for ingest", peak / measured.ingest_events_per_s * CORES_PER_MACHINE, "cores",
        f"{measured.ingest_events_per_s:,.0f} events/s took both cores",
    )  # fmt: skip


def _machines(sheet: Sheet, measured: Measured, demand: Demand, cores: float) -> None:
    needed = sheet.add("cores at the peak", cores, "cores", "requests + sockets + hosts + jobs + ingest")
    sheet.add(
        "machines", math.ceil(needed / demand.busy / CORES_PER_MACHINE) + 1, "of 2 vCPU",
        f"/ {demand.busy:.0%} busy / {CORES_PER_MACHINE}, and one that may fail; the database is among them",
    )  # fmt: skip


def _money(sheet: Sheet, measured: Measured, demand: Demand, price: Price) -> None:
    per_month = price.machine_hour_usd * HOURS_PER_MONTH
    total = sheet.add(
        "machines, a month", sheet["machines"] * per_month, "$", f"x ${price.machine_hour_usd:g} x {HOURS_PER_MONTH} h"
    )
    jobs_gb = sheet.add(
        "files of jobs", demand.hosts * demand.jobs_per_host_day * DAYS_PER_YEAR * demand.job_kb / 1e6, "GB a year",
        f"x {demand.job_kb:g} kB",
    )  # fmt: skip
    total += sheet.add(
        "storage after a year, a month", (jobs_gb + sheet["sealed events"]) * price.storage_gb_month_usd, "$",
        f"x ${price.storage_gb_month_usd:g} a GB",
    )  # fmt: skip
    total += sheet.add(
        "database's disk, a month", 100 * price.disk_gb_month_usd, "$", f"100 GB x ${price.disk_gb_month_usd:g}"
    )
    pages_gb = sheet.add(
        "sent to readers", demand.viewers_per_day * DAYS_PER_MONTH * measured.reader_kb / 1e6, "GB a month",
        f"x {measured.reader_kb:g} kB",
    )  # fmt: skip
    watched_s = demand.viewers_per_day * DAYS_PER_MONTH * demand.watched_s
    live_gb = sheet.add(
        "sent to live viewers", watched_s * demand.run_events_per_s * measured.sent_event_bytes / 1e9, "GB a month",
        f"{demand.watched_s:g} s x {demand.run_events_per_s:g} events/s x {measured.sent_event_bytes:g} bytes",
    )  # fmt: skip
    total += sheet.add(
        "egress, a month", (pages_gb + live_gb) * price.egress_gb_usd, "$", f"x ${price.egress_gb_usd:g} a GB"
    )
    sheet.add("in all, a month", total, "$", "machines + storage + disk + egress")


def main() -> int:
    parser = argparse.ArgumentParser(description="What a large site needs.")
    for group in (Measured, Demand, Price):
        for each in fields(group):
            parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default)
    given = vars(parser.parse_args())
    sheet = plan(_from(Measured, given), _from(Demand, given), _from(Price, given))
    print("| | | | how |\n|---|--:|---|---|")
    for line in sheet.lines:
        figure = f"{line.value:,.0f}" if line.value >= 100 else f"{line.value:.3g}"
        print(f"| {line.name} | {figure} | {line.unit} | {line.how} |")
    return 0


def _from(group: type[Group], given: dict[str, float]) -> Group:
    return group(**{each.name: given[each.name] for each in fields(group)})


if __name__ == "__main__":
    sys.exit(main())
