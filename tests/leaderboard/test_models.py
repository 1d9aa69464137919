"""Rules that the tables themselves keep."""

from __future__ import annotations

import itertools

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from leaderboard.models import (
    TRANSITIONS,
    HardwareAlias,
    Measurement,
    ModelAlias,
    RawFile,
    Result,
    Submission,
    SubmissionStatus,
    Trust,
    UnknownName,
    Visibility,
    fold_name,
)
from tests.factories import HardwareFactory, LanguageModelFactory, ResultFactory, SubmissionFactory

OPEN = {SubmissionStatus.PUBLISHED, SubmissionStatus.DISPUTED, SubmissionStatus.INVALIDATED}


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("NVIDIA A100-PCIE-40GB", "a100-pcie-40gb"),
        ("  nvidia   H100  80GB HBM3 ", "h100 80gb hbm3"),
        ("AMD Instinct MI300X", "instinct mi300x"),
        ("meta-llama/Llama-3.1-8B", "meta-llama/llama-3.1-8b"),
        ("", ""),
    ],
)
def test_names_are_compared_in_lower_case_without_the_vendor(written, folded):
    assert fold_name(written) == folded


@pytest.mark.django_db
def test_an_alias_is_kept_folded():
    alias = ModelAlias.objects.create(name="Org/NAME  x", target=LanguageModelFactory())

    assert ModelAlias.objects.get(name="org/name x") == alias


@pytest.mark.django_db
def test_a_name_means_one_thing():
    HardwareAlias.objects.create(name="gpu x", target=HardwareFactory())

    with pytest.raises(IntegrityError), transaction.atomic():
        HardwareAlias.objects.create(name="NVIDIA GPU X", target=HardwareFactory())


@pytest.mark.django_db
def test_an_unknown_name_waits_once_per_kind():
    UnknownName.objects.create(kind="model", name="x", written_as="X")
    UnknownName.objects.create(kind="backend", name="x", written_as="X")

    with pytest.raises(IntegrityError), transaction.atomic():
        UnknownName.objects.create(kind="model", name="x", written_as="x")


@pytest.mark.django_db
def test_a_result_has_each_cycle_once():
    result = ResultFactory()
    Measurement.objects.create(result=result, cycle=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Measurement.objects.create(result=result, cycle=1)


@pytest.mark.django_db
def test_a_submission_has_each_file_name_once():
    submission = SubmissionFactory()
    fields = {"submission": submission, "name": "a.json", "sha256": "a" * 64, "size_bytes": 1}
    RawFile.objects.create(**fields, original_sha256="b" * 64)

    with pytest.raises(IntegrityError), transaction.atomic():
        RawFile.objects.create(**fields, original_sha256="c" * 64)


def test_a_raw_file_lies_under_its_hash_and_not_under_its_name():
    raw = RawFile(name="../../etc/passwd", sha256="ab" + "0" * 62)

    assert raw.storage_name == f"raw/ab/ab{'0' * 62}"


@pytest.mark.parametrize(
    ("code", "trust"), [("T1", Trust.SELF_REPORTED), ("t2", Trust.CHECKS_PASSED), ("PUBLISHED", Trust.PUBLISHED)]
)
def test_trust_levels_are_named_by_code_in_any_case(code, trust):
    assert Trust.from_code(code) == trust
    assert trust.code.lower() == code.lower()


def test_a_code_that_is_no_trust_level_is_refused():
    with pytest.raises(KeyError):
        Trust.from_code("T9")


def test_every_status_says_what_may_follow():
    assert set(TRANSITIONS) == set(SubmissionStatus)
    assert set().union(*TRANSITIONS.values()) == set(SubmissionStatus)


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "visibility"), list(itertools.product(SubmissionStatus, Visibility)))
def test_who_sees_a_submission(status, visibility, owner, stranger, moderator):
    submission = SubmissionFactory(owner=owner, status=status, visibility=visibility)
    is_open = status in OPEN and visibility == Visibility.PUBLIC

    seen = [submission in Submission.objects.visible_to(user) for user in (owner, moderator, stranger, AnonymousUser())]

    assert seen == [True, True, is_open, is_open]
    assert submission.is_public == is_open


@pytest.mark.django_db
def test_what_was_published_and_then_withdrawn_keeps_its_page():
    submission = SubmissionFactory(status=SubmissionStatus.WITHDRAWN, published_at="2026-01-01T00:00:00Z")

    assert submission.is_public
    assert submission in Submission.objects.visible_to(AnonymousUser())


@pytest.mark.django_db
def test_a_result_is_seen_by_those_who_see_its_submission(owner, stranger):
    result = ResultFactory(submission__owner=owner)

    assert result in Result.objects.visible_to(owner)
    assert result not in Result.objects.visible_to(stranger)


@pytest.mark.django_db
def test_a_deleted_submission_is_seen_by_nobody(owner, moderator):
    submission = SubmissionFactory(owner=owner, deleted_at="2026-01-01T00:00:00Z")

    assert not Submission.objects.visible_to(owner).exists()
    assert not Submission.objects.visible_to(moderator).exists()
    assert not Submission.objects.owned_by(owner).filter(pk=submission.pk).exists()


@pytest.mark.django_db
def test_only_its_owner_owns_a_submission(owner, moderator):
    SubmissionFactory(owner=owner)

    assert Submission.objects.owned_by(owner).count() == 1
    assert not Submission.objects.owned_by(moderator).exists()
    assert not Submission.objects.owned_by(AnonymousUser()).exists()


@pytest.mark.django_db
def test_rows_name_themselves_for_people():
    result = ResultFactory(model_name="org/m", hardware_name="gpu", gpu_count=None)

    assert str(result) == "org/m on ? x gpu"
    assert str(result.submission).startswith("Waiting for review normal ")
