"""The data card of a dump: what is in the file, how it came about, and under which terms it may be used. Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leaderboard.dump_columns import DumpColumn

MAX_SOURCES = 40
HUB_FRONT = """\
---
license: other
license_name: per-row
license_link: {facts_url}
pretty_name: lemsite results
configs:
- config_name: default
  data_files:
  - split: train
    path: {path}
---
"""
LICENCE_URLS = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
}
CAVEATS = (
    "An empty value means not measured or not stated. It never means zero.",
    "Energy has a scope, in `energy_scope`. Compare rows of one scope only.",
    "`throughput_tokens_per_s` and `avg_power_w` are of all GPUs together, `peak_memory_mb` is of one GPU.",
    "Tokens per joule counts output tokens; the figure over all tokens is `total_tokens_per_joule`.",
    "Rows are configurations that people chose to measure, not a sample: a mean over rows says nothing about a model.",
    "`trust` says who vouches for a row. The site's default view leaves out T1.",
    "Costs are at the price per GPU-hour of the site's catalogue.",
    "Carbon depends on your grid: `energy_per_output_token_j` / 3.6 x PUE x gCO2/kWh is gCO2 per 10^6 output tokens.",
    "Spread (`…_sd`, `…_ci95_low`, `…_ci95_high`) is over independent repeats, never over the requests of one run.",
    "A row can leave a later version: its owner withdrew it, or it was found to be wrong. Cite the version you used.",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says of one dump."""

    site_name: str
    site_url: str
    version: str
    made: str
    data_version: int
    rows: int
    size_bytes: int
    sha256: str
    release: str
    check_set: str
    #: column -> value -> rows
    counts: Mapping[str, Mapping[str | None, int]]


def data_card(facts: Facts, columns: Sequence[DumpColumn]) -> str:
    """The card as Markdown; names that came from outside are shown as code, so that they stay what they are."""
    return "\n".join([*_head(facts), *_licences(facts), *_counts(facts), *_columns(columns), *_foot(facts)]) + "\n"


def hub_card(card: str, facts_url: str, path: str) -> str:
    """The same card as the README of a dataset on Hugging Face, which reads its front matter."""
    return HUB_FRONT.format(facts_url=facts_url, path=path) + card


def citation(*, site_name: str, site_url: str, version: str, data_version: int, sha256: str) -> str:
    """BibTeX: which dump, where it is, and the checksum that tells whether it is the same one."""
    return "\n".join(
        [
            f"@misc{{{site_name}-{version},",
            f"  title        = {{{site_name}: measured efficiency of language models, dump {version}}},",
            f"  year         = {{{version[:4]}}},",
            f"  version      = {{{version}, data version {data_version}}},",
            f"  howpublished = {{\\url{{{site_url}/data/}}}},",
            f"  note         = {{SHA-256 {sha256}}}",
            "}",
        ]
    )


def _head(facts: Facts) -> Iterator[str]:
    yield f"# {facts.site_name}: all public results, version {facts.version}"
    yield ""
    yield (
        f"{facts.rows:,} published configurations of language models on GPUs with their measured energy, speed, memory "
        f"and cost, as {facts.site_url}/ ranked them at one moment ({facts.made}, data version {facts.data_version})."
    )
    yield ""
    yield f"- File: {facts.site_url}/data/{facts.version}.parquet ({facts.size_bytes:,} bytes, Parquet with zstd)"
    yield f"- SHA-256: `{facts.sha256}`"
    yield f"- Schema of a row: {facts.site_url}/data/{facts.version}.schema.json"
    yield f"- Made by lemsite {facts.release}, results checked with check set {facts.check_set} or an earlier one"
    yield ""
    yield "## How it came about"
    yield ""
    yield (
        "People upload the files of their benchmark tools, or run jobs on the site's GPU hosts. Files are read, "
        "secrets and personal paths removed, and every figure is checked against the others and against what the "
        "hardware can do. A moderator publishes. The file holds one row for each result that is public, mapped to the "
        "catalogue and not blocked by a check; drafts, private and simulated results are never in it. "
        f"{facts.site_url}/methodology/ defines every figure and check."
    )
    yield ""


def _licences(facts: Facts) -> Iterator[str]:
    yield "## Licences"
    yield ""
    yield "Each row has its own terms, in the column `licence`. To name who gave a row, link to its page:"
    yield ""
    for licence, rows in _sorted(facts.counts["licence"]):
        if licence is not None:
            url = LICENCE_URLS.get(licence)
            yield f"- {f'[{licence}]({url})' if url else _code(licence)}: {rows:,} rows"
    carried = [(name, rows) for name, rows in _sorted(facts.counts["source_name"]) if name]
    if carried:
        yield "- No licence of this site, under the terms of the source named in `source_name`:"
        yield from (f"  - {_code(name)}: {rows:,} rows" for name, rows in carried[:MAX_SOURCES])
        if len(carried) > MAX_SOURCES:
            yield f"  - {len(carried) - MAX_SOURCES:,} more sources"
    yield ""


def _counts(facts: Facts) -> Iterator[str]:
    yield "## What is in it"
    yield ""
    for name, words in (("trust", "Trust level"), ("energy_scope", "Energy scope")):
        shares = ", ".join(f"{value or 'not stated'}: {rows:,}" for value, rows in _sorted(facts.counts[name]))
        yield f"- {words}: {shares or 'no rows'}"
    yield ""
    yield "## Caveats"
    yield ""
    yield from (f"- {caveat}" for caveat in CAVEATS)
    yield ""


def _columns(columns: Sequence[DumpColumn]) -> Iterator[str]:
    yield "## Columns"
    yield ""
    yield "Units and meanings are in the Parquet file too, in the metadata of each column."
    yield ""
    yield "| column | type | unit | meaning |"
    yield "| --- | --- | --- | --- |"
    for column in columns:
        yield f"| `{column.name}` | {column.type.__name__} | {column.unit} | {column.meaning.replace('|', '/')} |"
    yield ""


def _foot(facts: Facts) -> Iterator[str]:
    yield "## Cite it"
    yield ""
    yield "```bibtex"
    yield citation(
        site_name=facts.site_name,
        site_url=facts.site_url,
        version=facts.version,
        data_version=facts.data_version,
        sha256=facts.sha256,
    )
    yield "```"


def _sorted(counts: Mapping[str | None, int]) -> Iterable[tuple[str | None, int]]:
    """The most frequent first, equal ones by name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or ""))


def _code(text: str) -> str:
    """As inline code: nothing in it is a link, HTML or the end of a line."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"`{plain.replace('`', chr(39))[:200]}`"
