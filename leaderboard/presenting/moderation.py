"""What a moderator reads before deciding on a submission: findings, peers, and what came of its owner's others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from accounts.models import Ban, User
from leaderboard import format as fmt
from leaderboard.models import Dispute, Finding, Result, Submission
from leaderboard.pages import EventRow, FindingRow, Link, PreviewPage
from leaderboard.presenting.common import SIMULATED, gpu_words, model_link
from leaderboard.presenting.peers import PeerChart, peer_chart
from leaderboard.presenting.preview import submission_preview
from leaderboard.presenting.result import CONFIGURATION, event_rows, finding_row
from leaderboard.queries.moderation import records
from leaderboard.queries.need import count_needs, need_words
from leaderboard.queries.peers import curve_of, peers_of

#: of a person's other submissions, bans and disputes
MAX_HISTORY = 20
MAX_FINDINGS = 100
#: results whose peers are plotted, those with findings first
MAX_CHARTS = 4


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One finding and the result that it is about."""

    result: Link
    finding: FindingRow


@dataclass(frozen=True, slots=True)
class HistoryRow:
    when: str
    what: Link
    outcome: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OwnerHistory:
    name: str
    since: str
    #: such as "12 published, 1 rejected"
    record: str
    submissions: Sequence[HistoryRow]
    disputes: Sequence[HistoryRow]
    bans: Sequence[HistoryRow]
    ban_url: str


@dataclass(frozen=True, slots=True)
class ModerationPage:
    need: str
    waits_since: str
    findings: Sequence[FoundRow]
    charts: Sequence[PeerChart]
    preview: PreviewPage
    #: (label, value) of what the owner stated
    stated: Sequence[tuple[str, str]]
    note: str
    events: Sequence[EventRow]
    #: None when the account is gone
    owner: OwnerHistory | None
    licence: str
    provenance: str
    check_set: str


def moderation_page(submission: Submission) -> ModerationPage:
    needs = count_needs(Submission.objects.filter(pk=submission.pk)).get(submission.pk)
    return ModerationPage(
        need=need_words(needs) if needs else "",
        waits_since=fmt.minute(submission.submitted_at),
        findings=_findings(submission),
        charts=[peer_chart(result, peers_of(result), curve_of(result)) for result in _worth_plotting(submission)],
        preview=submission_preview(submission),
        stated=[(_label(name), fmt.exact(value)) for name, value in submission.stated.items()],
        note=submission.note,
        events=event_rows(submission),
        owner=_owner(submission) if submission.owner else None,
        licence=submission.get_licence_display(),
        provenance=submission.get_provenance_display(),
        check_set=submission.check_set,
    )


def _findings(submission: Submission) -> list[FoundRow]:
    """Those for a moderator first; the model orders severities B, R, W."""
    found = Finding.objects.filter(result__submission=submission).order_by("severity", "code", "result__position")
    return [
        FoundRow(_result_link(finding.result), finding_row(finding))
        for finding in found.select_related("result__model", "result__hardware")[:MAX_FINDINGS]
    ]


def _worth_plotting(submission: Submission) -> list[Result]:
    results = submission.results.select_related("model", "hardware", "backend")
    for_review = Q(findings__severity__in=(Finding.Severity.BLOCK, Finding.Severity.REVIEW))
    flagged = list(results.filter(for_review).distinct()[:MAX_CHARTS])
    rest = results.exclude(pk__in=[result.pk for result in flagged])[: MAX_CHARTS - len(flagged)]
    return [*flagged, *rest]


def _owner(submission: Submission) -> OwnerHistory:
    owner = submission.owner
    assert isinstance(owner, User)  # noqa: S101 - the caller looked
    others = Submission.objects.filter(owner=owner, deleted_at=None).exclude(pk=submission.pk)
    about = Dispute.objects.filter(result__submission__owner=owner).select_related("result__model", "result__hardware")
    return OwnerHistory(
        name=owner.username,
        since=fmt.day(owner.date_joined),
        record=str(records([owner.pk])[owner.pk]),
        submissions=[
            HistoryRow(fmt.day(other.submitted_at or other.created_at), _submission_link(other), _status(other))
            for other in others.order_by("-created_at")[:MAX_HISTORY]
        ],
        disputes=[
            HistoryRow(fmt.day(one.created_at), _dispute_link(one), one.get_state_display(), one.resolution)
            for one in about[:MAX_HISTORY]
        ],
        bans=[
            HistoryRow(fmt.day(ban.created_at), _ban_link(ban), _ban_state(ban), ban.reason)
            for ban in owner.bans.all()[:MAX_HISTORY]
        ],
        ban_url=f"{reverse('admin:accounts_ban_add')}?username={owner.username}",
    )


def _label(name: str) -> str:
    return CONFIGURATION[name][0] if name in CONFIGURATION else name.replace("_", " ")


def _result_link(result: Result) -> Link:
    title = f"{model_link(result).label} on {gpu_words(result)}"
    return Link(title, reverse("leaderboard:result", args=[result.pk]))


def _submission_link(submission: Submission) -> Link:
    url = reverse("admin:leaderboard_submission_change", args=[submission.pk])
    return Link(f"{submission.shape} {str(submission.pk)[:8]}", url)


def _status(submission: Submission) -> str:
    return SIMULATED.label if submission.is_simulated else submission.get_status_display()


def _dispute_link(dispute: Dispute) -> Link:
    return Link(str(dispute.result or dispute.title), reverse("admin:leaderboard_dispute_change", args=[dispute.pk]))


def _ban_link(ban: Ban) -> Link:
    return Link("Ban", reverse("admin:accounts_ban_change", args=[ban.pk]))


def _ban_state(ban: Ban) -> str:
    if ban.lifted_at:
        return f"lifted {fmt.day(ban.lifted_at)}"
    return f"until {fmt.minute(ban.until)}" if ban.until else "for good"
