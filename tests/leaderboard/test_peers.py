import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard.models import Backend, Hardware, LanguageModel, Result, SubmissionStatus, Trust
from leaderboard.queries.peers import MOST_OF_ONE_LOAD, curve_of, peers_of
from leaderboard.services.submissions import restate
from lemsite.lib.archives import Entry
from tests.factories import (
    NORMAL,
    ResultFactory,
    SubmissionFactory,
    UserFactory,
    draft,
    normal_file,
    published_result,
    read,
)

pytestmark = pytest.mark.django_db


def there(**fields):
    """A ranked result of what `normal_file` names, of a submission and a person of its own."""
    names = {
        "model": LanguageModel.objects.get(),
        "hardware": Hardware.objects.get(),
        "backend": Backend.objects.get(),
    }
    return published_result(**{**names, **fields})


def codes(reading):
    return {(finding.code, finding.severity.value) for finding in reading.results[0].findings}


def flawless(**fields):
    """The normal file, with the figures of another speed in agreement."""
    speed = fields.pop("speed", 1.0)
    return normal_file(
        throughput_tokens_per_s=1000.0 * speed,
        output_tokens=round(128_000 * speed),
        energy_per_output_token_j=0.5 / speed,
        tokens_per_joule=2.0 * speed,
        **fields,
    )


@pytest.fixture
def five_peers(small_catalogue):
    return [there(throughput_tokens_per_s=1000.0 + number) for number in range(5)]


def test_an_upload_far_from_its_peers_is_for_review(five_peers, owner):
    assert ("OUT1", "R") in codes(read(flawless(speed=2.0), owner=owner))


def test_an_upload_near_its_peers_is_not(five_peers, owner):
    assert codes(read(flawless(speed=1.01), owner=owner)) == set()


@pytest.mark.parametrize(
    "difference",
    [
        {"gpu_count": 2},
        {"precision": "fp8"},
        {"energy_scope": "node"},
        {"batch_size": 16},
        {"backend": "other"},
    ],
    ids=str,
)
def test_another_configuration_has_no_peers(five_peers, owner, difference):
    found = codes(read(flawless(speed=2.0, **difference), owner=owner))

    assert "OUT1" not in {code for code, _ in found}


@pytest.mark.parametrize(("concurrency", "expected"), [(8, True), (4, False)])
def test_the_load_is_the_smaller_of_batch_size_and_concurrency(five_peers, owner, concurrency, expected):
    found = codes(read(flawless(speed=2.0, concurrency=concurrency), owner=owner))

    assert (("OUT1", "R") in found) is expected


def test_ones_own_results_are_no_peers(small_catalogue, owner):
    for _ in range(5):
        there(submission=SubmissionFactory(owner=owner, status=SubmissionStatus.PUBLISHED))

    assert codes(read(flawless(speed=2.0), owner=owner)) == set()


def test_results_that_are_not_ranked_are_no_peers(five_peers, owner):
    Result.objects.update(is_ranked=False)

    assert codes(read(flawless(speed=2.0), owner=owner)) == set()


def test_a_verified_result_sets_the_bar(small_catalogue, owner):
    there(trust=Trust.REPRODUCED)

    assert ("OUT2", "R") in codes(read(flawless(speed=1.2), owner=owner))


def test_a_copy_of_a_published_result_is_for_review(small_catalogue, owner):
    there()

    assert ("DUP2", "R") in codes(read(flawless(), owner=owner))


def test_the_batches_of_one_upload_are_each_others_curve(small_catalogue, owner):
    entries = [
        flawless(name="8.json", batch_size=8, speed=1.0),
        flawless(name="16.json", batch_size=16, speed=5.0),
        flawless(name="32.json", batch_size=32, speed=3.0),
    ]

    reading = read(*entries, owner=owner)

    by_batch = {one.parsed.values.batch_size: {f.code for f in one.findings} for one in reading.results}
    assert by_batch == {8: set(), 16: {"OUT3"}, 32: set()}


def test_published_results_are_the_curve_too(small_catalogue, owner):
    there(batch_size=4)
    there(batch_size=16)

    assert ("OUT3", "R") in codes(read(flawless(speed=3.0), owner=owner))


def test_other_prompts_make_another_curve(small_catalogue, owner):
    there(batch_size=4, dataset="short")
    there(batch_size=16, dataset="short")

    assert codes(read(flawless(speed=3.0), owner=owner)) == set()


def many(count):
    rows = [
        {**NORMAL, "batch_size": number + 1, "config_hash": f"c{number}", "output_tokens": 128_000 + number}
        for number in range(count)
    ]
    return Entry("many.json", json.dumps(rows).encode())


def test_an_upload_of_many_results_takes_no_more_queries(five_peers, owner, django_assert_num_queries):
    read(many(1), owner=owner)  # what the owner may do is asked once
    with CaptureQueriesContext(connection) as few:
        read(many(2), owner=owner)

    with django_assert_num_queries(len(few)):
        assert len(read(many(300), owner=owner).results) == 300


def test_memory_holds_only_the_newest_of_a_load(five_peers):
    ResultFactory.create_batch(
        MOST_OF_ONE_LOAD,
        submission=five_peers[0].submission,
        model=five_peers[0].model,
        hardware=five_peers[0].hardware,
        backend=five_peers[0].backend,
        is_ranked=True,
    )
    mine = there(submission=SubmissionFactory(owner=UserFactory(), status=SubmissionStatus.PUBLISHED))

    assert len(peers_of(mine)) <= MOST_OF_ONE_LOAD


def test_peers_of_a_stored_result_are_those_of_others(five_peers, owner):
    submission = draft(owner, flawless(speed=2.0))

    peers = peers_of(submission.results.get())

    assert {peer.pk for peer in peers} == {peer.pk for peer in five_peers}


def test_the_curve_of_a_stored_result_holds_it_and_its_siblings_by_load(small_catalogue, owner):
    there(batch_size=64)
    there(batch_size=2, precision="fp8")
    submission = draft(owner, flawless(name="16.json", batch_size=16), flawless(name="4.json", batch_size=4))

    curve = curve_of(submission.results.get(batch_size=16))

    assert [point.batch_size for point in curve] == [4, 16, 64]


def test_an_unmapped_result_stands_alone(five_peers, owner):
    submission = draft(owner, flawless(model="org/nobody-knows"))

    assert list(peers_of(submission.results.get())) == []
    assert list(curve_of(submission.results.get())) == []


def test_a_statement_is_checked_against_peers_too(five_peers, owner):
    submission = draft(owner, flawless(speed=2.0, precision=None))
    assert not submission.results.get().findings.filter(code="OUT1").exists()

    restate(submission=submission, stated={"precision": "bf16"}, by=owner)

    assert submission.results.get().findings.filter(code="OUT1").exists()
