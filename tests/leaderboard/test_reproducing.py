"""A rerun by this site: within tolerance the result is reproduced, outside it is disputed."""

import pytest

from accounts.models import Notification, NotificationKind
from leaderboard.checks.reproduction import Comparison
from leaderboard.models import Dispute, Finding, ReviewEvent, SubmissionStatus, Trust
from leaderboard.services.disputes import dismiss, take_up, uphold
from leaderboard.services.reproducing import settle_rerun
from leaderboard.services.rescoring import rescore_published
from tests.factories import ResultFactory, SubmissionFactory, published_result

pytestmark = pytest.mark.django_db
S = SubmissionStatus
WHERE = "A rerun by this site (job 7, host a, seed 3)"


@pytest.fixture
def result(owner):
    return published_result(submission=SubmissionFactory(owner=owner, status=S.PUBLISHED), trust=Trust.CHECKS_PASSED)


def rerun(result, **changes):
    same = {name: getattr(result, name) for name in ("model", "hardware", "backend")}
    submission = SubmissionFactory(provenance="job", status=S.PENDING)
    return ResultFactory(submission=submission, **{**same, "host_energy_j": 64_000.0, **changes})


def settle(result, *finding, **changes):
    again = rerun(result, **changes)
    for code in finding:
        Finding.objects.create(result=again, code=code, severity="R", check_set="2026.3")
    return settle_rerun(result=result, reruns=[again], where=WHERE)


def again(result):
    result.refresh_from_db()
    return result


def test_a_rerun_within_tolerance_reproduces_the_result(result):
    outcome, words = settle(result, throughput_tokens_per_s=1040.0, tokens_per_joule=1.9)

    assert outcome == Comparison.REPRODUCED
    assert "Throughput: 1,000 tok/s first, 1,040 tok/s again, 4 % apart (limit 5 %)" in words
    assert (again(result).trust, result.is_ranked) == (Trust.REPRODUCED, True)


def test_a_reproduced_result_says_so_in_its_history_and_to_its_owner(result, owner):
    settle(result)

    event = ReviewEvent.objects.get(submission=result.submission)
    assert (event.action, event.actor) == ("reproduce", None)
    assert "job 7" in event.reason
    assert Notification.objects.get(user=owner, kind=NotificationKind.REVIEW).title.endswith("is now “Reproduced”")


def test_a_reproduced_result_stands_in_the_tables_as_such(result, client):
    settle(result)

    body = client.get("/api/benchmarks").json()

    assert [row["trust"] for row in body["results"]] == ["T4"]


def test_a_reproduced_result_stays_so_with_a_new_check_set(result):
    settle(result)
    rescore_published()

    assert again(result).trust == Trust.REPRODUCED


@pytest.mark.parametrize(
    "changes", [{"throughput_tokens_per_s": 900.0}, {"tokens_per_joule": 1.5}], ids=["slow", "energy"]
)
def test_a_rerun_outside_tolerance_opens_a_dispute_by_the_site(result, changes):
    outcome, _ = settle(result, **changes)

    dispute = Dispute.objects.get()
    assert (outcome, dispute.result, dispute.raised_by) == (Comparison.DIFFERS, result, None)
    assert "came out differently" in dispute.reason
    assert ReviewEvent.objects.get(submission=result.submission).action == "not-reproduced"


def test_a_disputed_result_keeps_its_level_and_place_until_a_moderator_decides(result):
    settle(result, throughput_tokens_per_s=900.0)

    assert (again(result).trust, result.is_ranked) == (Trust.CHECKS_PASSED, True)


def test_a_second_rerun_opens_no_second_dispute(result):
    settle(result, throughput_tokens_per_s=900.0)
    settle(result, throughput_tokens_per_s=800.0)

    assert Dispute.objects.count() == 1


def test_the_owner_and_moderators_hear_of_the_sites_dispute(result, owner, moderator):
    settle(result, throughput_tokens_per_s=900.0)

    told = Notification.objects.filter(title=f"A rerun by this site disputes {result}")
    assert {note.user for note in told} == {owner, moderator}


def test_a_moderator_upholds_the_sites_dispute(result, moderator):
    settle(result, throughput_tokens_per_s=900.0)

    uphold(dispute=Dispute.objects.get(), by=moderator, reason="The rerun is right.")

    result.submission.refresh_from_db()
    assert result.submission.status == S.INVALIDATED


def test_a_moderator_dismisses_the_sites_dispute(result, moderator):
    settle(result, throughput_tokens_per_s=900.0)
    dispute = Dispute.objects.get()
    take_up(dispute=dispute, by=moderator, reason="A look.")

    dismiss(dispute=dispute, by=moderator, reason="The host was warm.")

    assert again(result).is_ranked


def test_a_dispute_by_the_site_is_shown_as_such(result, client):
    settle(result, throughput_tokens_per_s=900.0)

    assert "the site" in client.get(f"/results/{result.pk}/").content.decode()
    assert client.get("/disputes/").status_code == 200


@pytest.mark.parametrize("trust", [Trust.SELF_REPORTED, Trust.PUBLISHED], ids=["T1", "Published"])
def test_a_rerun_does_not_raise_what_has_something_open_or_another_name(owner, trust):
    result = published_result(submission=SubmissionFactory(owner=owner, status=S.PUBLISHED), trust=trust)

    outcome, _ = settle(result)

    assert (outcome, again(result).trust) == (Comparison.AGREES, trust)


@pytest.mark.parametrize(
    "changes",
    [
        {"gpu_count": 2},
        {"batch_size": 16},
        {"precision": "fp8"},
        {"hardware": None, "hardware_name": "unknown"},
        {"host_energy_j": None},
        {"throughput_tokens_per_s": None},
        {"tokens_per_joule": None},
    ],
    ids=["gpus", "batch", "precision", "unmapped", "no-host-energy", "no-throughput", "no-energy"],
)
def test_what_is_not_the_same_run_decides_nothing(result, changes):
    outcome, _ = settle(result, **changes)

    assert outcome == Comparison.UNDECIDED
    assert again(result).trust == Trust.CHECKS_PASSED
    assert not Dispute.objects.exists()


def test_what_was_withdrawn_meanwhile_is_left_alone(result):
    result.submission.status = S.WITHDRAWN
    result.submission.save()

    assert settle(result, throughput_tokens_per_s=900.0)[0] == Comparison.UNDECIDED
    assert not Dispute.objects.exists()


def test_a_rerun_with_findings_of_its_own_decides_nothing(result):
    assert settle(result, "HST1", throughput_tokens_per_s=900.0)[0] == Comparison.UNDECIDED


def test_a_rerun_that_is_unlike_forged_neighbours_decides_all_the_same(result):
    assert settle(result, "OUT1", "OUT3", throughput_tokens_per_s=900.0)[0] == Comparison.DIFFERS


def test_a_simulated_rerun_decides_nothing(result):
    again = rerun(result)
    again.submission.is_simulated = True
    again.submission.save()

    assert settle_rerun(result=result, reruns=[again], where=WHERE)[0] == Comparison.UNDECIDED
