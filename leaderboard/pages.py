"""What the pages show: frozen rows of ready text. Queries fill them, templates only lay them out.

Numbers are formatted here and in queries, not by template filters: 3 to 5 times faster for a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class FeedLink:
    label: str
    url: str
    mime: str


@dataclass(frozen=True, slots=True)
class WatchRow:
    label: str
    #: "model" or "hardware"
    kind: str
    url: str
    #: where the button posts to
    action: str
    since: str


@dataclass(frozen=True, slots=True)
class TrustBadge:
    """The pill beside every number: code (T0 to T4, Published) for the style, label and title for people."""

    code: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class ColumnHead:
    name: str
    label: str
    unit: str
    title: str
    #: "ascending", "descending" or "" (the values of aria-sort)
    sorted: str
    #: "" where the table cannot be sorted by it
    sort_url: str


@dataclass(frozen=True, slots=True)
class Cell:
    #: "" means that there is no figure; `absent` says why
    text: str
    #: 95 % interval over cycles, such as "±1.2 %", or ""
    interval: str = ""
    is_sorted: bool = False
    #: share of the best value on the page, in percent, for the bar of the sorted column; None: no bar
    bar_percent: int | None = None
    absent: str = "not measured"


@dataclass(frozen=True, slots=True)
class BoardRow:
    rank: int
    url: str
    model: Link
    organisation: str
    hardware: Link
    #: "2 x", or "" where the count is not known
    gpu_count: str
    backend: str
    precision: str
    batch: str
    cells: Sequence[Cell]
    trust: TrustBadge
    runs: str
    #: "" for GPU scope; "node energy" or "wall energy" otherwise
    scope: str
    #: a dispute about it is running
    is_disputed: bool
    #: of the result, for the tick that compares it
    pk: str = ""


@dataclass(frozen=True, slots=True)
class FacetOption:
    value: str
    label: str
    #: None while the results are still being counted
    count: int | None
    is_on: bool


@dataclass(frozen=True, slots=True)
class Facet:
    #: the query parameter
    name: str
    label: str
    options: Sequence[FacetOption]
    is_active: bool


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    name: str
    label: str
    group: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The leaderboard in one state; everything a reader sets is in its URL."""

    #: "best" or "all"
    view: str
    sort_label: str
    heads: Sequence[ColumnHead]
    rows: Sequence[BoardRow]
    facets: Sequence[Facet]
    column_choices: Sequence[ColumnChoice]
    #: such as "213 configurations of 21 models on 2 GPUs"
    summary: str
    #: one chip per active filter; its URL is this state without it
    chips: Sequence[Link]
    #: counts hidden by the trust filter and one click away; None when nothing is hidden
    hidden_by_trust: Link | None
    #: such as "14 results have no TTFT p50 and are not listed", or ""
    hidden_unmeasured: str
    #: the other view of the same filters
    other_view: Link
    #: one sentence for the best row, or ""
    answer: str
    #: when there are no rows: which filters emptied the table
    empty_because: Sequence[Link]
    first_url: str
    next_url: str
    downloads: Sequence[Link]
    #: hidden inputs that keep the rest of the state in the forms
    kept: Sequence[tuple[str, str]]
    clear_url: str
    notices: Sequence[str] = ()
    feeds: Sequence[FeedLink] = ()


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One value with everything a reader needs to believe it."""

    name: str
    label: str
    #: "" means missing
    value: str
    unit: str
    #: "from the file", "computed", "stated by the uploader", "missing"
    origin: str
    note: str = ""
    meaning: str = ""
    interval: str = ""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    label: str
    rows: Sequence[FieldRow]


@dataclass(frozen=True, slots=True)
class FindingRow:
    code: str
    #: "B", "R" or "W"
    severity: str
    severity_label: str
    observed: str
    limit: str
    message: str
    url: str


@dataclass(frozen=True, slots=True)
class CycleTable:
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: mean, sd, 95 % interval and CV rows of the same columns
    summary: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class EventRow:
    when: str
    action: str
    actor: str
    reason: str
    actor_url: str = ""


@dataclass(frozen=True, slots=True)
class FileRow:
    name: str
    size: str
    url: str


@dataclass(frozen=True, slots=True)
class ResultPage:
    pk: UUID
    title: str
    subtitle: str
    model: Link
    hardware: Link
    trust: TrustBadge
    #: "" when published; else a sentence such as "Waiting for review: only you and moderators see this page."
    state: str
    #: the four to six figures on top
    headline: Sequence[FieldRow]
    metrics: Sequence[FieldGroup]
    configuration: Sequence[FieldRow]
    environment: Sequence[tuple[str, str]]
    findings: Sequence[FindingRow]
    cycles: CycleTable | None
    warnings: Sequence[str]
    source: Link | None
    source_date: str
    owner: Link
    submitted: str
    #: None where the source has terms of its own
    licence: Link | None
    #: of the owner, as HTML; "" where there is none
    note: SafeString | str
    files: Sequence[FileRow]
    redacted: Sequence[str]
    events: Sequence[EventRow]
    #: a YAML experiment that repeats the measurement with llem, or "" where the file does not hold enough
    yaml: str
    json_url: str
    submission_url: str
    scope_sentence: str
    #: the energies by the tool and by the host of the job; "" for what no job of this site measured
    host_sentence: str
    #: when the findings were found, and with which check set
    checked: str


@dataclass(frozen=True, slots=True)
class StateField:
    """A value that the files lack and the uploader may state."""

    name: str
    label: str
    unit: str
    why: str
    value: str
    error: str
    #: "text", "number" or "select"
    kind: str
    options: Sequence[tuple[str, str]] = ()
    #: names for a datalist, as suggestions
    suggestions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PreviewResult:
    title: str
    file: str
    runs: str
    trust: TrustBadge
    headline: Sequence[FieldRow]
    groups: Sequence[FieldGroup]
    findings: Sequence[FindingRow]
    url: str


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What was understood of an upload, before and after it is confirmed."""

    shape: str
    shape_label: str
    status: str
    status_label: str
    results: Sequence[PreviewResult]
    state_fields: Sequence[StateField]
    redacted: Sequence[str]
    ignored: Sequence[tuple[str, str]]
    files: Sequence[FileRow]
    #: results that no table could rank: nothing is stored while there is one
    blocked: int
    can_confirm: bool
    #: why not, or what happens next
    next_step: str
    events: Sequence[EventRow] = field(default_factory=tuple)
    visibility: str = ""
    note: str = ""
    #: empty before the draft is stored
    url: str = ""
    state_url: str = ""
    confirm_url: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    link: Link
    #: the columns after the name, ready text, "" means not known
    cells: Sequence[str]
    results: int


@dataclass(frozen=True, slots=True)
class CataloguePage:
    title: str
    intro: str
    heads: Sequence[str]
    groups: Sequence[tuple[str, Sequence[CatalogueRow]]]
    q: str


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    label: str
    value: str
    unit: str
    #: the text of each source
    sources: Sequence[str]
    #: "" or "recalled, not confirmed" / "partly recalled"
    caution: str


@dataclass(frozen=True, slots=True)
class CatalogueDetail:
    """A model's or a GPU's own page: its facts, and the best results with it."""

    title: str
    subtitle: str
    facts: Sequence[SourcedFigure]
    aliases: Sequence[str]
    #: link to the leaderboard filtered to it
    board_url: str
    heads: Sequence[ColumnHead]
    rows: Sequence[BoardRow]
    #: such as "Best configuration per GPU" and its empty sentence
    table_title: str
    empty: str
    source: Link | None
    hidden_by_trust: Link | None
