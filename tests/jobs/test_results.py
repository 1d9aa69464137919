"""From the files of a succeeded job to a submission: measured here, simulated, or a rerun of somebody's result."""

import json
from datetime import timedelta

import pytest
from django_q.models import OrmQ

from accounts.services.bans import ban
from jobs.models import Artifact, JobKind, JobState
from jobs.services import reconciling, results
from jobs.services.results import import_result
from leaderboard.models import Dispute, RawFile, Submission, SubmissionStatus, Trust
from leaderboard.services.submissions import delete
from tests.factories import SubmissionFactory, UserFactory, published_result
from tests.jobs.brought import BEGAN, FOLDER, JOULES, keep, keep_bundle, succeeded
from tests.jobs.factories import AgentFactory, JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(stored_files):
    """Raw files of one test are not there for the next."""


def imported(job):
    import_result(job.pk)
    job.refresh_from_db()
    return job


def events(job):
    return list(job.events.order_by("pk").values_list("event", flat=True))


def test_the_result_of_a_job_waits_for_review_as_run_here(catalogue):
    job = imported(succeeded())

    submission = job.submission
    (result,) = submission.results.all()
    assert (submission.owner, submission.provenance, submission.status) == (job.owner, "job", SubmissionStatus.PENDING)
    assert result.trust == Trust.RUN_HERE
    assert result.host_energy_j == pytest.approx(JOULES, rel=1e-4)
    assert (job.import_problem, events(job)) == ("", ["imported"])


def test_its_files_are_kept_under_the_names_of_the_tool(catalogue):
    job = imported(succeeded())

    names = set(RawFile.objects.filter(submission=job.submission).values_list("name", flat=True))
    assert names == {f"{FOLDER.removeprefix('out/')}/{name}.json" for name in ("result", "config", "system")}


def test_a_tool_that_measured_another_gpu_is_for_a_moderator(catalogue):
    result = imported(succeeded(joules=4 * JOULES)).submission.results.get()

    assert result.trust == Trust.SELF_REPORTED
    assert result.findings.filter(code="HST1", severity="R").exists()


def test_without_telemetry_it_has_passed_the_checks_only(catalogue):
    result = imported(succeeded(joules=None)).submission.results.get()

    assert (result.trust, result.host_energy_j) == (Trust.CHECKS_PASSED, None)


def test_imported_twice_there_is_one_submission(catalogue):
    job = imported(succeeded())
    imported(job)

    assert Submission.objects.count() == 1
    assert events(job) == ["imported"]


def test_what_its_owner_deleted_does_not_come_back(catalogue):
    job = imported(succeeded())
    delete(submission=job.submission, by=job.owner)

    assert imported(job).submission is None


def test_the_cycles_of_a_study_are_one_result(catalogue):
    job = succeeded(bundle=False)
    attempt = job.attempts.get()
    for number in range(3):
        start = BEGAN + timedelta(seconds=number / 1000)
        times = {"start_time": f"{start:%Y-%m-%dT%H:%M:%S.%f}", "end_time": "2026-08-10T09:32:03"}
        keep_bundle(attempt, f"out/study/c{number}", **times)

    result = imported(job).submission.results.get()

    assert (result.runs, result.measurements.count()) == (3, 3)
    assert result.host_energy_j == pytest.approx(JOULES, rel=1e-4)


@pytest.mark.parametrize("by", ["job", "agent", "executor", "files"])
def test_a_simulated_result_stays_a_draft_of_its_owner(catalogue, by):
    warned = {"measurement_warnings": ["Simulated: no GPU took part."]} if by == "files" else None
    job = succeeded(is_simulated=by == "job", agent=AgentFactory(is_simulated=by == "agent"), bundle=warned)
    if by == "executor":
        job.attempts.update(executor="simulate")

    submission = imported(job).submission

    assert submission.is_simulated
    assert submission.status == SubmissionStatus.DRAFT
    assert submission.results.get().trust == Trust.DRAFT
    assert submission.results.get().host_energy_j


def test_without_a_result_file_the_job_says_so(catalogue):
    job = imported(succeeded(bundle=False))

    assert job.submission is None
    assert job.import_problem == "The host sent no result file."
    assert events(job) == ["import_failed"]


def test_a_result_file_that_cannot_be_read_is_named(catalogue):
    job = succeeded(bundle=False)
    keep(job.attempts.get(), "out/result.json", b'{"bundle_version": ')

    assert imported(job).import_problem.startswith("result.json: it ends in the middle")


def test_an_impossible_result_is_not_stored(catalogue):
    job = imported(succeeded(bundle={"total_energy_j": 1.0, "avg_energy_per_token_j": 1 / 15360}))

    assert job.submission is None
    assert "below the idle draw" in job.import_problem


def test_the_possible_results_of_a_sweep_are_kept(catalogue):
    job = succeeded()
    keep(job.attempts.get(), "out/study_2026-08-10/c2/result.json", json.dumps({"bundle_version": 1}).encode())

    imported(job)

    assert job.submission.results.count() == 1
    assert job.import_problem.startswith("Left out: study_2026-08-10/c2/result.json")


def test_a_file_that_never_came_whole_is_not_read(catalogue):
    job = succeeded(bundle=False)
    digest = "0" * 64
    Artifact.objects.create(attempt=job.attempts.get(), name="out/result.json", size_bytes=9, sha256=digest)

    assert imported(job).import_problem == "The host sent no result file."


def test_a_banned_owner_gets_a_draft_that_is_not_handed_in(catalogue, moderator):
    job = succeeded()
    ban(user=job.owner, by=moderator, reason="spam")

    imported(job)

    assert job.submission.status == SubmissionStatus.DRAFT
    assert job.import_problem.startswith("Not handed in for review: You are banned")


def test_the_same_measurement_given_before_is_left_out(catalogue):
    imported(succeeded())

    job = imported(succeeded())

    assert job.submission is None
    assert "result" in job.import_problem


def test_a_late_result_is_evidence_and_no_submission(catalogue):
    job = succeeded()
    job.attempts.update(verdict="late")

    imported(job)

    assert (job.submission, events(job)) == (None, [])


@pytest.mark.parametrize(
    "fields", [{"state": JobState.FAILED}, {"kind": JobKind.RACE}, {"state": JobState.RUNNING}],
    ids=["failed", "race", "running"],
)  # fmt: skip
def test_only_succeeded_benchmarks_have_a_result(catalogue, fields):
    assert imported(succeeded(**fields)).submission is None


def test_a_job_that_is_gone_is_no_error():
    import_result(4711)


def test_a_job_whose_owner_left_has_no_submission(catalogue):
    job = imported(succeeded(owner=None))

    assert job.submission is None
    assert "account" in job.import_problem


@pytest.fixture
def community(catalogue):
    """A public result of somebody, of the configuration of the sample."""
    given = imported(succeeded()).submission
    measured = given.results.get()
    names = ("model", "hardware", "backend", "gpu_count", "precision", "batch_size", "energy_scope")
    figures = ("throughput_tokens_per_s", "energy_per_output_token_j", "tokens_per_joule")
    fields = {name: getattr(measured, name) for name in names}
    # Two runs never agree in every digit.
    fields |= {name: 1.01 * getattr(measured, name) for name in figures}
    delete(submission=given, by=given.owner)
    owner = UserFactory(username="giver")
    return published_result(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED), **fields)


def test_a_rerun_that_agrees_reproduces_the_result(community):
    job = imported(succeeded(verifies=community, seed=17))

    community.refresh_from_db()
    assert community.trust == Trust.REPRODUCED
    assert events(job) == ["imported", "reproduced"]
    assert f"job {job.pk}" in community.submission.events.get(action="reproduce").reason
    assert "seed 17" in community.submission.events.get(action="reproduce").reason


def test_a_rerun_that_differs_is_disputed_with_the_figures(community):
    community.throughput_tokens_per_s = 2 * (community.throughput_tokens_per_s or 0)
    community.save()

    job = imported(succeeded(verifies=community))

    assert events(job) == ["imported", "differs"]
    assert "Throughput" in Dispute.objects.get().reason


def test_a_rerun_on_a_host_of_the_results_owner_is_not_independent(community):
    job = imported(succeeded(verifies=community, agent=AgentFactory(owner=community.submission.owner)))

    community.refresh_from_db()
    assert community.trust == Trust.CHECKS_PASSED
    assert events(job) == ["imported", "undecided"]


def test_a_simulated_rerun_decides_nothing(community):
    job = imported(succeeded(verifies=community, is_simulated=True))

    community.refresh_from_db()
    assert community.trust == Trust.CHECKS_PASSED
    assert events(job) == ["imported", "undecided"]


def test_a_rerun_is_settled_once(community):
    job = imported(succeeded(verifies=community))
    imported(job)

    assert events(job) == ["imported", "reproduced"]


def test_the_page_of_a_result_names_the_job_that_measured_it(client, catalogue):
    job = imported(succeeded())
    client.force_login(job.owner)

    page = client.get(f"/results/{job.submission.results.get().pk}/").content.decode()

    assert f'href="/jobs/{job.pk}/">job {job.pk}</a>' in page


def test_the_page_of_a_result_names_its_reruns_and_what_came_of_them(client, community):
    done, waiting = imported(succeeded(verifies=community)), JobFactory(verifies=community)

    page = client.get(f"/results/{community.pk}/").content.decode()

    assert f'job {done.pk}</a> <span class="origin">came out the same' in page
    assert f'job {waiting.pk}</a> <span class="origin">queued' in page


def test_a_rerun_whose_comparison_was_killed_is_compared_by_the_reconciler(community, monkeypatch):
    def killed(*args):
        raise SystemExit(9)

    job = succeeded(verifies=community, seed=17)
    with monkeypatch.context() as until_now:
        until_now.setattr(results, "_compare", killed)
        with pytest.raises(SystemExit):
            import_result(job.pk)
    assert events(job) == ["imported"]
    monkeypatch.setattr(reconciling, "IMPORTED_WITHIN", timedelta(0))

    assert reconciling.reconcile().comparisons_repeated == 1
    (task,) = OrmQ.objects.exclude(key="gpu")
    assert (task.func(), task.args()) == ("jobs.tasks.import_result", (job.pk,))
    import_result(*task.args())

    assert events(job) == ["imported", "reproduced"]
    assert reconciling.reconcile().comparisons_repeated == 0
