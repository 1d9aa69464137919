"""When a result was checked, and with which check set."""

from __future__ import annotations

from leaderboard import format as fmt
from leaderboard.checks import CHECK_SET
from leaderboard.models import Result, ReviewAction, ScoreReviewState

#: what leaves the findings of a submission newer than its handing in
CHECKED_BY = (ReviewAction.RESCORE, ReviewAction.MAP, ReviewAction.REPLACE)


def checked_words(result: Result) -> str:
    """ "Checked 2026-11-21 with check set 2026.2"; the set that the findings shown are of, not the newest one."""
    submission = result.submission
    declined = result.score_reviews.exclude(state=ScoreReviewState.APPLIED).values_list("check_set", flat=True)
    found = max((finding.check_set for finding in result.findings.all()), default="")
    if not found and submission.check_set in set(declined):
        return f"Checked {_handed_in(result)} with a check set before {CHECK_SET}"
    if found and found != submission.check_set:
        return f"Checked {_handed_in(result)} with check set {found}"
    again = [event.created_at for event in submission.events.all() if event.action in CHECKED_BY]
    return f"Checked {fmt.day(max(again)) if again else _handed_in(result)} with check set {submission.check_set}"


def _handed_in(result: Result) -> str:
    return fmt.day(result.submission.submitted_at or result.submission.created_at)
