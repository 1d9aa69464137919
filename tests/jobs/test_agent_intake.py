"""What an attempt brings: whatever is sent twice, late, torn or out of order, the same is here in the end."""

import hashlib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.models import Attempt, AttemptState, LogChunk, TelemetryBatch
from jobs.queries.logs import attempt_log, log_part, log_sha256
from jobs.services import intake_events, intake_log, intake_telemetry
from jobs.services.errors import AgentRefused
from tests.jobs.calling import Host
from tests.jobs.factories import AttemptFactory

pytestmark = pytest.mark.django_db
GPU = "GPU-3f2a0000"
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def attempt(host):
    return AttemptFactory(agent=host.agent)


def stored(attempt):
    return b"".join(attempt_log(attempt))


def events(*numbers):
    return [{"seq": seq, "t": float(seq), "type": "step", "data": {"n": seq}} for seq in numbers]


def samples(first, count, **others):
    columns = {"uuid": GPU, "power_w": [400.0 + n for n in range(first, first + count)], "util": [None] * count}
    return {"first_seq": first, "period_ms": 1000, "t": [float(n) for n in range(first, first + count)]} | {
        "gpu": [columns | others]
    }


# The log


def test_a_log_is_appended_and_its_end_is_told(host, attempt):
    first = host.log(attempt, 0, b"hello ")
    second = host.log(attempt, 6, b"world\n")

    assert [answer.status_code for answer in (first, second)] == [202, 202]
    assert (second["Range"], stored(attempt)) == ("bytes=0-11", b"hello world\n")


@pytest.mark.parametrize(("known", "told"), [(b"", "bytes=*/0"), (b"abc", "bytes=0-2")], ids=["empty", "three"])
def test_bytes_after_a_gap_are_sent_back_to_the_end(host, attempt, known, told):
    if known:
        host.log(attempt, 0, known)

    answer = host.log(attempt, 10, b"later")

    assert (answer.status_code, answer["Range"], stored(attempt)) == (416, told, known)


def test_bytes_that_are_known_are_passed_over(host, attempt):
    host.log(attempt, 0, b"hello")

    host.log(attempt, 3, b"lo world")

    assert stored(attempt) == b"hello world"


def test_a_torn_chunk_is_not_kept(host, attempt):
    wrong = "sha-256=:" + "A" * 43 + "=:"

    answer = host.log(attempt, 0, b"torn", **{"Content-Digest": wrong})

    assert (answer.status_code, stored(attempt)) == (422, b"")


@pytest.mark.parametrize("span", ["", "bytes 0-9/*", "bytes 3-0/*", "bytes a-b/*", "bytes 0-3"])
def test_a_range_that_is_none_is_refused(host, attempt, span):
    assert host.log(attempt, 0, b"four", **{"Content-Range": span}).status_code == 400


def test_a_chunk_has_at_most_a_mebibyte(host, attempt):
    assert host.log(attempt, 0, bytes((1 << 20) + 1)).status_code == 413


def test_a_log_has_an_end(host, attempt, monkeypatch):
    monkeypatch.setattr(intake_log, "LOG_TOTAL_BYTES", 5)

    answer = host.log(attempt, 0, b"six!!!")

    assert (answer.status_code, answer.json()["code"]) == (413, "log_full")


@pytest.mark.parametrize(
    ("state", "status"),
    [("offered", 409), ("running", 202), ("uploading", 202), ("lost", 202), ("done", 409), ("declined", 409)],
)
def test_an_attempt_takes_bytes_between_its_accept_and_its_report(host, state, status):
    attempt = AttemptFactory(agent=host.agent, state=state)

    assert host.log(attempt, 0, b"x").status_code == status


def test_a_chunk_that_comes_again_after_the_report_is_no_fault(host, attempt):
    host.log(attempt, 0, b"all of it")
    Attempt.objects.update(state=AttemptState.DONE)

    assert host.log(attempt, 0, b"all of it").status_code == 202


@EXAMPLES
@given(data=st.data())
def test_any_ranges_in_any_order_make_the_same_log(data):
    whole = data.draw(st.binary(min_size=1, max_size=60))
    attempt = AttemptFactory()
    span = st.tuples(st.integers(0, len(whole) - 1), st.integers(1, len(whole)))
    for start, length in data.draw(st.lists(span, max_size=12)):
        with suppress(AgentRefused):
            intake_log.append(attempt=attempt, start=start, content=whole[start : start + length])
        here = stored(attempt)
        assert here == whole[: len(here)]
    end = Attempt.objects.get(pk=attempt.pk).log_bytes
    intake_log.append(attempt=attempt, start=end, content=whole[end:])

    assert log_sha256(attempt) == hashlib.sha256(whole).hexdigest()
    assert [chunk.start for chunk in LogChunk.objects.filter(attempt=attempt)] == sorted(
        {chunk.start for chunk in LogChunk.objects.filter(attempt=attempt)}
    )


@EXAMPLES
@given(cuts=st.lists(st.binary(min_size=1, max_size=9), max_size=6), start=st.integers(0, 60), limit=st.integers(1, 60))
def test_any_part_of_a_log_can_be_read(cuts, start, limit):
    attempt, end = AttemptFactory(), 0
    for content in cuts:
        end = intake_log.append(attempt=attempt, start=end, content=content)

    assert log_part(attempt, start, limit) == b"".join(cuts)[start : start + limit]


# Events


def test_the_number_that_is_missing_first_is_told(host, attempt):
    answer = host.call("POST", f"/attempts/{attempt.pk}/events", {"events": events(1, 2, 4)})

    assert (answer.status_code, answer.json()) == (200, {"next_seq": 3})
    assert attempt.events.count() == 3


def test_a_hole_that_is_filled_leads_past_what_came_before_it(attempt):
    intake_events.store(attempt=attempt, events=events(2, 3))

    assert intake_events.store(attempt=attempt, events=events(1)) == 4


def test_an_event_that_comes_again_changes_nothing(attempt):
    intake_events.store(attempt=attempt, events=events(2))
    intake_events.store(attempt=attempt, events=[events(2)[0] | {"type": "other"}])

    assert [event.type for event in attempt.events.all()] == ["step"]


def test_a_number_far_ahead_is_sent_back(attempt):
    with pytest.raises(AgentRefused) as refused:
        intake_events.store(attempt=attempt, events=events(1_000_000))

    assert (refused.value.code, refused.value.extra) == ("events_gap", {"next_seq": 1})


@EXAMPLES
@given(data=st.data())
def test_any_order_with_repeats_makes_the_same_rows(data):
    count = data.draw(st.integers(1, 12))
    numbers = data.draw(st.permutations(list(range(1, count + 1)) * 2))
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    attempt, following = AttemptFactory(), 1
    while numbers:
        sizes.append(sizes.pop(0))
        following = intake_events.store(attempt=attempt, events=events(*numbers[: sizes[0]]))
        numbers = numbers[sizes[0] :]

    assert following == count + 1
    assert [(event.seq, event.data) for event in attempt.events.all()] == [(n, {"n": n}) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    "wrong",
    [{"seq": 0}, {"seq": 2**31}, {"type": "a b"}, {"type": "x" * 65}, {"data": []}, {"t": None}],
    ids=["zero", "huge", "blank", "long", "list", "no-time"],
)
def test_an_event_of_nonsense_is_refused(host, attempt, wrong):
    body = {"events": [events(1)[0] | wrong]}

    assert host.call("POST", f"/attempts/{attempt.pk}/events", body).status_code == 422


# Telemetry


def test_samples_follow_one_another(host, attempt):
    path = f"/attempts/{attempt.pk}/telemetry"

    answers = [host.call("POST", path, samples(first, 3)) for first in (1, 4)]

    assert [answer.json() for answer in answers] == [{"next_seq": 4}, {"next_seq": 7}]


def test_what_the_driver_cannot_say_stays_unknown(attempt):
    body = samples(1, 2, temp_c=[None, 61])
    intake_telemetry.store(attempt=attempt, first_seq=1, t=body["t"], gpus=body["gpu"])

    [gpu] = TelemetryBatch.objects.get().columns["gpu"]
    assert gpu == {"uuid": GPU, "power_w": [401.0, 402.0], "util": [None, None], "temp_c": [None, 61]}


def test_samples_after_a_gap_are_asked_for_again(host, attempt):
    answer = host.call("POST", f"/attempts/{attempt.pk}/telemetry", samples(10, 3))

    assert (answer.json(), TelemetryBatch.objects.count()) == ({"next_seq": 1}, 0)


@pytest.mark.parametrize("count", [1, 3], ids=["fewer", "more"])
def test_a_column_has_as_many_values_as_there_are_times(host, attempt, count):
    body = samples(1, 2, temp_c=[60] * count)

    answer = host.call("POST", f"/attempts/{attempt.pk}/telemetry", body)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["temp_c"])


def test_a_batch_has_at_most_six_hundred_samples(host, attempt):
    assert host.call("POST", f"/attempts/{attempt.pk}/telemetry", samples(1, 601)).status_code == 422


def test_ten_minutes_of_sixteen_gpus_are_one_batch(host, attempt):
    body = samples(1, 600)
    columns = dict.fromkeys(("energy_mj", "mem_mib", "temp_c", "clock_mhz", "reasons"), [1] * 600)
    body["gpu"] = [body["gpu"][0] | columns | {"uuid": f"GPU-{number}"} for number in range(16)]

    assert host.call("POST", f"/attempts/{attempt.pk}/telemetry", body).json() == {"next_seq": 601}


@EXAMPLES
@given(data=st.data())
def test_any_stretches_leave_no_hole_and_no_overlap(data):
    count = data.draw(st.integers(1, 20))
    span = st.tuples(st.integers(1, count), st.integers(1, 8))
    attempt, following = AttemptFactory(), 1
    for first, length in data.draw(st.lists(span, max_size=10)):
        body = samples(first, min(length, count + 1 - first))
        following = intake_telemetry.store(attempt=attempt, first_seq=first, t=body["t"], gpus=body["gpu"])
    body = samples(following, count + 1 - following)
    intake_telemetry.store(attempt=attempt, first_seq=following, t=body["t"], gpus=body["gpu"])

    batches = TelemetryBatch.objects.filter(attempt=attempt)
    assert [t for batch in batches for t in batch.columns["t"]] == [float(n) for n in range(1, count + 1)]
    assert [batch.first_seq for batch in batches] == [int(batch.columns["t"][0]) for batch in batches]
