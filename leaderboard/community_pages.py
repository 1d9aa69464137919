"""What the pages show of comments and disputes: frozen rows of ready text, like those of pages.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from leaderboard.pages import Link


@dataclass(frozen=True, slots=True)
class Attempt:
    """What someone just sent and could not have: the form, its texts and why not."""

    #: "comment", "dispute", or "edit" or "report" with the comment's id behind it: "edit-12"
    form: str = ""
    text: str = ""
    evidence_url: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class CommentRow:
    anchor: str
    url: str
    author: Link
    when: str
    #: "" or when it was changed
    edited: str
    #: "" where nothing is shown of it
    html: SafeString | str
    #: "" or what became of it, such as "Deleted by its author."
    fate: str
    #: as it was written, for the form that changes it
    text: str
    #: "" where the reader can't
    edit_url: str
    delete_url: str
    report_url: str
    is_reported: bool
    #: of the form that was just refused: "edit", "report" or ""
    open_form: str
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class DisputeRow:
    anchor: str
    url: str
    title: str
    #: DisputeState
    state: str
    state_label: str
    is_running: bool
    raised_by: Link
    when: str
    #: "" where the result was deleted
    reason: SafeString | str
    evidence_url: str
    resolution: SafeString | str
    resolved_by: Link | None
    resolved_when: str
    retract_url: str
    #: for a moderator, while it runs
    settle_url: str


@dataclass(frozen=True, slots=True)
class Discussion:
    """Below a result: its disputes, its comments, and what the reader may add."""

    disputes: Sequence[DisputeRow]
    #: one sentence on those that run, or ""
    notice: str
    #: "" where the reader can't
    dispute_url: str
    comments: Sequence[CommentRow]
    count: int
    #: "" or such as "51 to 100 of 120"
    shown: str
    previous_url: str
    next_url: str
    comment_url: str
    #: where a signed-out reader signs in and comes back
    sign_in_url: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class DisputeList:
    rows: Sequence[DisputeRow]
    #: one per state, the first for all; `url` is "" for the one that is shown
    states: Sequence[Link]
    summary: str
    previous_url: str
    next_url: str
