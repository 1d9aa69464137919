"""What a succeeded job brought becomes a submission of its owner, with the energy that the host measured beside it.

Run twice it does nothing the second time: the line in the job's history says that it was done, even when the owner
has deleted the submission since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.services.bans import Banned
from jobs.host_energy import FILE, Trace, read_trace
from jobs.models import Artifact, Attempt, Job, JobKind, JobState, Outcome, Verdict
from jobs.services.artifacts import open_artifact
from jobs.services.locking import lock_job
from jobs.services.transitions import note
from leaderboard.checks.reproduction import Comparison
from leaderboard.importers import ImportRefused, Refused
from leaderboard.importers.documents import MAX_JSON_BYTES
from leaderboard.models import Licence, Provenance, Result, Submission, Visibility
from leaderboard.normal import NormalResult
from leaderboard.services.reading import ByJob, Reading, read_upload
from leaderboard.services.reproducing import settle_rerun
from leaderboard.services.storing import files_with_rows
from leaderboard.services.submissions import SubmissionRefused, keep_reading, submit
from lemsite.lib.archives import MAX_ENTRIES, MAX_TOTAL_BYTES, Entry

IMPORTED, NOT_IMPORTED = "imported", "import_failed"
#: the executor that needs no GPU
SIMULATE = "simulate"
COMPARISONS = tuple(comparison.value for comparison in Comparison)
MAX_REASON = 500


def import_result(job_id: int) -> None:
    """Make a submission of what a succeeded job brought, and hold a rerun against what it repeats."""
    job = Job.objects.filter(pk=job_id, state=JobState.SUCCEEDED, kind=JobKind.LLEM).select_related("owner").first()
    attempt = _counted_attempt(job) if job is not None else None
    if job is None or attempt is None:
        return
    if not job.events.filter(event__in=(IMPORTED, NOT_IMPORTED)).exists():
        _import(job, attempt)
    _compare(job.pk, attempt)


def _counted_attempt(job: Job) -> Attempt | None:
    counted = job.attempts.filter(verdict=Verdict.ACCEPTED, outcome=Outcome.SUCCEEDED)
    return counted.select_related("agent").first()


def _import(job: Job, attempt: Attempt) -> None:
    refused: Refused = []
    try:
        reading = _read(job, attempt, refused)
        with files_with_rows(reading.documents), transaction.atomic():
            _store(job.pk, attempt, reading, refused)
    except (ImportRefused, SubmissionRefused) as error:
        _tell_failure(job.pk, attempt, str(error))


def _read(job: Job, attempt: Attempt, refused: Refused) -> Reading:
    if job.owner is None:
        raise ImportRefused("The account of who ordered it was deleted.", file="")
    entries = _entries(attempt)
    if not entries:
        raise ImportRefused("The host sent no result file.", file="")
    is_simulated = job.is_simulated or attempt.agent.is_simulated or attempt.executor == SIMULATE
    by_job = ByJob(host_energy_j=_host_energy(attempt), is_simulated=is_simulated)
    try:
        reading = read_upload(
            entries, stated={}, provenance=Provenance.JOB, owner=job.owner, refused=refused, by_job=by_job
        )
    except ImportRefused as error:
        # What is wrong with the first file says more than that nothing was left.
        raise (refused or [error])[0] from None
    if not reading.results:
        raise (refused or [ImportRefused("The files hold no result.", file="")])[0]
    return reading


def _entries(attempt: Attempt) -> list[Entry]:
    """The result files, under the names that they have in the tool's own folder."""
    found: list[Entry] = []
    left = MAX_TOTAL_BYTES
    for artifact in _complete(attempt).filter(name__iendswith=".json", size_bytes__lte=MAX_JSON_BYTES):
        left -= artifact.size_bytes
        if left < 0 or len(found) >= MAX_ENTRIES:
            raise ImportRefused("The result files are too many or too large to be read.", file="")
        with open_artifact(artifact) as file:
            found.append(Entry(artifact.name.removeprefix("out/"), file.read()))
    return found


def _complete(attempt: Attempt) -> QuerySet[Artifact]:
    return attempt.artifacts.filter(completed_at__isnull=False).order_by("name")


def _host_energy(attempt: Attempt) -> Callable[[NormalResult], float | None]:
    """What the host's own samples say about the window of a measurement."""
    trace = _trace(attempt)

    def energy_j(values: NormalResult) -> float | None:
        if values.started_at is None or values.ended_at is None:
            return None
        return trace.energy_j(values.started_at.timestamp(), values.ended_at.timestamp())

    return energy_j


def _trace(attempt: Attempt) -> Trace:
    artifact = next((one for one in _complete(attempt) if one.name.rpartition("/")[2] == FILE), None)
    if artifact is None:
        return Trace()
    with open_artifact(artifact) as file:
        return read_trace(file)


def _store(job_id: int, attempt: Attempt, reading: Reading, refused: Refused) -> None:
    """The submission, and with it the line in the history; the second of two that do it at once does nothing."""
    job = lock_job(job_id)
    if job is None or job.owner is None or job.events.filter(event__in=(IMPORTED, NOT_IMPORTED)).exists():
        return
    submission = keep_reading(
        reading=reading,
        owner=job.owner,
        provenance=Provenance.JOB,
        visibility=Visibility.DRAFT,
        note="",
        licence=Licence.CC_BY,
    )
    problems = [f"Left out: {refused[0]}"] if refused else []
    if not submission.is_simulated:
        problems += _hand_in(submission, job.owner)
    job.submission = submission
    job.import_problem = " ".join(problems)[:MAX_REASON]
    job.save(update_fields=["submission", "import_problem"])
    note(job=job, event=IMPORTED, attempt=attempt, reason=job.import_problem)


def _hand_in(submission: Submission, owner: User) -> list[str]:
    """Why it stays a draft, if it does."""
    try:
        with transaction.atomic():
            submit(submission=submission, by=owner, visibility=Visibility.PUBLIC)
    except (SubmissionRefused, Banned) as error:
        return [f"Not handed in for review: {error}"]
    return []


@transaction.atomic
def _tell_failure(job_id: int, attempt: Attempt, problem: str) -> None:
    job = lock_job(job_id)
    if job is None or job.events.filter(event__in=(IMPORTED, NOT_IMPORTED)).exists():
        return
    job.import_problem = problem[:MAX_REASON]
    job.save(update_fields=["import_problem"])
    note(job=job, event=NOT_IMPORTED, attempt=attempt, reason=problem)


def _compare(job_id: int, attempt: Attempt) -> None:
    """Settle what the rerun says about the result that it repeats; the first answer stays in the history.

    The job is not locked meanwhile: who deletes a submission locks it before the jobs that it belongs to.
    """
    job = Job.objects.select_related("submission", "verifies__submission").get(pk=job_id)
    if job.verifies is None or job.submission is None or job.events.filter(event__in=COMPARISONS).exists():
        return
    outcome, words = _outcome(job, attempt, job.verifies, job.submission)
    with transaction.atomic():
        locked = lock_job(job_id)
        if locked is not None and not locked.events.filter(event__in=COMPARISONS).exists():
            note(job=locked, event=outcome.value, attempt=attempt, reason=words)


def _outcome(job: Job, attempt: Attempt, result: Result, rerun: Submission) -> tuple[Comparison, str]:
    if rerun.is_simulated:
        return Comparison.UNDECIDED, "A simulated rerun says nothing about a measured result."
    if attempt.agent.owner_id is not None and attempt.agent.owner_id == result.submission.owner_id:
        return Comparison.UNDECIDED, "It ran on a host of the result's own owner, so it is no independent rerun."
    reruns: Sequence[Result] = list(rerun.results.order_by("position"))
    where = f"A rerun by this site (job {job.pk}, host {attempt.agent.name}, seed {job.seed})"
    return settle_rerun(result=result, reruns=reruns, where=where)
