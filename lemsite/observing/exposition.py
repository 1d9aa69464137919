"""The text of /metrics: what this web server's processes counted, and what the database and the machine tell now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lemsite.observing import pool, probes
from lemsite.observing.counted import counted, living, shared_folder
from lemsite.observing.processes import process_figures

CONTENT_TYPE = CONTENT_TYPE_LATEST
#: a scrape has ten seconds
DATABASE_WITHIN_S = 5.0


def exposition() -> bytes:
    pool.sample()
    return generate_latest(Figures())


class Figures(Collector):
    """Everything, in the order counted, processes, database."""

    def collect(self) -> Iterable[Metric]:
        folder = shared_folder()
        yield from counted(folder)
        yield from process_figures(living(folder))
        yield from _from_database()


def _from_database() -> Sequence[Metric]:
    if probes.figures.is_well(DATABASE_WITHIN_S):
        return probes.figures.answer(DATABASE_WITHIN_S)
    return [GaugeMetricFamily("lemsite_database_up", "Whether the database answers", 0)]
