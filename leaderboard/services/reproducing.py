"""A rerun by this site meets the result that it repeats: T4, a dispute, or nothing that can be said. By REP1."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse

from accounts.models import NotificationKind
from accounts.services.notifications import notify
from leaderboard.checks.reproduction import Compared, Comparison, compare, is_enough
from leaderboard.models import Finding, Provenance, Result, ReviewAction, Submission, SubmissionStatus, Trust
from leaderboard.services.disputes import open_dispute_by_site
from leaderboard.services.need import refresh_need
from leaderboard.services.ranking import rank, unrank
from leaderboard.services.scoring import normal_form
from leaderboard.services.steps import log_event

#: what a rerun must have in common with the first run, where both say it
CONFIGURATION = (
    "model_id", "hardware_id", "backend_id", "gpu_count", "precision", "energy_scope", "batch_size", "concurrency",
    "dataset", "max_input_tokens", "max_output_tokens",
)  # fmt: skip
#: the levels that a rerun within tolerance raises: Published figures keep their name, and T1 has something open
RAISED = (Trust.CHECKS_PASSED, Trust.RUN_HERE)
#: what was given before may be what is wrong, so being unlike it is nothing against a rerun
BESIDE_OTHERS = ("OUT1", "OUT2", "OUT3")
SERIOUS = (Finding.Severity.BLOCK, Finding.Severity.REVIEW)
STANDING = (SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED)


@transaction.atomic
def settle_rerun(*, result: Result, reruns: Sequence[Result], where: str) -> tuple[Comparison, str]:
    """Hold a public result against what this site measured of its configuration, and act on it.

    `where` says who ran it again, in a few words. Returns what came of it, and the figures in a sentence.
    """
    submission = Submission.objects.select_for_update(of=("self",)).select_related("owner").get(pk=result.submission_id)
    result = Result.objects.select_for_update().get(pk=result.pk)
    if submission.status not in STANDING or not submission.is_public or submission.deleted_at is not None:
        return Comparison.UNDECIDED, "The result is public no more."
    again = next((one for one in reruns if is_same_configuration(result, one)), None)
    if again is None:
        return Comparison.UNDECIDED, "The rerun's files do not say the configuration of the result."
    if not is_sound(again):
        return Comparison.UNDECIDED, "The checks have something against the rerun itself, so it decides nothing."
    compared = compare(normal_form(result), normal_form(again))
    return _decide(submission, result, compared, where)


def is_same_configuration(result: Result, again: Result) -> bool:
    if None in (again.model_id, again.hardware_id, again.backend_id):
        return False
    pairs = ((getattr(result, name), getattr(again, name)) for name in CONFIGURATION)
    return all(one == other or one in (None, "") or other in (None, "") for one, other in pairs)


def is_sound(again: Result) -> bool:
    """Measured by a job with the host's energy beside it, and nothing open but how it compares with others."""
    if again.submission.is_simulated or again.submission.provenance != Provenance.JOB or again.host_energy_j is None:
        return False
    return not again.findings.filter(severity__in=SERIOUS).exclude(code__in=BESIDE_OTHERS).exists()


def _decide(submission: Submission, result: Result, compared: Sequence[Compared], where: str) -> tuple[Comparison, str]:
    figures = "; ".join(str(one) for one in compared)
    outside = [one for one in compared if not one.is_within]
    if outside:
        wrong = "; ".join(str(one) for one in outside)
        reason = f"{where} came out differently (REP1). {wrong}. All that was compared: {figures}."
        open_dispute_by_site(result=result, reason=reason)
        return Comparison.DIFFERS, f"{wrong}."
    if not is_enough(compared):
        return Comparison.UNDECIDED, "Throughput and energy per token are not known of both runs."
    if result.trust not in RAISED:
        return Comparison.AGREES, f"{figures}."
    _raise_trust(submission, result, f"{where} came out the same (REP1). {figures}.")
    return Comparison.REPRODUCED, f"{figures}."


def _raise_trust(submission: Submission, result: Result, reason: str) -> None:
    chosen = Result.objects.filter(pk=result.pk)
    # Its cell of the best table carries the trust, so it leaves the tables under the old one.
    unrank(chosen)
    chosen.update(trust=Trust.REPRODUCED)
    rank(chosen)
    reason = f"{result}. {reason}"[:2000]
    log_event(submission=submission, action=ReviewAction.REPRODUCE, by=None, before=submission.status, reason=reason)
    refresh_need(Submission.objects.filter(pk=submission.pk))
    if submission.owner is not None:
        notify(
            to=[submission.owner],
            kind=NotificationKind.REVIEW,
            title=f"{result} is now “{Trust.REPRODUCED.label}”",
            text=reason,
            url=reverse("leaderboard:result", args=[result.pk]),
        )
