"""What the pages of a submission's owner show, as ready text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.pages import FileRow, Link, TrustBadge


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One result in the table of all of a submission."""

    link: Link
    #: what tells it from its neighbours: file, precision, batch
    detail: str
    trust: TrustBadge
    #: the headline figures with their units in the heads
    figures: Sequence[str]
    #: such as "2 for a moderator, 1 warning", or ""
    findings: str


@dataclass(frozen=True, slots=True)
class ResultTable:
    heads: Sequence[str]
    rows: Sequence[ResultLine]
    #: such as "Results 101 to 200 of 1,000"
    summary: str
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class FigureChange:
    label: str
    old: str
    new: str
    unit: str


@dataclass(frozen=True, slots=True)
class ResultChange:
    """What became of one result of an old version."""

    title: str
    #: of the old figures; None where none was kept
    trust: TrustBadge | None
    #: "" where it has no successor
    url: str
    changes: Sequence[FigureChange]


@dataclass(frozen=True, slots=True)
class VersionRow:
    number: int
    when: str
    reason: str
    results: Sequence[ResultChange]
    #: results beyond those listed
    more: int
    files: Sequence[FileRow]


@dataclass(frozen=True, slots=True)
class Action:
    """A step open to the owner: where it goes, and what it does, said before."""

    url: str
    says: str


@dataclass(frozen=True, slots=True)
class OwnerPanel:
    """What the owner of a submission can do as it stands; None is not possible now."""

    #: one sentence on what everyone will see
    becomes_public: str
    licences: Sequence[tuple[str, str]]
    licence: str
    #: what a moderator asked for; "" unless it is the owner's turn
    answer: str
    answered_by: str
    #: a field is prefilled with what was stated last time
    remembers: bool
    shared_with: Sequence[str]
    share: Action | None
    note: Action | None
    replace: Action | None
    recall: Action | None
    withdraw: Action | None
    delete: Action
    versions: Sequence[VersionRow]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    file: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    """An upload of many files on its way to a draft."""

    title: str
    state: str
    #: what happens now, in a sentence
    says: str
    is_open: bool
    files_done: int
    #: 0 while they have not been counted
    files_total: int
    refused: Sequence[RefusedRow]
    refused_count: int
    url: str
    csv_url: str
    submission_url: str
