"""A newer check set meets what is public: the same outcome is stored quietly, another one waits for a moderator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import NotificationKind, User
from accounts.services.notifications import notify
from leaderboard import checks
from leaderboard.checks import CHECK_SET, Severity
from leaderboard.models import (
    Finding,
    Result,
    ReviewAction,
    ScoreReview,
    ScoreReviewState,
    Submission,
    SubmissionStatus,
    Trust,
)
from leaderboard.services.need import refresh_need
from leaderboard.services.ranking import rank, unrank
from leaderboard.services.scoring import (
    Judged,
    apply_price,
    check_stored,
    finding_rows,
    parsed_from,
    rescore,
    trust_level,
)
from leaderboard.services.steps import Refused, log_event
from lemsite.lib.giving_way import giving_way

#: public with a badge that stands; of withdrawn and invalidated ones no badge stands any more
STANDING = (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED)
#: results of one transaction: others who write wait for it on SQLite, and a submission may have thousands
AT_ONCE = 20
#: rows of one statement
ROWS_AT_ONCE = 500
PRICE_COLUMNS = ("gpu_seconds_per_million_tokens", "cost_per_million_tokens_usd")
SERIOUS = (Severity.BLOCK.value, Severity.REVIEW.value)


class ScoreRefused(Refused):
    """A decision on a new score is not possible; the message says why."""


@dataclass(frozen=True, slots=True)
class RescoreCounts:
    """How many results were checked, and of how many the outcome differs and waits for a moderator."""

    checked: int = 0
    reviews: int = 0

    def __add__(self, other: RescoreCounts) -> RescoreCounts:
        return RescoreCounts(self.checked + other.checked, self.reviews + other.reviews)


def rescore_published(*, limit: int | None = None) -> RescoreCounts:
    """Check every public result that an older check set judged; nothing public changes by it.

    It can stop anywhere and go on later: a submission that was not finished is checked from its beginning, with the
    same outcome. Stops after the submission with which `limit` results are reached.
    """
    counts = RescoreCounts()
    due = Submission.objects.public().filter(status__in=STANDING).exclude(check_set=CHECK_SET)
    for pk in list(due.order_by("published_at", "pk").values_list("pk", flat=True)):
        if limit is not None and counts.checked >= limit:
            break
        counts += _rescore_submission(pk)
    return counts


def is_rescoring_due() -> bool:
    return Submission.objects.public().filter(status__in=STANDING).exclude(check_set=CHECK_SET).exists()


def recheck(results: Sequence[Result]) -> list[Result]:
    """Check public results of one submission again. Returns those whose outcome would differ: their badge stays.

    Inside the caller's transaction, which holds the submission's row lock.
    """
    differing = []
    for result, findings in zip(results, check_stored(results), strict=True):
        trust = _trust_after(result, findings)
        if trust == result.trust and _serious(findings) == _serious_now(result):
            result.findings.exclude(code="DUP1").delete()
            Finding.objects.bulk_create(finding_rows(result, findings))
        else:
            _open_review(result, findings, trust)
            differing.append(result)
    return differing


@transaction.atomic
def judge_mapped(*, results: QuerySet[Result], had_badge: Set[UUID]) -> None:
    """Check results whose names mean something else now.

    Those with a badge keep it, and a moderator judges. The others could not be ranked before: they are judged at
    once, and owners are told where that changes what is public.
    """
    rows = results.select_related("model", "hardware", "backend", "submission__owner")
    for submission, some in _by_submission(rows.prefetch_related("findings", "measurements")):
        for result in some:
            apply_price(result)
        Result.objects.bulk_update(some, PRICE_COLUMNS, batch_size=ROWS_AT_ONCE)
        tell_of_reviews(submission, recheck([one for one in some if one.pk in had_badge]))
        fresh = [one for one in some if one.pk not in had_badge]
        before = {one.pk: one.trust for one in fresh}
        for result, findings in zip(fresh, check_stored(fresh), strict=True):
            rescore(result, findings)
        changed = [one for one in fresh if one.trust != before[one.pk]]
        if changed and submission.is_public:
            _tell(changed[0], _names_mapped(changed), "A moderator said what a name in its file means.")


def _by_submission(rows: QuerySet[Result]) -> Iterator[tuple[Submission, list[Result]]]:
    for _, some in groupby(rows.order_by("submission", "position"), key=attrgetter("submission_id")):
        results = list(some)
        yield results[0].submission, results


def _names_mapped(changed: Sequence[Result]) -> str:
    if len(changed) == 1:
        return f"{changed[0]} is now “{Trust(changed[0].trust).label}”"
    return f"The trust of {len(changed)} of your results has changed"


@transaction.atomic
def apply_score(*, score_review: ScoreReview, by: User, reason: str) -> None:
    """Make the new findings and the trust that follows public. Raises ScoreRefused saying why it cannot be."""
    review = _decide(score_review, ScoreReviewState.APPLIED, by, reason)
    result = Result.objects.select_for_update().get(pk=review.result_id)
    chosen = Result.objects.filter(pk=result.pk)
    # Its cell of the best table carries the trust, so it leaves the tables under the old one.
    unrank(chosen)
    result.findings.exclude(code="DUP1").delete()
    Finding.objects.bulk_create(
        Finding(result=result, check_set=review.check_set, **finding) for finding in review.findings
    )
    chosen.update(trust=review.trust_after)
    rank(chosen)
    badge = f"Trust: {Trust(review.trust_before).label} to {Trust(review.trust_after).label}."
    _record(result, ReviewAction.RESCORE, by, f"{result}, check set {review.check_set}. {badge} {reason}")
    _tell(result, f"New findings on {result}", f"{badge} {reason}")


@transaction.atomic
def keep_score(*, score_review: ScoreReview, by: User, reason: str) -> None:
    """Leave findings and trust as they were. Raises ScoreRefused saying why it cannot be."""
    review = _decide(score_review, ScoreReviewState.KEPT, by, reason)
    result = Result.objects.get(pk=review.result_id)
    _record(result, ReviewAction.KEEP_SCORE, by, f"{result}, check set {review.check_set}. {reason}")
    _tell(result, f"{result} stays as it was", f"Check set {review.check_set} changes nothing. {reason}")


def _rescore_submission(pk: UUID) -> RescoreCounts:
    """In parts, with room for others between them; one that was withdrawn or replaced meanwhile is left as it is."""
    ids = list(Result.objects.filter(submission=pk).values_list("pk", flat=True))
    differing: list[Result] = []
    for first in range(0, max(len(ids), 1), AT_ONCE):
        with giving_way(), transaction.atomic():
            submission = Submission.objects.select_for_update().filter(pk=pk, status__in=STANDING).first()
            if submission is None or submission.check_set == CHECK_SET:
                return RescoreCounts()
            rows = submission.results.filter(pk__in=ids[first : first + AT_ONCE])
            rows = rows.select_related("model", "hardware", "backend", "submission")
            differing += recheck(list(rows.prefetch_related("findings", "measurements")))
            if first + AT_ONCE >= len(ids):
                _finish(submission, len(ids), differing)
    return RescoreCounts(len(ids), len(differing))


def _finish(submission: Submission, checked: int, differing: Sequence[Result]) -> None:
    Submission.objects.filter(pk=submission.pk).update(check_set=CHECK_SET)
    _event(submission, ReviewAction.RESCORE, None, _outcome(checked, len(differing)))
    tell_of_reviews(submission, differing)


def tell_of_reviews(submission: Submission, differing: Sequence[Result]) -> None:
    """Tell the owner, once a submission, and put it where moderators see it."""
    if not differing:
        return
    refresh_need(Submission.objects.filter(pk=submission.pk))
    what = f"{len(differing)} of your results" if len(differing) > 1 else str(differing[0])
    _notify_owner(
        submission,
        f"Check set {CHECK_SET} sees {what} differently",
        "Nothing public has changed. A moderator decides whether the new findings apply.",
        reverse("leaderboard:submission", args=[submission.pk]),
    )


def _outcome(checked: int, differing: int) -> str:
    results = "1 result" if checked == 1 else f"{checked} results"
    waits = f"{differing} would change and wait for a moderator" if differing else "nothing changes"
    return f"Check set {CHECK_SET} over {results}: {waits}."


def _trust_after(result: Result, findings: Sequence[checks.Finding]) -> Trust:
    """What was run here or reproduced stays so while no check speaks against it."""
    if result.trust >= Trust.RUN_HERE and not _serious(findings):
        return Trust(result.trust)
    return trust_level(parsed_from(result), findings, Judged.of(result.submission))


def _serious(findings: Sequence[checks.Finding]) -> set[tuple[str, str]]:
    return {(one.code, one.severity.value) for one in findings if one.severity.value in SERIOUS}


def _serious_now(result: Result) -> set[tuple[str, str]]:
    return {(one.code, one.severity) for one in result.findings.all() if one.severity in SERIOUS and one.code != "DUP1"}


def _open_review(result: Result, findings: Sequence[checks.Finding], trust: Trust) -> None:
    """One of each check set and result; asked again, it is open again."""
    told = [{**asdict(one), "severity": one.severity.value, "field": one.field or ""} for one in findings]
    ScoreReview.objects.update_or_create(
        result=result,
        check_set=CHECK_SET,
        defaults={
            "trust_before": result.trust,
            "trust_after": trust,
            "findings": told,
            "state": ScoreReviewState.OPEN,
            "decided_by": None,
            "decided_at": None,
            "reason": "",
        },
    )


def _decide(score_review: ScoreReview, state: ScoreReviewState, by: User, reason: str) -> ScoreReview:
    """The open review, closed under its row lock; a second decision finds it closed."""
    # The submission first, as everywhere, so that two who decide never wait for each other.
    submissions = Submission.objects.select_for_update(of=("self",)).select_related("owner")
    submission = submissions.filter(results=score_review.result_id).first()
    review = ScoreReview.objects.select_for_update().filter(pk=score_review.pk).first()
    if submission is None or review is None:
        raise ScoreRefused("The result was replaced or deleted since.", field="state")
    if not by.is_moderator:
        raise ScoreRefused(f"{by.username} is not a moderator.", field="by")
    if submission.owner_id == by.pk:
        raise ScoreRefused("Nobody decides on their own result.", field="by")
    if not reason.strip():
        raise ScoreRefused("Give a reason: the owner reads it, and it stays in the record.", field="reason")
    if review.state != ScoreReviewState.OPEN:
        raise ScoreRefused(f"It was decided before: {review.get_state_display().lower()}.", field="state")
    if state == ScoreReviewState.APPLIED and _was_replaced(review, submission):
        raise ScoreRefused("The files were replaced since, so these findings are of other figures.", field="state")
    review.state, review.decided_by, review.decided_at = state, by, timezone.now()
    review.reason = reason.strip()[:2000]
    review.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    return review


def _was_replaced(review: ScoreReview, submission: Submission) -> bool:
    return submission.events.filter(action=ReviewAction.REPLACE, created_at__gt=review.created_at).exists()


def _record(result: Result, action: ReviewAction, by: User, reason: str) -> None:
    _event(result.submission, action, by, reason)
    refresh_need(Submission.objects.filter(pk=result.submission_id))


def _event(submission: Submission, action: ReviewAction, by: User | None, reason: str) -> None:
    log_event(submission=submission, action=action, by=by, before=submission.status, reason=reason[:2000])


def _tell(result: Result, title: str, text: str) -> None:
    url = reverse("leaderboard:result", args=[result.pk]) + "#findings"
    _notify_owner(result.submission, title, text, url)


def _notify_owner(submission: Submission, title: str, text: str, url: str) -> None:
    if submission.owner is not None:
        notify(to=[submission.owner], kind=NotificationKind.REVIEW, title=title, text=text, url=url)
