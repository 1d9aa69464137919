"""Two web processes behind a proxy, on PostgreSQL and Redis: one site, also while one of them is exchanged."""

import http.client
import json
import os
import shutil
import uuid
from contextlib import closing
from typing import Any

import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Origin

from benchmarks.load.agents import GPUS, ask, open_session
from benchmarks.load.customers import CONFIG
from benchmarks.rolling_restart import RUN, Watch, restart, restartable
from tests.runs.messages import progress

MEASURED: dict[str, Any] = {
    "model": "meta-llama/Llama-3.1-8B-Instruct",
    "hardware": "h100-sxm",
    "backend": "vllm",
    "gpu_count": 1,
    "precision": "bf16",
    "batch_size": 8,
    "energy_scope": "gpu",
    "output_tokens": 64_000,
    "duration_s": 64.0,
    "total_energy_j": 20_000.0,
}
ROWS = """
from accounts.models import Scope, User
from accounts.services.tokens import create_token
from jobs.services.agents import issue_code
from leaderboard.services.catalogue import load_catalogue
load_catalogue()
user = User.objects.create_user("ada")
token = create_token(user=user, name="test", scopes=[Scope.JOBS, Scope.SUBMIT, Scope.READ])[1]
open("rows", "w").write(token + " " + issue_code(by=None, name="host")[1])
"""


@pytest.fixture(scope="module")
def proxy():
    for name in ("caddy", "nginx"):
        if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin"):
            return name
    pytest.skip("Neither caddy nor nginx is installed.")


@pytest.fixture(scope="module")
def services():
    if not os.environ.get("DATABASE_URL", "").startswith("postgres") or not os.environ.get("REDIS_URL"):
        pytest.skip("Needs PostgreSQL and Redis: DATABASE_URL and REDIS_URL name them.")


@pytest.mark.long
def test_two_processes_behind_a_proxy_are_one_site_also_while_one_is_exchanged(services, proxy):
    with restartable(drain_s=2, proxy=proxy) as (deployment, port):
        _sockets_get_what_either_process_takes_in(deployment, port)
        _an_upload_and_a_job_go_through_the_proxy(deployment, port)
        _nobody_notices_a_restart(deployment, port)


def _sockets_get_what_either_process_takes_in(deployment, port):
    url, origin = f"ws://127.0.0.1:{port}/ws/runs/{RUN}/", Origin(f"http://127.0.0.1:{port}")
    with connect(url, origin=origin) as first, connect(url, origin=origin) as second:
        for number, site in enumerate(deployment.webs):
            site.post(progress(runId=RUN, eventId=f"event-{-number:09d}", evalProgressIdx=number))

        assert [_events(socket, 2) for socket in (first, second)] == [[0, 1], [0, 1]]


def _events(socket, count):
    found: list[int] = []
    while len(found) < count:
        frame = json.loads(socket.recv(30))
        found += [event["evalProgressIdx"] for event in frame.get("events", [])]
    return found


def _an_upload_and_a_job_go_through_the_proxy(deployment, port):
    deployment.manage("shell", "--no-imports", "--command", ROWS.replace("rows", str(deployment.home / "rows")))
    token, code = (deployment.home / "rows").read_text().split()
    site, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}

    upload = requests.post(f"{site}/api/benchmarks", json=MEASURED, headers=headers, timeout=30)
    order: dict[str, Any] = {"kind": "llem", "config": CONFIG, "simulate": True}
    job = requests.post(f"{site}/api/jobs", json=order, headers=headers, timeout=30)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as host:
        claim = ask(host, "claim", {"claim_id": uuid.uuid4().hex, "gpus": GPUS}, open_session(host, code))[1]

    assert upload.status_code == 201, upload.text
    assert job.status_code == 201, job.text
    assert claim["job"] == job.json()["id"]


def _nobody_notices_a_restart(deployment, port):
    watch = Watch(port, deployment.token)
    watch.begin()
    stops = restart(deployment, 1)
    watch.end()

    assert [code for _, code in stops] == [0]
    assert watch.failed == {}
    assert watch.acknowledged
    for viewer in watch.viewers:
        assert (viewer.missed(watch.acknowledged), viewer.repeated) == (0, 0), viewer.ends
    # One of the two was on the process that stopped, unless the proxy had both on the other.
    assert {end for viewer in watch.viewers for end in viewer.ends} <= {"1012", "ended"}
