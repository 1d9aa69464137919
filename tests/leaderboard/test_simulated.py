"""What a job without a GPU made up: its owner sees it as such, and it goes nowhere."""

import pytest
from django.urls import reverse

from leaderboard.models import BestResult, Provenance, Result, Submission, SubmissionStatus, Trust, Visibility
from leaderboard.services.ranking import rank, rebuild_best_results
from leaderboard.services.reading import ByJob, read_upload
from leaderboard.services.replacing import replace_files
from leaderboard.services.submissions import SubmissionRefused, restate, store_reading, submit
from tests.factories import ResultFactory, SubmissionFactory, normal_file, pending, read
from tests.leaderboard.api.clients import SAMPLE, client_of, post_json
from tests.leaderboard.importers.samples import bundle_entries

pytestmark = pytest.mark.django_db


def by_job(joules=15_900.0, *, is_simulated=False):
    return ByJob(host_energy_j=lambda values: joules, is_simulated=is_simulated)


def stored(owner, *, joules=15_900.0, is_simulated=True, entries=None):
    reading = read_upload(
        entries or bundle_entries(),
        stated={},
        provenance=Provenance.JOB,
        owner=owner,
        by_job=by_job(joules, is_simulated=is_simulated),
    )
    return store_reading(reading=reading, owner=owner, provenance=Provenance.JOB)


def test_a_clean_result_of_a_job_was_run_here(catalogue, owner):
    (result,) = stored(owner, is_simulated=False).results.all()

    assert (result.trust, result.host_energy_j) == (Trust.RUN_HERE, 15_900.0)
    assert result.origins["host_energy_j"] == "computed"


def test_without_the_hosts_energy_a_result_of_a_job_has_passed_the_checks_only(catalogue, owner):
    (result,) = stored(owner, joules=None, is_simulated=False).results.all()

    assert (result.trust, result.host_energy_j) == (Trust.CHECKS_PASSED, None)
    assert "do not cover" in result.notes["host_energy_j"]


def test_energies_more_than_five_percent_apart_are_for_a_moderator(catalogue, owner):
    (result,) = stored(owner, joules=14_000.0, is_simulated=False).results.all()

    assert result.trust == Trust.SELF_REPORTED
    assert [one.code for one in result.findings.all() if one.severity == "R"] == ["HST1"]


def test_cycles_each_have_the_hosts_energy(catalogue, owner):
    hours = [f"2026-08-10T1{number}" for number in range(3)]
    times = [{"start_time": f"{hour}:30:00", "end_time": f"{hour}:32:03"} for hour in hours]
    entries = [one for number in range(3) for one in bundle_entries(f"c{number}", **times[number])]
    (result,) = stored(owner, is_simulated=False, entries=entries).results.all()

    assert [cycle.host_energy_j for cycle in result.measurements.all()] == [15_900.0] * 3
    assert result.host_energy_j == pytest.approx(15_900.0)


def test_no_upload_can_give_the_hosts_energy(owner):
    with pytest.raises(ValueError, match="host_energy_j"):
        read(normal_file(host_energy_j=64_000.0), owner=owner)


def test_files_of_a_job_are_not_replaced(small_catalogue, owner):
    submission = stored(owner, is_simulated=False, entries=[normal_file()])
    other = read(normal_file(batch_size=16), owner=owner)

    with pytest.raises(SubmissionRefused, match="job"):
        replace_files(submission=submission, reading=other, by=owner, reason="better")


def test_a_simulated_result_has_no_trust(catalogue, owner):
    submission = stored(owner)

    assert submission.is_simulated
    assert submission.results.get().trust == Trust.DRAFT


def test_stating_values_gives_a_simulated_result_no_trust(small_catalogue, owner):
    submission = stored(owner, entries=[normal_file(batch_size=None)])

    restate(submission=submission, stated={"batch_size": 4}, by=owner)

    assert submission.results.get().trust == Trust.DRAFT


def test_a_simulated_draft_is_never_handed_in(catalogue, owner):
    submission = stored(owner)

    with pytest.raises(SubmissionRefused, match="simulated"):
        submit(submission=submission, by=owner, visibility=Visibility.PUBLIC)

    submission.refresh_from_db()
    assert submission.status == SubmissionStatus.DRAFT


def test_a_simulated_draft_can_be_kept_private(catalogue, owner):
    submission = submit(submission=stored(owner), by=owner, visibility=Visibility.PRIVATE)

    assert submission.visibility == Visibility.PRIVATE


def test_a_simulated_result_is_not_ranked_whatever_its_state():
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, is_simulated=True)
    result = ResultFactory(submission=submission, trust=Trust.RUN_HERE)

    assert rank(Result.objects.filter(pk=result.pk)) == 0
    rebuild_best_results()
    assert not BestResult.objects.exists()


def test_a_simulated_result_is_marked_on_its_page(client, catalogue, owner):
    submission = stored(owner)
    client.force_login(owner)

    page = client.get(f"/results/{submission.results.get().pk}/").content.decode()

    assert 'class="trust simulated"' in page
    assert "never ranked" in page


def test_a_simulated_draft_is_marked_on_its_own_page_and_offers_no_confirmation(client, catalogue, owner):
    submission = stored(owner)
    client.force_login(owner)

    page = client.get(f"/submissions/{submission.pk}/").content.decode()

    assert 'class="trust simulated"' in page
    assert "/confirm/" not in page


def test_a_simulated_draft_is_marked_in_ones_account_and_waits_for_nothing(client, catalogue, owner):
    stored(owner)
    client.force_login(owner)

    page = client.get("/account/").content.decode()

    assert "Simulated" in page
    assert "look at what was understood" not in page


def test_the_api_says_what_is_simulated(catalogue, owner):
    submission, client = stored(owner), client_of(owner)

    body = client.get(f"/api/submissions/{submission.pk}").json()

    assert body["is_simulated"]
    assert body["results"][0]["is_simulated"]
    assert client.get(f"/api/benchmarks/{submission.results.get().pk}").json()["is_simulated"]


def test_nobody_else_sees_a_simulated_draft(client, catalogue, owner, stranger):
    submission = stored(owner)
    client.force_login(stranger)

    assert client.get(f"/results/{submission.results.get().pk}/").status_code == 404


def test_both_energies_stand_side_by_side_on_the_page(client, catalogue, owner):
    submission = stored(owner, joules=16_000.0, is_simulated=False)
    client.force_login(owner)

    page = client.get(f"/results/{submission.results.get().pk}/").content.decode()

    assert "15,917 J by the tool, 16,000 J by the host" in page
    assert Submission.objects.get() == submission


def test_moderators_see_what_is_simulated(client, catalogue, owner, moderator):
    submission = stored(owner)
    client.force_login(moderator)

    page = client.get(reverse("admin:leaderboard_submission_change", args=[submission.pk])).content.decode()
    found = client.get(reverse("admin:leaderboard_submission_changelist"), {"q": owner.username}).content.decode()

    assert 'class="trust simulated"' in page
    assert "A100 PCIe 40GB, simulated" in found


SIMULATED_FILES = {"measurement_warnings": ["Simulated: no GPU took part, and every figure in this file is made up."]}


def test_simulated_files_that_are_uploaded_stay_simulated(catalogue, owner):
    reading = read(*bundle_entries(**SIMULATED_FILES), owner=owner)
    submission = store_reading(reading=reading, owner=owner, provenance=Provenance.UPLOAD)

    assert submission.is_simulated
    assert submission.results.get().trust == Trust.DRAFT


def test_simulated_files_do_not_come_in_through_the_api(catalogue, owner):
    response = post_json(client_of(owner), {**SAMPLE, "backend_version": "5.14.1+simulated"})

    assert 400 <= response.status_code < 500
    assert "simulated" in response.json()["error"]["message"]
    assert not Submission.objects.exists()


def test_simulated_files_do_not_replace_what_waits_for_review(small_catalogue, owner):
    submission = pending(owner)
    made_up = read(normal_file(backend_version="0.19.1+simulated"), owner=owner)

    with pytest.raises(SubmissionRefused, match="simulated"):
        replace_files(submission=submission, reading=made_up, by=owner, reason="better")
