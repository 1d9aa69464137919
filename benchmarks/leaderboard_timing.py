"""The measuring half of benchmarks/leaderboard.py: runs inside the settings and the database made for it."""

from __future__ import annotations

import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice, product

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
django.setup()

from django.core.cache import cache  # noqa: E402 - settings first
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.synthetic_results import fill, with_indexes, without_indexes  # noqa: E402
from leaderboard.board import BoardQuery, parse_board_query  # noqa: E402
from leaderboard.models import BestResult, Hardware, LanguageModel, Result  # noqa: E402
from leaderboard.queries import facets  # noqa: E402
from leaderboard.queries.board import board_results  # noqa: E402
from leaderboard.services.ranking import rank, rebuild_best_results, unrank  # noqa: E402

SORTS = (
    "-tokens_per_joule", "-throughput_tokens_per_s", "energy_per_output_token_j", "tpot_ms_mean", "ttft_ms_p50",
    "itl_ms_p50", "cost_per_million_tokens_usd", "avg_power_w", "peak_memory_mb", "tokens_per_joule",
)  # fmt: skip
#: facet values from frequent to rare; models and hardware are added from the catalogue
FILTERS = (
    "backend=vllm", "backend=tgi", "precision=bf16", "precision=fp4", "precision=fp32", "gpu_count=1",
    "gpu_count=16", "trust=T4", "trust=T1", "size=over-80b", "size=under-1b", "energy_scope=wall", "min_trust=T1",
)  # fmt: skip
#: what the cells of the best table do not carry
OUTSIDE_CELLS = (
    "batch_size=1", "batch_size=256", "itl_ms_p50_max=20", "ttft_ms_p90_max=200", "throughput_tokens_per_s_min=500",
    "batch_size=32&itl_ms_p50_max=30",
)  # fmt: skip
SEARCHES = ("q=llama", "q=h100", "q=llama+h100", "q=vllm", "q=qwen+a100")
DEEP_ROWS, DEEP_STEP = 5000, 500
POSTGRESQL = connection.vendor == "postgresql"

#: milliseconds, and what took them
Timing = tuple[float, str]


def main(rows: int, repeat: int) -> None:
    with told("migrated"):
        call_command("migrate", verbosity=0)
        call_command("load_catalogue", verbosity=0)
    if not Result.objects.exists():
        prepare(rows)
    print_machine()
    print(f"\n| {'what':44} | p50 ms | p99 ms | queries |\n|{'-' * 46}|-------:|-------:|--------:|")
    measure_counting(max(repeat // 20, 3))
    measure_pages(repeat)
    measure_publishing(max(repeat // 4, 3))


def prepare(rows: int) -> None:
    if not POSTGRESQL:
        run_sql("PRAGMA synchronous=OFF", "PRAGMA foreign_keys=OFF", "PRAGMA cache_size=-500000")
    with told("rows stored"):
        without_indexes(Result)
        fill(rows)
    with told("indexes of results built"):
        with_indexes(Result)
    with told("best table rebuilt"):
        without_indexes(BestResult)
        rebuild_best_results()
        with_indexes(BestResult)
    with told("analysed"):
        run_sql("VACUUM ANALYZE" if POSTGRESQL else "ANALYZE")
    # What is measured has a connection with the site's own settings.
    connection.close()


def run_sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def told(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - began:.0f} s", flush=True)


def print_machine() -> None:
    size = "pg_database_size(current_database())"
    with connection.cursor() as cursor:
        if POSTGRESQL:
            cursor.execute(f"SELECT split_part(version(), ' (', 1), {size}")
        else:
            pages = "pragma_page_count, pragma_page_size"
            cursor.execute(f"SELECT 'SQLite ' || sqlite_version(), page_count * page_size FROM {pages}")
        version, size_bytes = cursor.fetchone()
    results, cells = Result.objects.count(), BestResult.objects.count()
    print(f"\n{version}, {size_bytes / 1e9:.2f} GB: {results:,} results, {cells:,} best cells")
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, ", end="")
    print(f"Python {platform.python_version()}, Django {django.__version__}")


def measure_pages(repeat: int) -> None:
    models = LanguageModel.objects.order_by("pk").values_list("name", flat=True)
    gpus = Hardware.objects.order_by("pk").values_list("slug", flat=True)
    catalogue = [f"model={name}" for name in models[:180:20]] + [f"hardware={slug}" for slug in gpus[:30:5]]
    two = [f"{one}&{other}" for one, other in zip(FILTERS, cycle(catalogue), strict=False)]
    for view in ("best", "all"):
        show_pages(f"{view}: no filter, any sort", states(view, [""]), repeat)
        show_pages(f"{view}: one filter, any sort", states(view, [*FILTERS, *catalogue]), repeat)
        show_pages(f"{view}: two filters, any sort", states(view, two), repeat)
        show_pages(f"{view}: batch or limits, any sort", states(view, OUTSIDE_CELLS), repeat)
        show_pages(f"{view}: search, any sort", states(view, SEARCHES), repeat)
        show_pages(f"{view}: after row {DEEP_ROWS:,}", deep_states(view), repeat)
    reader = htmx_reader()
    tag = reader.get("/")["ETag"]
    show("not modified (304)", [timed(lambda: reader.get("/", headers={"If-None-Match": tag})) for _ in range(repeat)])


def htmx_reader() -> Client:
    return Client(headers={"HX-Request": "true", "Accept-Encoding": "gzip"}, SERVER_NAME="localhost")


def states(view: str, filters: Iterable[str]) -> list[str]:
    """Every filter with every sort, mixed, so that neighbours share neither."""
    pairs = sorted(product(filters, SORTS), key=lambda pair: uuid.uuid5(uuid.NAMESPACE_URL, "".join(pair)).int)
    return [f"view={view}&sort={sort}&{chosen}".rstrip("&") for chosen, sort in pairs]


def deep_states(view: str) -> list[str]:
    """One page far down for each of some sorts, or the last page of a smaller table."""
    found = []
    for sort in SORTS[:4]:
        query = parse(f"view={view}&sort={sort}&limit={DEEP_STEP}")
        deepest = f"view={view}&sort={sort}"
        for _ in range(DEEP_ROWS // DEEP_STEP):
            cursor = board_results(query).next_cursor
            if cursor is None:
                break
            deepest = f"view={view}&sort={sort}&cursor={cursor.encode()}"
            query = parse(f"{deepest}&limit={DEEP_STEP}")
        found.append(deepest)
    return found


def parse(text: str) -> BoardQuery:
    return parse_board_query(QueryDict(text))


def show_pages(what: str, urls: Sequence[str], repeat: int) -> None:
    """The table fragment through the whole middleware; its facet counts are stored beforehand."""
    asked = list(islice(cycle(urls), repeat))
    for url in asked:
        if not facets.facet_counts(parse(url)).is_counted:
            facets.count_and_keep(parse(url))
    reader = htmx_reader()
    reader.get(f"/?{asked[0]}")
    with CaptureQueriesContext(connection) as queries:
        assert reader.get(f"/?{asked[-1]}").status_code == 200, asked[-1]
        amount = len(queries)
    show(what, [timed(lambda u=url: reader.get(f"/?{u}"), url) for url in asked], amount)  # type: ignore[misc]


def measure_counting(repeat: int) -> None:
    for what, urls in (
        ("no filter", [""]),
        ("one filter", FILTERS),
        ("batch or limits", OUTSIDE_CELLS),
        ("search", SEARCHES),
    ):
        queries = [parse(url) for url in islice(cycle(urls), max(repeat, len(urls)))]
        show(f"facets counted: {what}", [timed(lambda q=query: facets.count_facets(q)) for query in queries])  # type: ignore[misc]
    facets.count_and_keep(parse(""))
    new = [parse(f"throughput_tokens_per_s_min={limit}") for limit in range(1, repeat * 5)]
    show("facets of a new state", [timed(lambda q=query: facets.facet_counts(q)) for query in new])  # type: ignore[misc]
    show("facets stored", [timed(stored_counts) for _ in range(repeat * 5)])


def stored_counts() -> None:
    cache.clear()
    facets.facet_counts(parse(""))


def measure_publishing(repeat: int) -> None:
    """Results that lead their cells and results that need not, in turn."""
    leading = BestResult.objects.order_by("pk").values_list("result", flat=True)[: repeat * 50 : 50]
    others = Result.objects.ranked().order_by("pk").values_list("pk", flat=True)[: repeat * 3 : 3]
    withdrawn, published = [], []
    for pk in [pk for pair in zip(leading, others, strict=False) for pk in pair]:
        one = Result.objects.filter(pk=pk)
        withdrawn.append(timed(lambda o=one: unrank(o)))  # type: ignore[misc]
        published.append(timed(lambda o=one: rank(o)))  # type: ignore[misc]
    show("publish one result", published)
    show("withdraw one result", withdrawn)


def timed(call: Callable[[], object], what: str = "") -> Timing:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000, what


def show(what: str, timings: Sequence[Timing], queries: int | None = None) -> None:
    """One line of the table; with SLOWEST=1 in the environment, also which requests were the slowest."""
    values = sorted(taken for taken, _ in timings)
    p50, p99 = values[len(values) // 2], values[min(int(len(values) * 0.99), len(values) - 1)]
    print(f"| {what:44} | {p50:6.1f} | {p99:6.1f} | {'' if queries is None else queries:>7} |", flush=True)
    if os.environ.get("SLOWEST"):
        for taken, url in sorted(timings, reverse=True)[:5]:
            print(f"    {taken:8.1f} {url}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
