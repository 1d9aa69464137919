"""The page of the dumps."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.data_card import citation
from leaderboard.dump_columns import DumpColumn
from leaderboard.dump_pages import DataPage, DumpRow
from leaderboard.models import Dump
from leaderboard.pages import Link
from lemsite.context import SITE_NAME

PYARROW = """\
import pyarrow.parquet as pq

file = pq.ParquetFile("{name}")  # downloaded before
file.schema_arrow.field("tokens_per_joule").metadata  # unit and meaning
for batch in file.iter_batches():
    ..."""
DUCKDB = """\
SELECT model, hardware, max(tokens_per_joule)
FROM '{url}'
WHERE energy_scope = 'gpu'
GROUP BY ALL;"""
EXAMPLES = (
    ("pandas", 'import pandas as pd\n\nresults = pd.read_parquet("{url}")'),
    ("DuckDB", DUCKDB),
    ("pyarrow", PYARROW),
    ("Check the download", "curl -O {url}\ncurl {site}/data/{version}.sha256 | sha256sum --check"),
)


def data_page(dumps: Sequence[Dump], columns: Sequence[DumpColumn], keeps: int) -> DataPage:
    newest = dumps[0] if dumps else None
    dataset = settings.HF_DATASET
    return DataPage(
        rows=[dump_row(dump) for dump in dumps],
        examples=_examples(newest) if newest else (),
        columns=[(column.name, column.type.__name__, column.unit, column.meaning) for column in columns],
        citation=dump_citation(newest) if newest else "",
        dataset=Link(dataset, f"{settings.HF_ENDPOINT}/datasets/{dataset}") if dataset else None,
        keeps=keeps,
    )


def dump_row(dump: Dump) -> DumpRow:
    return DumpRow(
        version=dump.version,
        made=fmt.minute(dump.made_at),
        rows=f"{dump.rows:,}",
        size=fmt.size(dump.size_bytes),
        sha256=dump.sha256,
        data_version=f"{dump.data_version:,}",
        file=Link("Parquet", file_url(dump, "parquet")),
        card=Link("data card", file_url(dump, "card")),
        schema=Link("schema", file_url(dump, "schema")),
        checksum=Link("SHA-256", file_url(dump, "checksum")),
        pushed=f"on Hugging Face since {fmt.minute(dump.pushed_at)}" if dump.pushed_at else "",
    )


def file_url(dump: Dump, kind: str) -> str:
    """The path of one of its files: parquet, card, schema or checksum."""
    return reverse(f"leaderboard:dump_{kind}", args=[dump.version])


def dump_citation(dump: Dump) -> str:
    return citation(
        site_name=SITE_NAME,
        site_url=settings.SITE_URL,
        version=dump.version,
        data_version=dump.data_version,
        sha256=dump.sha256,
    )


def _examples(dump: Dump) -> list[tuple[str, str]]:
    url = settings.SITE_URL + file_url(dump, "parquet")
    names = {"url": url, "name": f"{dump.version}.parquet", "site": settings.SITE_URL, "version": dump.version}
    return [(reader, code.format(**names)) for reader, code in EXAMPLES]
