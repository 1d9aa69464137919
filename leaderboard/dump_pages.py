"""What the pages of dumps and digests show: frozen rows of ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class DumpRow:
    version: str
    made: str
    rows: str
    size: str
    sha256: str
    data_version: str
    file: Link
    card: Link
    schema: Link
    checksum: Link
    #: whether the dataset on Hugging Face has it, or ""
    pushed: str


@dataclass(frozen=True, slots=True)
class DataPage:
    rows: Sequence[DumpRow]
    #: (reader, code that loads the newest file)
    examples: Sequence[tuple[str, str]]
    #: (name, type, unit, meaning)
    columns: Sequence[tuple[str, str, str, str]]
    #: BibTeX of the newest, or ""
    citation: str
    #: of the dataset, or None
    dataset: Link | None
    keeps: int


@dataclass(frozen=True, slots=True)
class DigestSection:
    title: str
    #: sentence before the list, or ""
    words: str
    #: parts of each line: text, or a link
    lines: Sequence[Sequence[Link]]
    #: "3 more …", or ""
    more: str


@dataclass(frozen=True, slots=True)
class DigestPage:
    #: such as "2026, week 47"
    title: str
    #: such as "16 to 22 November 2026"
    dates: str
    url: str
    written: str
    summary: str
    sections: Sequence[DigestSection]
    former: Link | None = None
    following: Link | None = None
