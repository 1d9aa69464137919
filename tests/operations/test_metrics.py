"""What Prometheus reads: who may, what is counted, and that its size has a bound."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.urls import get_resolver
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

from lemsite.health import Asked, may_read_metrics
from lemsite.lib import metrics
from lemsite.models import Backup
from lemsite.observing import probes
from lemsite.observing.asgi import Observed, record
from lemsite.observing.counted import counted as counted_in
from lemsite.observing.counted import living
from lemsite.observing.database_figures import database_figures
from lemsite.observing.noted import Noted
from lemsite.observing.probes import Probe
from lemsite.observing.shared_counters import FOLDER, HANDED_DOWN, shared_counters
from tests.operations.asking import ask, counted

TOKEN = "a-token-for-prometheus-alone"
EVENT = {
    "gpuId": "a", "model": "m", "useCase": "u", "ts": "2026-11-21T20:00:00Z", "tokenPerSec": 1, "latencyMs": 1,
    "vramUsedMB": 1, "evalProgressIdx": 0, "evalTotal": 1,
}  # fmt: skip
MINE = ("127.0.0.1", 5000)


def broken():
    raise DatabaseError("gone")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer \xff"},
    ],
    ids=["none", "wrong", "basic", "longer", "empty", "latin"],
)
@pytest.mark.parametrize("token", ["", TOKEN], ids=["closed", "token"])
async def test_strangers_find_nothing(settings, headers, token):
    settings.METRICS_TOKEN = token

    answer = await ask("/metrics", headers=headers)

    assert answer.status == 404
    assert b"lemsite_" not in answer.body


@pytest.mark.django_db(transaction=True)
async def test_the_token_opens_it(settings):
    settings.METRICS_TOKEN = TOKEN

    answer = await ask("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.status == 200
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"lemsite_http_requests", "lemsite_tasks", "lemsite_gpu_jobs", "lemsite_web_processes"} <= families
    assert "lemsite_database_up 1.0" in answer.text


@pytest.mark.parametrize(
    ("address", "allowed", "may"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "::1/128", False),
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("", "0.0.0.0/0", False),
        ("testclient", "0.0.0.0/0", False),
    ],
)
def test_a_network_may_be_let_in(settings, address, allowed, may):
    settings.METRICS_ALLOW = [ip_network(allowed)]

    assert may_read_metrics(Asked("/metrics", "", {}, address)) is may


def test_what_comes_through_a_proxy_has_no_address_of_its_own(settings):
    settings.METRICS_ALLOW = [ip_network("127.0.0.1/32")]
    through = Asked("/metrics", "", {"x-forwarded-for": "127.0.0.1"}, "127.0.0.1")

    assert not may_read_metrics(through)
    settings.TRUSTED_PROXY = ["127.0.0.1"]
    assert may_read_metrics(through)


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [None, 3])
def test_the_age_of_the_last_backup_is_told_where_there_is_one(hours):
    now = timezone.now()
    if hours is not None:
        made_at = now - timedelta(hours=hours)
        Backup.objects.create(made_at=made_at, folder="/srv/backups/x", size_bytes=1, was_read_back=False)

    (family,) = [one for one in database_figures() if one.name == "lemsite_backup_age_seconds"]

    assert [round(sample.value / 3600) for sample in family.samples] == ([] if hours is None else [hours])


async def test_without_a_database_the_rest_is_told(settings, monkeypatch):
    settings.METRICS_ALLOW = [ip_network("127.0.0.1/32")]
    monkeypatch.setattr(probes, "figures", Probe("The database", broken))

    answer = await ask("/metrics", client=MINE)

    assert answer.status == 200
    assert "lemsite_database_up 0.0" in answer.text
    assert "lemsite_tasks" not in answer.text


async def test_requests_are_counted_by_the_name_of_their_route():
    labels = {"route": "robots", "method": "GET", "status": "200"}
    before = counted("lemsite_http_requests_total", **labels)
    timed = counted("lemsite_http_request_duration_seconds_count", route="robots")

    await ask("/robots.txt?secret=canary")

    assert counted("lemsite_http_requests_total", **labels) == before + 1
    assert counted("lemsite_http_request_duration_seconds_count", route="robots") == timed + 1


async def test_the_number_of_series_does_not_grow_with_what_visitors_ask():
    for number in range(40):
        await ask(f"/nowhere-{number}/?q={number}", method="GET" if number % 2 else f"METHOD{number}")
    labels = {label for family in REGISTRY.collect() for sample in family.samples for label in sample.labels.values()}

    assert not [label for label in labels if "nowhere" in label or "METHOD" in label]
    assert counted("lemsite_http_requests_total", route="unmatched", method="other", status="404") >= 20


async def test_every_route_that_is_counted_is_one_of_the_site():
    names = {"admin", "static", "unmatched", "api:ingest", "api:run-stream", "ws:run", "watched"}
    routes = {sample.labels["route"] for family in metrics.REQUESTS.collect() for sample in family.samples}

    assert {route for route in routes - names if not _is_named(route)} == set()


def _is_named(route):
    *spaces, name = route.split(":")
    resolver = get_resolver()
    for space in spaces:
        resolver = resolver.namespace_dict[space][1]
    return any(name == key for key in resolver.reverse_dict if isinstance(key, str)) or "." in route or len(spaces) > 1


@pytest.mark.parametrize(
    ("route", "status", "outcome", "reason"),
    [
        ("api:benchmark-list", 201, "accepted", ""),
        ("api:benchmark-list", 200, "previewed", ""),
        ("api:benchmark-list", 400, "refused", "not_readable"),
        ("api:benchmark-list", 413, "refused", "too_large"),
        ("api:benchmark-list", 422, "refused", "not_right"),
        ("api:benchmark-list", 429, "refused", "over_quota"),
        ("api:benchmark-list", 418, "refused", "other"),
        ("api:benchmark-list", 503, "refused", "fault_of_ours"),
        ("leaderboard:submit", 302, "accepted", ""),
    ],
)
def test_uploads_are_counted_by_reason(route, status, outcome, reason):
    before = counted("lemsite_uploads_total", outcome=outcome, reason=reason)

    record("POST", Noted(route), status, 0.01)

    assert counted("lemsite_uploads_total", outcome=outcome, reason=reason) == before + 1


def test_the_routes_of_uploads_are_there():
    from django.urls import reverse

    from lemsite.observing.asgi import UPLOAD_ROUTES

    assert {reverse(route).rstrip("/"): route for route in UPLOAD_ROUTES.values()} == UPLOAD_ROUTES


async def test_an_upload_that_is_too_large_is_one_that_was_refused(settings):
    before = counted("lemsite_uploads_total", outcome="refused", reason="too_large")
    head = {"content-length": str(settings.LEMSITE_MAX_BODY_BYTES + 1), "expect": "100-continue"}

    answer = await ask("/api/benchmarks", method="POST", headers=head)

    assert answer.status == 413
    assert counted("lemsite_uploads_total", outcome="refused", reason="too_large") == before + 1


@pytest.mark.django_db(transaction=True)
async def test_live_messages_are_counted_by_what_became_of_them(settings):
    from runs import ingest

    settings.INGEST_TOKEN = "shared-secret-of-ingest"
    ingest._senders.clear()
    head = {"x-ingest-token": settings.INGEST_TOKEN, "content-type": "application/json"}
    event = EVENT | {"runId": "counted"}
    names = ("accepted", "malformed", "unknown_run")
    before = {name: counted("lemsite_ingest_messages_total", outcome=name) for name in names}
    commits = counted("lemsite_ingest_commit_seconds_count")
    refused = counted("lemsite_ingest_refused_total", reason="token")

    lone = await ask("/api/ingest", method="POST", headers=head, body=json.dumps(event).encode())
    await ask("/api/ingest", method="POST", headers=head, body=json.dumps([event, {"no": 1}]).encode())
    await ask("/api/ingest", method="POST", headers={"x-ingest-token": "wrong"}, body=b"{}")
    ingest.writer.stop()
    ingest._senders.clear()

    assert lone.status == 200, lone.text
    after = {name: counted("lemsite_ingest_messages_total", outcome=name) - before[name] for name in names}
    assert after == {"accepted": 2, "malformed": 1, "unknown_run": 0}
    assert counted("lemsite_ingest_commit_seconds_count") >= commits + 2
    assert counted("lemsite_ingest_refused_total", reason="token") == refused + 1


async def test_an_open_stream_is_a_viewer_until_it_ends():
    seen = []

    async def streams(scope, receive, send):
        scope["lemsite"].route = "api:run-stream"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        seen.append(counted("lemsite_stream_viewers", kind="sse"))
        await send({"type": "http.response.body", "body": b""})

    before = counted("lemsite_stream_viewers", kind="sse")
    await ask("/api/runs/1/stream", app=Observed(streams))

    assert seen == [before + 1]
    assert counted("lemsite_stream_viewers", kind="sse") == before


def test_the_lag_is_from_the_commit_to_the_viewers(monkeypatch):
    from runs import broadcast

    before = counted("lemsite_broadcast_lag_seconds_sum")
    channel = broadcast.Channel("lagging")
    monkeypatch.setattr("runs.broadcast.time.time", lambda: 1000.75)
    channel.wait_since(1000.0)
    channel.wait_since(1000.5)
    broadcast.Broadcaster()._push(channel, [(1, "{}")])

    assert counted("lemsite_broadcast_lag_seconds_sum") == pytest.approx(before + 0.75)
    assert channel.waits_since is None


WORKS = """
import os, signal, sys
from lemsite.lib import metrics
metrics.UPLOADS.labels("accepted", "").inc(int(sys.argv[1]))
metrics.STREAM_VIEWERS.labels("sse").inc(int(sys.argv[1]))
print("counted", flush=True)
signal.pause()
"""


def test_several_processes_count_together_and_the_dead_hold_nothing_open():
    with shared_counters():
        folder = os.environ[HANDED_DOWN]
        environment = {**os.environ, FOLDER: folder}
        children = [
            subprocess.Popen([sys.executable, "-c", WORKS, str(number)], stdout=subprocess.PIPE, env=environment)
            for number in (2, 3)
        ]
        try:
            for child in children:
                child.stdout.readline()
            path = Path(folder)
            assert (value(path, "lemsite_uploads_total"), value(path, "lemsite_stream_viewers")) == (5, 5)
            assert living(path) == sorted(child.pid for child in children)
            children[0].send_signal(signal.SIGKILL)
            children[0].wait()
            assert (value(path, "lemsite_uploads_total"), value(path, "lemsite_stream_viewers")) == (5, 3)
        finally:
            for child in children:
                child.kill()
                child.wait()
                child.stdout.close()

    assert not path.exists()
    assert HANDED_DOWN not in os.environ


def value(folder, name):
    samples = [sample for metric in counted_in(folder) for sample in metric.samples if sample.name == name]
    return sum(sample.value for sample in samples)


def test_static_files_are_one_route(rf, settings):
    from lemsite.observing.middleware import route_of

    assert route_of(_unresolved(rf, "/static/js/canary.js")) == "static"
    assert route_of(_unresolved(rf, "/elsewhere/canary")) == "unmatched"


def _unresolved(rf, path):
    request = rf.get(path)
    request.resolver_match = None
    return request


@pytest.mark.django_db
def test_who_is_signed_in_is_not_asked_for_the_log(rf, owner):
    from django.utils.functional import SimpleLazyObject

    from lemsite.observing.middleware import user_id_of

    asked = []
    request = rf.get("/")
    request.user = SimpleLazyObject(lambda: asked.append(1))
    assert (user_id_of(request), asked) == (None, [])
    request._cached_user = owner
    assert user_id_of(request) == owner.pk
    of_the_api = rf.get("/")
    of_the_api.user = owner
    assert user_id_of(of_the_api) == owner.pk


async def test_the_access_log_has_the_route_and_no_address(settings, caplog):
    settings.ACCESS_LOG = True
    caplog.set_level("INFO", "lemsite.access")

    await ask("/robots.txt?token=lem_canary", headers={"cookie": "sessionid=canary"})

    line = caplog.records[-1]
    assert (line.method, line.route, line.status, line.user_id) == ("GET", "robots", 200, None)
    assert line.duration_ms >= 0
    assert "canary" not in caplog.text


async def test_the_access_log_can_be_off(settings, caplog):
    settings.ACCESS_LOG = False
    caplog.set_level("INFO", "lemsite.access")

    await ask("/robots.txt")

    assert not caplog.records


async def test_a_fault_is_counted_as_500_and_a_client_that_left_as_499():
    async def fails(scope, receive, send):
        raise RuntimeError("broken")

    async def says_nothing(scope, receive, send):
        """As where a client leaves while it is sending."""

    labels = {"route": "unmatched", "method": "GET"}
    before = [counted("lemsite_http_requests_total", **labels, status=status) for status in ("500", "499")]
    with pytest.raises(RuntimeError):
        await ask("/", app=Observed(fails))
    with pytest.raises(IndexError):
        await ask("/", app=Observed(says_nothing))

    after = [counted("lemsite_http_requests_total", **labels, status=status) for status in ("500", "499")]
    assert after == [before[0] + 1, before[1] + 1]
