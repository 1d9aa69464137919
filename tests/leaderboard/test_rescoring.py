from collections.abc import Callable
from contextlib import contextmanager

import pytest
from django.core.management import call_command

from accounts.models import Notification
from leaderboard.checks import CHECK_SET
from leaderboard.models import (
    BestResult,
    Finding,
    Result,
    ReviewAction,
    ReviewEvent,
    ScoreReview,
    ScoreReviewState,
    Submission,
    SubmissionStatus,
    Trust,
    UnknownName,
)
from leaderboard.services import rescoring
from leaderboard.services.catalogue import map_name
from leaderboard.services.rescoring import ScoreRefused, apply_score, keep_score, rescore_published
from leaderboard.services.review import review
from leaderboard.services.scoring import parsed_from
from leaderboard.services.submissions import withdraw
from leaderboard.tasks import rescore_published_results
from tests.factories import (
    HardwareFactory,
    SubmissionFactory,
    UserFactory,
    normal_file,
    pending,
    published_result,
)

pytestmark = pytest.mark.django_db

OLD = "2026.1"


@pytest.fixture
def published(small_catalogue, owner, moderator):
    """A result that passed the checks of an older set, in the tables."""
    submission = pending(owner, normal_file())
    submission.results.update(environment={"cpu": "2 x 64"}, trust=Trust.CHECKS_PASSED)
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    Submission.objects.update(check_set=OLD)
    Notification.objects.all().delete()
    return submission.results.get()


def falsify(result, **fields):
    """Make the stored figures such that the present check set sees something else."""
    Result.objects.filter(pk=result.pk).update(**fields)
    result.refresh_from_db()


def state_of(result):
    row = Result.objects.get(pk=result.pk)
    findings = set(row.findings.values_list("code", "severity", "check_set"))
    return row.trust, row.is_ranked, findings, set(BestResult.objects.values_list("metric", "result_id", "trust"))


def slow_meter(result):
    """The window is now too short to stand without a review."""
    falsify(result, duration_s=10.0, output_tokens=10_000, total_energy_j=5_000.0)


def reviewed(result):
    slow_meter(result)
    rescore_published()
    return ScoreReview.objects.get()


def test_the_same_outcome_is_stored_quietly(published):
    falsify(published, duration_s=30.0, output_tokens=30_000, total_energy_j=15_000.0)
    before = Result.objects.get(pk=published.pk).trust

    counts = rescore_published()

    assert (counts.checked, counts.reviews) == (1, 0)
    assert state_of(published)[0] == before
    assert set(published.findings.values_list("code", "severity", "check_set")) == {("DUR1", "W", CHECK_SET)}
    assert Submission.objects.get().check_set == CHECK_SET
    assert not Notification.objects.exists()


def test_the_history_says_that_it_was_checked_again(published):
    rescore_published()

    event = ReviewEvent.objects.get(action=ReviewAction.RESCORE)
    assert event.actor is None
    assert event.reason == f"Check set {CHECK_SET} over 1 result: nothing changes."


def test_another_outcome_changes_nothing_public(published):
    slow_meter(published)
    before = state_of(published)

    counts = rescore_published()

    assert (counts.checked, counts.reviews) == (1, 1)
    assert state_of(published) == before


def test_another_outcome_waits_for_a_moderator_and_the_owner_is_told(published, owner):
    found = reviewed(published)

    assert (found.result, found.state, found.check_set) == (published, ScoreReviewState.OPEN, CHECK_SET)
    assert [finding["code"] for finding in found.findings] == ["DUR1"]
    told = Notification.objects.get(user=owner)
    assert "differently" in told.title
    assert told.url == f"/submissions/{published.submission_id}/"


def test_a_waiting_score_makes_the_submission_needed(published):
    reviewed(published)

    assert Submission.objects.get().need > 0


def test_what_is_checked_already_is_not_checked_again(published):
    reviewed(published)

    assert rescore_published().checked == 0
    assert ScoreReview.objects.count() == 1


@pytest.fixture
def between_parts(monkeypatch, published):
    """Parts of one result, of two that differ; what is done between them is put into the list."""
    slow_meter(published)
    second = published_result(submission=published.submission, position=1)
    falsify(second, duration_s=10.0, output_tokens=10_000, total_energy_j=5_000.0)
    to_do: list[Callable[[], object]] = []

    @contextmanager
    def room():
        yield
        while to_do:
            to_do.pop()()

    monkeypatch.setattr(rescoring, "AT_ONCE", 1)
    monkeypatch.setattr(rescoring, "giving_way", room)
    return to_do


def test_a_submission_that_is_checked_in_parts_is_told_of_once(between_parts, owner):
    counts = rescore_published()

    assert (counts.checked, counts.reviews) == (2, 2)
    assert "over 2 results: 2 would change" in ReviewEvent.objects.get(action=ReviewAction.RESCORE).reason
    assert "2 of your results" in Notification.objects.get(user=owner).title
    assert Submission.objects.get().check_set == CHECK_SET


def test_between_parts_a_submission_is_not_finished_yet(between_parts, published):
    seen = []
    between_parts.append(lambda: seen.append((Submission.objects.get().check_set, ScoreReview.objects.count())))

    rescore_published()

    assert seen == [(OLD, 1)]


def test_a_submission_that_is_withdrawn_between_parts_is_left(between_parts, published, owner):
    between_parts.append(lambda: withdraw(submission=published.submission, by=owner))

    counts = rescore_published()

    assert (counts.checked, Submission.objects.get().check_set) == (0, OLD)
    assert not Notification.objects.filter(title__contains="differently").exists()


def test_what_stopped_between_parts_is_checked_from_its_beginning(between_parts, published):
    def stop():
        raise KeyboardInterrupt

    between_parts.append(stop)
    with pytest.raises(KeyboardInterrupt):
        rescore_published()

    counts = rescore_published()

    assert (counts.checked, counts.reviews, ScoreReview.objects.count()) == (2, 2, 2)


def test_a_limit_stops_early_and_the_next_call_goes_on(published):
    published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, check_set=OLD))

    assert rescore_published(limit=1).checked == 1
    assert rescore_published(limit=1).checked == 1
    assert rescore_published(limit=1).checked == 0


@pytest.mark.parametrize("status", [SubmissionStatus.PENDING, SubmissionStatus.INVALIDATED, SubmissionStatus.WITHDRAWN])
def test_only_what_stands_in_public_is_checked_again(published, status):
    Submission.objects.update(status=status)

    assert rescore_published().checked == 0


def test_reproduced_results_keep_their_level_without_a_finding_against_it(published):
    falsify(published, trust=Trust.REPRODUCED)

    rescore_published()

    assert Result.objects.get(pk=published.pk).trust == Trust.REPRODUCED
    assert not ScoreReview.objects.exists()


def test_applying_makes_findings_and_trust_public(published, moderator):
    apply_score(score_review=reviewed(published), by=moderator, reason="Too short a window.")

    trust, is_ranked, findings, best = state_of(published)
    assert trust == Trust.SELF_REPORTED
    assert is_ranked
    assert findings == {("DUR1", "R", CHECK_SET)}
    assert {level for _, _, level in best} == {Trust.SELF_REPORTED}


def test_applying_a_block_takes_the_result_out_of_the_tables(published, moderator):
    falsify(published, avg_power_w=9_000.0)
    rescore_published()

    apply_score(score_review=ScoreReview.objects.get(), by=moderator, reason="Impossible.")

    trust, is_ranked, findings, best = state_of(published)
    assert (trust, is_ranked, best) == (Trust.DRAFT, False, set())
    assert ("PWR1", "B", CHECK_SET) in findings


def test_keeping_leaves_everything_as_it_was(published, moderator):
    found = reviewed(published)
    before = state_of(published)

    keep_score(score_review=found, by=moderator, reason="The note explains it.")

    assert state_of(published) == before
    found.refresh_from_db()
    assert (found.state, found.decided_by, found.reason) == (
        ScoreReviewState.KEPT,
        moderator,
        "The note explains it.",
    )
    assert rescore_published().checked == 0


@pytest.mark.parametrize(
    ("decide", "action"),
    [(apply_score, ReviewAction.RESCORE), (keep_score, ReviewAction.KEEP_SCORE)],
    ids=["apply", "keep"],
)
def test_a_decision_is_recorded_and_told(published, owner, moderator, decide, action):
    found = reviewed(published)
    Notification.objects.all().delete()

    decide(score_review=found, by=moderator, reason="Because.")

    event = ReviewEvent.objects.filter(actor=moderator, action=action).latest("pk")
    assert event.reason.endswith("Because.")
    told = Notification.objects.get(user=owner)
    assert told.url == f"/results/{published.pk}/#findings"
    assert "Because." in told.text


@pytest.mark.parametrize("decide", [apply_score, keep_score], ids=["apply", "keep"])
def test_a_score_is_decided_once(published, moderator, decide):
    found = reviewed(published)
    keep_score(score_review=found, by=moderator, reason="First.")

    with pytest.raises(ScoreRefused, match="decided before"):
        decide(score_review=found, by=moderator, reason="Second.")


@pytest.mark.parametrize("decide", [apply_score, keep_score], ids=["apply", "keep"])
def test_not_even_superusers_decide_on_their_own(published, decide):
    found, root = reviewed(published), UserFactory(is_superuser=True, is_staff=True)
    Submission.objects.update(owner=root)

    with pytest.raises(ScoreRefused, match="their own"):
        decide(score_review=found, by=root, reason="Mine.")


@pytest.mark.parametrize("decide", [apply_score, keep_score], ids=["apply", "keep"])
def test_only_moderators_decide_with_a_reason_and_never_on_their_own(published, owner, moderator, decide):
    found = reviewed(published)

    with pytest.raises(ScoreRefused, match="not a moderator"):
        decide(score_review=found, by=owner, reason="Mine.")
    with pytest.raises(ScoreRefused, match="Give a reason"):
        decide(score_review=found, by=moderator, reason=" ")
    Submission.objects.update(owner=moderator)
    with pytest.raises(ScoreRefused, match="their own"):
        decide(score_review=found, by=moderator, reason="Mine.")
    assert ScoreReview.objects.get().state == ScoreReviewState.OPEN


def test_findings_on_files_that_were_replaced_are_not_applied(published, moderator):
    found = reviewed(published)
    ReviewEvent.objects.create(
        submission=published.submission,
        action=ReviewAction.REPLACE,
        from_status=SubmissionStatus.PUBLISHED,
        to_status=SubmissionStatus.PENDING,
    )

    with pytest.raises(ScoreRefused, match="replaced"):
        apply_score(score_review=found, by=moderator, reason="Late.")


def test_the_command_says_what_it_did(published, capsys):
    slow_meter(published)

    call_command("rescore", "--limit", "5")

    assert capsys.readouterr().out == "1 results checked, 1 wait for a moderator\n"


def test_the_task_goes_on_until_nothing_is_due(published):
    published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED, check_set=OLD))

    rescore_published_results()

    assert not Submission.objects.filter(check_set=OLD).exists()


def test_a_task_without_time_leaves_the_rest_for_the_next(published):
    rescore_published_results(work_for_s=0)

    assert Submission.objects.get().check_set == OLD


def mapped(kind, written, target, moderator):
    unknown, _ = UnknownName.objects.get_or_create(kind=kind, name=written, defaults={"written_as": written})
    setattr(unknown, kind, target)
    unknown.save()
    map_name(unknown=unknown, by=moderator)


def test_a_name_that_was_unknown_is_judged_at_once_and_the_owner_told(small_catalogue, owner, moderator):
    submission = pending(owner, normal_file(hardware="mystery card"))
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    Notification.objects.all().delete()
    result = submission.results.get()
    assert (result.trust, result.is_ranked) == (Trust.SELF_REPORTED, False)
    Result.objects.update(environment={"cpu": "2 x 64"})

    mapped("hardware", "mystery card", HardwareFactory(name="Mystery"), moderator)

    result.refresh_from_db()
    assert (result.trust, result.is_ranked) == (Trust.CHECKS_PASSED, True)
    assert not ScoreReview.objects.exists()
    assert "Checks passed" in Notification.objects.get(user=owner).title


def test_a_ranked_result_whose_name_means_something_else_keeps_its_badge(published, owner, moderator):
    before = published.trust
    slow = HardwareFactory(name="Slow", memory_gb=8.0)

    mapped("hardware", "h100", slow, moderator)

    published.refresh_from_db()
    assert (published.hardware, published.trust, published.is_ranked) == (slow, before, True)
    assert not published.findings.exists()
    found = ScoreReview.objects.get()
    assert (found.trust_after, [one["code"] for one in found.findings]) == (Trust.DRAFT, ["MEM1"])
    assert Notification.objects.filter(user=owner).exists()


def test_a_kept_score_is_asked_again_when_a_name_changes(published, moderator):
    keep_score(score_review=reviewed(published), by=moderator, reason="Fine.")

    mapped("hardware", "h100", HardwareFactory(name="Slow", memory_gb=8.0), moderator)

    found = ScoreReview.objects.get()
    assert (found.state, found.decided_by, found.reason) == (ScoreReviewState.OPEN, None, "")


def test_the_price_of_a_mapped_result_is_that_of_its_hardware(published, moderator):
    mapped("hardware", "h100", HardwareFactory(name="Cheap", usd_per_gpu_hour=1.0), moderator)

    published.refresh_from_db()
    assert published.cost_per_million_tokens_usd == pytest.approx(1e6 / 1000 / 3600)


def test_what_a_file_stated_about_repeats_is_still_known(published):
    stated = {"throughput_tokens_per_s": {"mean": 100.0, "ci95_low": 80.0, "ci95_high": 120.0, "sd": None}}
    falsify(published, statistics=stated, runs=5)

    rescore_published()

    assert parsed_from(published).stated_statistics == {
        "throughput_tokens_per_s": {"mean": 100.0, "ci95_low": 80.0, "ci95_high": 120.0}
    }
    assert Finding.objects.get().code == "STA1"


def test_an_imported_submission_without_owner_opens_a_review_too(published):
    Submission.objects.update(owner=None)
    slow_meter(published)

    assert rescore_published().reviews == 1


def test_two_moderators_cannot_both_decide(published, moderator):
    found, same = reviewed(published), ScoreReview.objects.get()
    second = UserFactory(is_superuser=True, is_staff=True)
    apply_score(score_review=found, by=moderator, reason="First.")

    with pytest.raises(ScoreRefused):
        keep_score(score_review=same, by=second, reason="Second.")
