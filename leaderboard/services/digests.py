"""Weekly digests: what a week brought, written once when it is over.

Stored are counts and references, no texts: a page says of each reference only what is public when it is read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from leaderboard.models import ReviewAction, WeeklyDigest
from leaderboard.queries.digests import (
    NewBest,
    Week,
    catalogue_names,
    digests,
    disputes_settled_in,
    first_published_at,
    new_bests,
    pairs_seen_before,
    result_with,
    results_by_pair,
    results_published_in,
    taken_away_in,
)

#: how far back missing digests are written
WEEKS_BACK = 8
#: entries of a list; a digest is a page, never more
MOST = 10


def write_missing_digests(now: datetime) -> list[WeeklyDigest]:
    """Those of the last weeks that are over and have none, the oldest first."""
    last = last_ended_week(now)
    first = first_published_at()
    if first is None:
        return []
    mondays = [last - timedelta(weeks=back) for back in reversed(range(WEEKS_BACK))]
    have = set(WeeklyDigest.objects.filter(week__in=mondays).values_list("week", flat=True))
    written = []
    for monday in mondays:
        week = Week(monday)
        if monday not in have and first < week.end:
            digest, is_new = WeeklyDigest.objects.get_or_create(
                week=monday, defaults={"content": digest_content(week, is_last=monday == last)}
            )
            written += [digest] if is_new else []
    return written


def last_ended_week(now: datetime) -> date:
    """The Monday of the last week that is over."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=today.weekday() + 7)


def digest_content(week: Week, *, is_last: bool) -> dict[str, Any]:
    """`is_last`: of the week that has just ended, for which the catalogue as it is now can be noted."""
    pairs = results_by_pair(week)
    seen = pairs_seen_before(week, {model for model, *_ in pairs})
    bests = sorted(new_bests(week), key=lambda best: (-best.factor, best.metric, best.group))
    disputes = list(disputes_settled_in(week).values_list("pk", flat=True))
    taken = taken_away_in(week)
    return {
        "results": sum(n for *_, n in pairs),
        "submissions": results_published_in(week).values("submission").distinct().count(),
        "pairs": [[model, hardware, n] for model, hardware, n in pairs[:MOST]],
        "more_pairs": max(len(pairs) - MOST, 0),
        "first_pairs": sum((model, hardware) not in seen for model, hardware, _ in pairs),
        "bests": [_best(best) for best in bests[:MOST]],
        "more_bests": max(len(bests) - MOST, 0),
        "disputes": disputes[:MOST],
        "more_disputes": max(len(disputes) - MOST, 0),
        "withdrawn": taken.get(ReviewAction.WITHDRAW, 0) + taken.get(ReviewAction.DELETE, 0),
        "invalidated": taken.get(ReviewAction.INVALIDATE, 0),
        **(_catalogue() if is_last else {}),
    }


def _best(best: NewBest) -> dict[str, Any]:
    return {
        "metric": best.metric,
        "result": _text(result_with(best, best.value)),
        "before": _text(result_with(best, best.before)),
        "factor": best.factor,
    }


def _catalogue() -> dict[str, Any]:
    """The catalogue as it is, and what it did not hold when the digest before was written."""
    names = catalogue_names()
    former = digests().filter(content__has_key="catalogue").first()
    added = {
        kind: sorted(set(names[kind]) - set(former.content["catalogue"][kind])) if former else [] for kind in names
    }
    return {"catalogue": names, "added": added}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
