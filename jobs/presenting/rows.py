"""What the pages show: frozen rows of ready text. Texts are "" where there is nothing to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class ShownState:
    """How a job stands, for people: stored states, and those that are computed from leases and wishes."""

    #: held, queued, offered, running, uploading, cancelling, unreachable, succeeded, failed, cancelled, timed_out
    code: str
    words: str
    #: why, and what happens next, with the time that is left
    reason: str
    #: since when, such as "for 2 min 05 s"
    since: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    pk: int
    link: Link
    #: "3", or "" for what does not wait
    position: str
    state: ShownState
    #: where it runs or can run
    host: Link
    #: "step 3 of 9: measure", or "starts in about 12 min"
    progress: str
    percent: int | None
    needs: str
    owner: Link
    is_simulated: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class HostRow:
    link: Link
    #: idle, busy, draining, quarantined, away, retired
    code: str
    words: str
    gpus: str
    gpus_free: str
    runs: Sequence[Link]
    last_seen: str
    versions: str
    owner: Link
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class HistoryRow:
    link: Link
    number: str
    state: ShownState
    kind: str
    host: str
    owner: Link
    ordered: str
    took: str
    result: Link
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    rows: Sequence[QueueRow]
    hosts: Sequence[HostRow]
    #: "4 jobs wait, 2 run on 3 hosts"
    summary: str
    #: how many more wait than are shown
    more: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    rows: Sequence[HistoryRow]
    first_url: str
    next_url: str
    empty: str
    clear_url: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One small figure; `title` says what it is of."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepRow:
    name: str
    #: done, now, failed or stopped
    state: str
    words: str
    took: str


@dataclass(frozen=True, slots=True)
class AttemptRow:
    number: int
    host: Link
    code: str
    words: str
    reason: str
    gpus: str
    executor: str
    offered: str
    ran: str
    energy: Sequence[str]
    log_url: str
    #: the page with the log and charts of this one; "" where nothing ran
    url: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    what: str
    when: str
    who: Link
    attempt: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileRow:
    name: str
    size: str
    state: str


@dataclass(frozen=True, slots=True)
class TelemetryChart:
    name: str
    label: str
    unit: str
    is_from_zero: bool
    #: GPU, mean, lowest, highest, last, samples
    table: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class RecordView:
    """Log and charts of one attempt."""

    number: int
    host: Link
    is_live: bool
    log_url: str
    #: where the script begins to read
    log_start: int
    log_size: str
    #: the end of the log for whoever has no script, without colours
    log_tail: str
    series_url: str
    charts: Sequence[TelemetryChart]
    has_samples: bool
    steps: Sequence[StepRow]
    #: "run 2 of 3" of a sweep
    run: str
    files: Sequence[FileRow]
    #: "20 files, 45.1 kB"
    files_summary: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """What moves while a job is open; asked for every two seconds."""

    state: ShownState
    figures: Sequence[Figure]
    #: "Step 3 of 9: measure"
    step: str
    percent: int | None
    result: Link
    waits_for_result: bool
    problem: str
    #: "" once nothing will change any more
    url: str
    #: what the rest of the page was made from: another version brings it anew
    version: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Actions:
    """What whoever looks may do with a job: addresses, "" where it cannot be."""

    cancel: str = ""
    hold: str = ""
    release: str = ""
    priority: str = ""
    priority_now: int = 0
    can_copy: bool = False


@dataclass(frozen=True, slots=True)
class JobPage:
    pk: int
    title: str
    kind: str
    is_simulated: bool
    owner: Link
    ordered: str
    facts: Sequence[tuple[str, str, str]]
    estimate: str
    estimate_basis: str
    rendered: str
    verifies: Link
    copied_from: Link
    race: Link
    status: StatusView
    actions: Actions
    record: RecordView | None
    attempts: Sequence[AttemptRow]
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True)
class GpuRow:
    name: str
    uuid: str
    memory: str
    hardware: Link
    state: str
    runs: Link
    power: str
    util: str
    memory_used: str
    temperature: str
    measures: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    shown: str
    made: str
    expires: str
    last_used: str
    state: str


@dataclass(frozen=True, slots=True)
class AgentStep:
    """One thing that an operator may do with a host."""

    name: str
    verb: str
    says: str
    url: str
    needs_reason: bool = False
    is_danger: bool = False


@dataclass(frozen=True, slots=True)
class AgentPage:
    row: HostRow
    name: str
    note: str
    gpus: Sequence[GpuRow]
    facts: Sequence[tuple[str, str]]
    attempts: Sequence[AttemptRow]
    #: () for readers
    steps: Sequence[AgentStep] = ()
    tokens: Sequence[TokenRow] = ()
    can_operate: bool = False
