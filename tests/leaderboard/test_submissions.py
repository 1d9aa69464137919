"""Giving, completing, handing in and taking back, with what stays behind in rows and files."""

from __future__ import annotations

import json

import pytest

from leaderboard.checks import CHECK_SET
from leaderboard.importers import ImportRefused
from leaderboard.models import (
    Finding,
    Measurement,
    Provenance,
    RawFile,
    Result,
    ReviewAction,
    Submission,
    SubmissionStatus,
    UnknownName,
    Visibility,
)
from leaderboard.services.review import review
from leaderboard.services.storing import read_raw_file
from leaderboard.services.submissions import (
    ResultsImpossible,
    SubmissionRefused,
    new_submission,
    restate,
    store_reading,
    submit,
)
from tests.factories import draft, normal_file, pending, read
from tests.leaderboard.importers import samples

S = SubmissionStatus
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_catalogue")]
PRIVATE = {"output_dir": "/home/alice/results", "hostname": "gpu-box-7.internal", "api_key": "sk-proj-" + "a1B2" * 8}


def actions(submission: Submission) -> list[str]:
    return list(submission.events.values_list("action", flat=True))


def test_a_stored_upload_is_a_draft_that_its_owner_holds(owner):
    submission = draft(owner)

    assert (submission.owner, submission.status, submission.visibility) == (owner, S.DRAFT, Visibility.DRAFT)
    assert (submission.shape, submission.provenance) == ("normal", Provenance.UPLOAD)
    assert actions(submission) == []


def test_a_stored_result_holds_the_values_their_origins_and_its_targets(owner):
    result = draft(owner, normal_file(batch_size=None), batch_size=4).results.get()

    assert (result.tokens_per_joule, result.output_tokens, result.batch_size) == (2.0, 128_000, 4)
    assert (result.origins["tokens_per_joule"], result.origins["batch_size"]) == ("file", "stated")
    assert (result.model.name, result.hardware.slug, result.backend.slug) == ("org/model-8b", "h100", "vllm")
    assert not result.is_ranked


def test_cost_is_filled_in_from_throughput_and_the_catalogues_price(owner):
    result = draft(owner).results.get()

    assert result.gpu_seconds_per_million_tokens == 1000.0
    assert result.cost_per_million_tokens_usd == pytest.approx(2.0 * 1000 / 3600)


def test_every_row_of_an_array_is_a_result_of_its_own(owner):
    rows = [json.loads(normal_file(batch_size=size).content) for size in (8, 16, 32)]

    submission = draft(owner, samples.entry(rows, "many.json"))

    assert list(submission.results.values_list("batch_size", flat=True)) == [8, 16, 32]


def test_cycles_give_mean_spread_and_interval(owner):
    energies = (220.0, 230.0, 240.0)
    entries = [samples.entry(cycle, f"{n}.json") for n, cycle in enumerate(samples.cycles_of_result_2(energies))]

    result = draft(owner, *entries).results.get()

    energy = result.statistics["total_energy_j"]
    assert (result.runs, energy["n"], energy["mean"], energy["sd"]) == (3, 3, 230.0, 10.0)
    assert (energy["ci95_low"], energy["ci95_high"]) == pytest.approx((230 - 24.84, 230 + 24.84), abs=0.01)
    assert list(Measurement.objects.values_list("cycle", "total_energy_j")) == list(enumerate(energies, start=1))


def test_nothing_private_is_left_in_rows_or_files(owner):
    content = samples.result_2(
        samples.effective_config(**PRIVATE),
        environment_snapshot=samples.environment(hostname=PRIVATE["hostname"], gpu_uuid="GPU-" + "1" * 8 + "-aaaa"),
        measurement_warnings=[f"could not write to {PRIVATE['output_dir']}"],
    )

    submission = draft(owner, samples.entry(content))

    stored = read_raw_file(submission.raw_files.get()).decode()
    rows = json.dumps(list(submission.results.values("config", "environment", "warnings")))
    for secret in (*PRIVATE.values(), "GPU-1111", "torch==2.5.1", "alice"):
        assert secret not in stored + rows
    assert {"effective_config.output_dir", "environment_snapshot.hostname"} <= set(submission.redacted)


def test_files_lie_in_the_storage_under_their_hash(owner, stored_files):
    raw = draft(owner).raw_files.get()

    assert stored_files() == [raw.sha256]
    assert read_raw_file(raw) == normal_file().content


def test_equal_files_are_stored_once(owner, stranger, stored_files):
    draft(owner)
    draft(stranger)

    assert RawFile.objects.count() == 2
    assert len(stored_files()) == 1


def test_a_blocked_upload_stores_nothing(owner, stored_files):
    reading = read(normal_file(throughput_tokens_per_s=9000.0))

    with pytest.raises(ResultsImpossible, match="1 of 1 results cannot be right"):
        store_reading(reading=reading, owner=owner, provenance=Provenance.UPLOAD)

    assert not any(table.objects.exists() for table in (Submission, Result, RawFile, Finding, UnknownName))
    assert stored_files() == []


def test_one_blocked_result_keeps_all_of_its_upload_out(owner):
    reading = read(normal_file("good.json"), normal_file("bad.json", avg_power_w=5000.0))

    with pytest.raises(ResultsImpossible):
        store_reading(reading=reading, owner=owner, provenance=Provenance.UPLOAD)

    assert not Result.objects.exists()


def test_findings_are_stored_with_the_check_set(owner):
    entry = normal_file(duration_s=30.0, output_tokens=30_000, total_energy_j=15_000.0)

    finding = draft(owner, entry).results.get().findings.get(code="DUR1")

    assert (finding.severity, finding.check_set) == ("W", CHECK_SET)
    assert finding.observed
    assert finding.limit
    assert finding.message


def test_stating_fills_a_draft_and_keeps_the_address_of_its_results(owner):
    submission = draft(owner, normal_file(hardware=None))
    before = submission.results.get()

    restate(submission=submission, stated={"hardware": "h100"}, by=owner)

    after = submission.results.get()
    assert (after.pk, after.hardware.slug, after.origins["hardware"]) == (before.pk, "h100", "stated")


def test_stating_again_replaces_and_an_empty_value_takes_back(owner):
    submission = draft(owner, normal_file(hardware=None, batch_size=None), hardware="h100", batch_size=4)

    restated = restate(submission=submission, stated={"batch_size": "16", "hardware": ""}, by=owner)

    result = submission.results.get()
    assert (result.batch_size, result.hardware_name, result.hardware) == (16, "", None)
    assert restated.stated == {"batch_size": 16}


def test_stating_for_many_results_of_one_file_keeps_each(owner):
    rows = [json.loads(normal_file(batch_size=size, precision=None).content) for size in (8, 16)]
    submission = draft(owner, samples.entry(rows, "many.json"))
    before = list(submission.results.values_list("pk", "batch_size"))

    restate(submission=submission, stated={"precision": "fp8"}, by=owner)

    assert list(submission.results.values_list("pk", "batch_size")) == before
    assert set(submission.results.values_list("precision", flat=True)) == {"fp8"}


def test_stating_something_impossible_leaves_the_draft_as_it_was(owner):
    submission = draft(owner, normal_file(gpu_count=None, precision=None))
    before = list(Result.objects.values())

    with pytest.raises(ResultsImpossible):
        restate(
            submission=submission,
            stated={"model": "x", "gpu_count": 1, "requests": 1, "max_output_tokens": 1},
            by=owner,
        )

    assert list(Result.objects.values()) == before


def test_stating_something_wrong_leaves_the_draft_as_it_was(owner):
    submission = draft(owner, normal_file(gpu_count=None))

    with pytest.raises(ImportRefused):
        restate(submission=submission, stated={"gpu_count": "several"}, by=owner)

    assert submission.results.get().gpu_count is None


@pytest.mark.parametrize("status", [status for status in S if status not in (S.DRAFT, S.CHANGES_REQUESTED)])
def test_nothing_can_be_stated_once_it_is_handed_in(owner, status):
    submission = draft(owner, normal_file(batch_size=None))
    Submission.objects.filter(pk=submission.pk).update(status=status)

    with pytest.raises(SubmissionRefused, match="nothing can be stated any more"):
        restate(submission=submission, stated={"batch_size": 2}, by=owner)


def test_a_public_submission_waits_for_review_with_an_audit_line(owner):
    submission = submit(submission=draft(owner), by=owner, visibility="public", note="On my own machine.")

    event = submission.events.get()
    assert (submission.status, submission.note) == (S.PENDING, "On my own machine.")
    assert submission.submitted_at is not None
    assert (event.actor, event.action, event.from_status, event.to_status) == (owner, "submit", "draft", "pending")


def test_a_private_submission_stays_a_draft_that_nobody_reviews(owner):
    submission = submit(submission=draft(owner), by=owner, visibility="private")

    assert (submission.status, submission.visibility) == (S.DRAFT, Visibility.PRIVATE)
    assert actions(submission) == []


def test_a_private_submission_can_become_public_later(owner):
    submission = submit(submission=draft(owner), by=owner, visibility="private")

    assert submit(submission=submission, by=owner, visibility="public").status == S.PENDING


def test_what_waits_for_review_cannot_be_made_private(owner):
    with pytest.raises(SubmissionRefused, match="Only a draft can be kept private"):
        submit(submission=pending(owner), by=owner, visibility="private")


@pytest.mark.parametrize("visibility", ["draft", "", "everyone"])
def test_another_visibility_is_refused(owner, visibility):
    with pytest.raises(SubmissionRefused) as refused:
        submit(submission=draft(owner), by=owner, visibility=visibility)

    assert refused.value.field == "visibility"


@pytest.mark.parametrize("lacking", ["model", "hardware"])
def test_a_submission_that_lacks_an_essential_is_not_handed_in(owner, lacking):
    submission = draft(owner, normal_file(hardware=None) if lacking == "hardware" else normal_file())
    submission.results.update(**{f"{lacking}_name": ""})

    with pytest.raises(SubmissionRefused, match=f"State the {lacking}"):
        submit(submission=submission, by=owner, visibility="public")

    assert Submission.objects.get().status == S.DRAFT


def test_handing_in_twice_gives_one_event(owner):
    submission = pending(owner)

    with pytest.raises(SubmissionRefused, match="It is waiting for review"):
        submit(submission=submission, by=owner, visibility="public")

    assert actions(submission) == ["submit"]


def test_of_two_drafts_of_one_measurement_only_the_first_is_handed_in(owner, stranger):
    second = draft(stranger)
    pending(owner)

    with pytest.raises(SubmissionRefused, match="handed in meanwhile: a result that is not public yet"):
        submit(submission=second, by=stranger, visibility="public")

    assert Submission.objects.get(pk=second.pk).status == S.DRAFT


def test_a_measurement_that_was_rejected_may_be_handed_in_again(owner, moderator):
    rejected = pending(owner)
    review(submission=rejected, action=ReviewAction.REJECT, by=moderator, reason="No.")

    assert pending(owner).status == S.PENDING


def test_a_complete_public_upload_is_handed_in_at_once_and_an_incomplete_one_stays_a_draft(owner):
    give = {"owner": owner, "provenance": Provenance.API, "visibility": Visibility.PUBLIC}

    complete = new_submission(reading=read(normal_file()), **give)
    incomplete = new_submission(reading=read(normal_file(hardware=None, duration_s=128.2)), **give)
    private = new_submission(reading=read(normal_file(duration_s=128.4)), **{**give, "visibility": Visibility.PRIVATE})

    assert [one.status for one in (complete, incomplete, private)] == [S.PENDING, S.DRAFT, S.DRAFT]
