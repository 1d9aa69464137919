"""An upload or an order whose answer was lost is sent again, and done once."""

import asyncio

import httpx2
import pytest

from accounts.models import IdempotencyKey
from accounts.services.idempotency import LEASE
from gpuagent.client import AsyncClient, Client, Conflict, ReplyLost, ServerError, SiteAway
from jobs.models import Job
from leaderboard.models import Submission
from tests import factories
from tests.jobs.factories import CONFIG

from .answers import Answers, error, sync_client
from .sites import URL, InProcess, token

ORDERED = {
    "id": 3, "state": "queued", "position": 1, "url": "u",
    "estimate": {"minutes": None, "energy_kwh": None, "usd": None, "co2_g": None, "basis": "b"},
}  # fmt: skip


class Lossy(InProcess):
    """The real site, behind a line that breaks before the first answer has come through."""

    def __init__(self):
        super().__init__()
        self.keys = []

    def _answer(self, request, content):
        answer = super()._answer(request, content)
        self.keys.append(request.headers.get("Idempotency-Key"))
        if len(self.keys) == 1:
            raise httpx2.RemoteProtocolError("cut")
        return answer


@pytest.fixture
def line():
    return Lossy()


@pytest.mark.django_db
def test_an_order_whose_answer_was_lost_is_one_job(owner, small_catalogue, line, slept):
    ordered = Client(URL, token(owner), transport=line).jobs.order(CONFIG)

    assert Job.objects.get().pk == ordered.id
    assert len(line.keys) == 2
    assert len(set(line.keys)) == 1


@pytest.mark.django_db
def test_an_upload_whose_answer_was_lost_is_one_draft(owner, small_catalogue, stored_files, tmp_path, line, slept):
    (tmp_path / "study").mkdir()
    (tmp_path / "study/result.json").write_bytes(factories.normal_file().content)

    done = Client(URL, token(owner), transport=line).benchmarks.upload(tmp_path / "study", visibility="draft")

    assert str(Submission.objects.get().pk) == str(done.submission.id)


@pytest.mark.django_db
def test_asyncio_programs_order_once_too(owner, small_catalogue, line, slept):
    secret = token(owner)

    async def order():
        async with AsyncClient(URL, secret, transport=line) as client:
            return await client.jobs.order(CONFIG)

    assert asyncio.run(order()).id == Job.objects.get().pk


@pytest.mark.django_db
def test_each_call_is_a_request_of_its_own(owner, small_catalogue, slept):
    client = Client(URL, token(owner), transport=InProcess())

    assert client.jobs.order(CONFIG).id != client.jobs.order(CONFIG).id
    assert IdempotencyKey.objects.count() == 2


def test_a_site_whose_process_died_is_waited_for(slept):
    busy = error(409, headers={"Retry-After": "20"})

    sync_client(Answers(httpx2.ReadError("cut"), busy, busy, busy, ORDERED)).jobs.order({})

    assert sum(slept) > LEASE.total_seconds()


def test_a_conflict_that_no_waiting_ends_is_told_at_once(slept):
    answers = Answers(error(409))

    with pytest.raises(Conflict):
        sync_client(answers).benchmarks.submit(b"{}")

    assert len(answers.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.ReadTimeout("slow"), ReplyLost),
        (httpx2.ConnectError("refused"), SiteAway),
        (error(500), ServerError),
    ],
    ids=["lost", "away", "fault"],
)
def test_it_gives_up_in_the_end_and_says_whether_it_may_have_happened(answer, kind, slept):
    answers = Answers(answer)

    with pytest.raises(kind) as raised:
        sync_client(answers).jobs.order({})

    assert type(raised.value) is kind
    assert len(answers.asked) == 5
