"""The daily audit: its outcome is kept for the status page, and moderators hear of what does not hold."""

from __future__ import annotations

from accounts.models import NotificationKind
from accounts.services.notifications import notify
from jobs.models import AuditRun
from jobs.queries.audit import Invariant, audit
from jobs.services import clock
from leaderboard.queries.community import active_moderators

SENTENCES_TOLD = 5
RUNS_KEPT = 30


def run_audit() -> AuditRun:
    """Check everything, logs and files too."""
    found = audit(deep=True)
    broken = [rule for rule in found if not rule.holds]
    run = AuditRun.objects.create(
        ended_at=clock.db_now(),
        rules=len(found),
        broken=[{"code": one.code, "rule": one.rule, "broken": one.broken} for one in broken],
    )
    AuditRun.objects.filter(pk__lte=run.pk - RUNS_KEPT).delete()
    if broken:
        _tell_moderators(broken)
    return run


def _tell_moderators(broken: list[Invariant]) -> None:
    sentences = [f"{one.code}: {sentence}" for one in broken for sentence in one.broken]
    more = len(sentences) - SENTENCES_TOLD
    shown = [*sentences[:SENTENCES_TOLD], *([f"and {more} more"] if more > 0 else [])]
    notify(
        to=active_moderators(),
        kind=NotificationKind.MODERATION,
        title=f"The daily audit found what does not hold: {', '.join(one.code for one in broken)}",
        text="; ".join(shown),
        url="/status/",
        data={"event": "audit_broken", "codes": [one.code for one in broken]},
    )
