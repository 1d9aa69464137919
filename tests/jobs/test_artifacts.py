"""Files of an attempt: announced, sent in pieces, whole and right in the end, or not there."""

import base64
import hashlib
import random
from contextlib import suppress

import pytest
from django.conf import settings as site
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.models import Artifact, Attempt
from jobs.services import artifacts
from jobs.services.artifacts import open_artifact
from jobs.services.errors import AgentRefused
from tests.jobs.calling import Host
from tests.jobs.factories import AttemptFactory, ago

pytestmark = pytest.mark.django_db
PIECES = site.LEMSITE_HOME / "files" / "artifacts" / "pieces"
CONTENT = b'{"energy_j": 345.1}\n' * 50


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def attempt(host):
    return AttemptFactory(agent=host.agent)


def sha(content):
    return hashlib.sha256(content).hexdigest()


def announce(host, attempt, content=CONTENT, name="out/result.json", **others):
    body = {"name": name, "size": len(content), "sha256": sha(content), **others}
    return host.call("POST", f"/attempts/{attempt.pk}/artifacts", body)


def piece(host, artifact_id, offset, content, **headers):
    return host.send("PATCH", f"/artifacts/{artifact_id}", content, **({"Upload-Offset": str(offset)} | headers))


def pieces_left(artifact_id):
    folder = PIECES / str(artifact_id)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def whole(artifact_id):
    with open_artifact(Artifact.objects.get(pk=artifact_id)) as file:
        return file.read()


def test_a_file_comes_in_pieces_and_lies_under_its_hash(host, attempt):
    known = announce(host, attempt).json()["id"]

    for offset in range(0, len(CONTENT), 300):
        answer = piece(host, known, offset, CONTENT[offset : offset + 300])

    assert (answer.status_code, answer["Upload-Complete"]) == (204, "?1")
    assert Artifact.objects.get().storage_name.endswith(sha(CONTENT))
    assert whole(known) == CONTENT
    assert not (PIECES / known).exists()


def announce_all(host, attempt, *contents, **others):
    files = [
        {
            "name": f"out/{number}.json",
            "size": len(content),
            "sha256": sha(content),
            "content": base64.b64encode(content).decode(),
            **others,
        }
        for number, content in enumerate(contents)
    ]
    return host.call("POST", f"/attempts/{attempt.pk}/artifacts", {"files": files})


def test_small_files_come_whole_with_their_announcement_in_one_call(host, attempt):
    answer = announce_all(host, attempt, CONTENT, b"", b"other")

    assert answer.status_code == 201
    assert [(one["offset"], one["complete"]) for one in answer.json()["files"]] == [
        (len(CONTENT), True), (0, True), (5, True),
    ]  # fmt: skip
    assert [whole(one["id"]) for one in answer.json()["files"]] == [CONTENT, b"", b"other"]


def test_small_files_that_come_again_change_nothing(host, attempt):
    first = announce_all(host, attempt, CONTENT, b"other")

    again = announce_all(host, attempt, CONTENT, b"other")

    assert (again.status_code, again.json()) == (200, first.json())


def test_of_small_files_one_of_which_is_wrong_none_is_kept(host, attempt):
    answer = announce_all(host, attempt, CONTENT, b"other", sha256=sha(CONTENT))

    assert (answer.status_code, answer.json()["code"]) == (422, "digest_mismatch")
    assert not attempt.artifacts.exists()


@pytest.mark.parametrize("content", ["not base 64", "A" * 100_000], ids=["characters", "too long"])
def test_content_that_cannot_be_a_small_file_is_refused(host, attempt, content):
    body = {"name": "out/x", "size": 5, "sha256": sha(b"other"), "content": content}

    answer = host.call("POST", f"/attempts/{attempt.pk}/artifacts", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_small_file_that_was_begun_in_pieces_goes_on_in_pieces(host, attempt):
    begun = announce(host, attempt, b"other", name="out/0.json").json()["id"]
    piece(host, begun, 0, b"ot")

    answer = announce_all(host, attempt, b"other")

    assert answer.json()["files"] == [{"id": begun, "offset": 2, "complete": False}]


def test_announced_again_it_says_where_to_go_on(host, attempt):
    first = announce(host, attempt)
    piece(host, first.json()["id"], 0, CONTENT[:7])

    again = announce(host, attempt)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "offset": 7, "complete": False}


def test_where_it_stands_can_be_asked(host, attempt):
    known = announce(host, attempt).json()["id"]
    piece(host, known, 0, CONTENT[:7])

    answer = host.send("HEAD", f"/artifacts/{known}", b"")

    assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (204, "7", str(len(CONTENT)))


@pytest.mark.parametrize("offset", [0, 5, 9])
def test_a_piece_that_does_not_follow_is_told_the_place(host, attempt, offset):
    known = announce(host, attempt).json()["id"]
    piece(host, known, 0, CONTENT[:7])

    answer = piece(host, known, offset, b"xx")

    assert (answer.status_code, answer.json()["offset"]) == (409, 7)


def test_the_same_name_with_another_content_is_refused(host, attempt):
    announce(host, attempt)

    assert announce(host, attempt, b"something else").status_code == 409


def test_what_is_not_what_was_announced_begins_anew(host, attempt):
    known = announce(host, attempt).json()["id"]

    answer = piece(host, known, 0, b"X" + CONTENT[1:])

    assert (answer.status_code, answer.json()["code"], answer.json()["offset"]) == (422, "digest_mismatch", 0)
    assert pieces_left(known) == []
    assert piece(host, known, 0, CONTENT).status_code == 204
    assert whole(known) == CONTENT


def test_a_storage_without_folders_holds_the_same(host, attempt, settings):
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    known = announce(host, attempt).json()["id"]

    for offset in range(0, len(CONTENT), 300):
        piece(host, known, offset, CONTENT[offset : offset + 300])

    assert whole(known) == CONTENT


def test_an_empty_file_is_whole_at_once(host, attempt):
    answer = announce(host, attempt, b"")

    assert (answer.status_code, answer.json()["complete"], whole(answer.json()["id"])) == (201, True, b"")


def test_two_attempts_with_the_same_file_share_it(host):
    for attempt in (AttemptFactory(agent=host.agent), AttemptFactory(agent=host.agent)):
        known = announce(host, attempt, b"the same").json()["id"]
        piece(host, known, 0, b"the same")

    assert [artifact.completed_at is not None for artifact in Artifact.objects.all()] == [True, True]


def test_a_request_that_died_before_its_row_was_written_leaves_no_trace(host, attempt):
    known = announce(host, attempt).json()["id"]
    artifacts._keep(Artifact.objects.get().piece_name(0), b"half of it")

    piece(host, known, 0, CONTENT)

    assert whole(known) == CONTENT


def test_one_that_died_before_it_was_joined_is_joined_when_announced_again(host, attempt):
    announce(host, attempt)
    artifacts._add_piece(Artifact.objects.get(), 0, CONTENT)

    assert announce(host, attempt).json()["complete"]


def test_pieces_that_somebody_else_has_just_joined_are_no_fault(host, attempt, monkeypatch):
    announce(host, attempt)
    artifact = artifacts._add_piece(Artifact.objects.get(), 0, CONTENT)
    names = artifacts._pieces(artifact)
    artifacts.settle(Artifact.objects.get())
    monkeypatch.setattr(artifacts, "_pieces", lambda artifact: names)

    assert artifacts.settle(artifact).completed_at is not None


NAMES = ["/etc/passwd", "../x", "a/../b", ".env", "a/.git", "a//b", "a b", "a\\b", "é", "x\n", "a/", "x" * 301]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_that_leads_elsewhere_is_refused(host, attempt, name):
    assert announce(host, attempt, name=name).status_code == 422


@pytest.mark.parametrize("name", ["out/a=1_b=2/result.json", "telemetry.ndjson.gz", "a+b"])
def test_names_as_llem_gives_them_are_taken(host, attempt, name):
    assert announce(host, attempt, name=name).status_code == 201


@pytest.mark.parametrize(
    "wrong", [{"sha256": "x" * 64}, {"size": -1}, {"size": (1 << 30) + 1}], ids=["sha", "neg", "big"]
)
def test_an_announcement_of_nonsense_is_refused(host, attempt, wrong):
    assert announce(host, attempt, **wrong).status_code == 422


def test_the_files_of_an_attempt_have_a_sum(host, attempt, monkeypatch):
    monkeypatch.setattr(artifacts, "ARTIFACT_TOTAL_BYTES", len(CONTENT) + 5)
    announce(host, attempt)

    answer = announce(host, attempt, b"six!!!", name="another")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_there_are_only_so_many(host, attempt, monkeypatch):
    monkeypatch.setattr(artifacts, "MAX_ARTIFACTS", 1)
    announce(host, attempt)

    assert announce(host, attempt, name="another").json()["code"] == "too_many"


def test_more_than_was_announced_is_refused(host, attempt):
    known = announce(host, attempt).json()["id"]

    assert piece(host, known, 0, CONTENT + b"!").status_code == 413


@pytest.mark.parametrize("offset", ["", "-1", "x", "1" * 20])
def test_a_piece_says_where_it_begins(host, attempt, offset):
    known = announce(host, attempt).json()["id"]

    assert piece(host, known, offset, b"x").status_code == 400


def test_the_file_of_another_host_is_not_there(host, attempt):
    known = announce(host, attempt).json()["id"]
    other = Host()

    assert piece(other, known, 0, CONTENT).status_code == 404
    assert other.send("HEAD", f"/artifacts/{known}", b"").status_code == 404


def test_after_the_report_nothing_is_added(host, attempt):
    known = announce(host, attempt).json()["id"]
    Attempt.objects.update(state="done")

    assert piece(host, known, 0, CONTENT).status_code == 409
    assert announce(host, attempt, name="another").status_code == 409


def test_what_never_came_whole_is_forgotten_after_a_while(host, attempt):
    half = announce(host, attempt).json()["id"]
    piece(host, half, 0, CONTENT[:7])
    kept = announce(host, attempt, name="whole").json()["id"]
    piece(host, kept, 0, CONTENT)
    Artifact.objects.update(created_at=ago(8 * 86_400))

    assert artifacts.drop_stale(before=ago(7 * 86_400)) == 1

    assert [str(artifact.pk) for artifact in Artifact.objects.all()] == [kept]
    assert pieces_left(half) == []


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.binary(max_size=200), seed=st.integers(0, 2**16))
def test_any_pieces_with_repeats_and_gaps_make_the_file(content, seed):
    draw = random.Random(seed)
    attempt = AttemptFactory()
    artifact, _ = artifacts.begin(attempt=attempt, name="out/x", size=len(content), sha256=sha(content))
    while artifact.completed_at is None:
        offset = draw.choice([artifact.received_bytes, draw.randrange(len(content) + 1)])
        part = content[offset : offset + draw.randrange(1, 40)]
        with suppress(AgentRefused):
            artifact = artifacts.add_piece(artifact=artifact, offset=offset, content=part)

    with open_artifact(artifact) as file:
        assert file.read() == content
    assert default_storage.exists(artifact.storage_name)
