"""What goes wrong between a host and its site, and what the agent makes of it."""

import hashlib
import json
import math
import time
from types import SimpleNamespace

import pytest

from gpuagent.host import clock
from gpuagent.host.policy import Policy

from .host import QUICK, finished, folder_of, process, soon, starts
from .waiting import wait_for


def hold(monkeypatch, seconds="20"):
    monkeypatch.setenv("LEM_SIMULATED_WINDOW_S", seconds)


def test_a_cancelled_job_stops_within_seconds(protocol_site, home, start, monkeypatch):
    hold(monkeypatch)
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    attempt.directive = "cancel"
    asked = time.monotonic()

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("cancelled", "cancelled")
    assert attempt.finish["exit_code"] == 130
    assert time.monotonic() - asked < 15
    assert b"The job was cancelled." in attempt.log


def test_a_program_that_does_not_listen_is_killed(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", "hang")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: b"hangs" in attempt.log)

    attempt.directive = "cancel"

    report = finished(attempt)
    assert (report["outcome"], report["signal"]) == ("cancelled", 9)


def test_the_site_can_have_a_program_killed_at_once(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", "hang")
    attempt = protocol_site.order()
    start(QUICK.model_copy(update={"interrupt_s": 60}))
    wait_for(lambda: b"hangs" in attempt.log)

    attempt.directive = "kill"

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("timed_out", "killed")


def test_an_attempt_that_another_host_has_now_is_given_up(protocol_site, home, start, monkeypatch):
    hold(monkeypatch)
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    attempt.directive = "abandon"

    assert finished(attempt)["outcome"] == "abandoned"


@pytest.mark.parametrize(
    ("limits", "fault", "code"),
    [({"wall_s": 1}, "hang", "wall_limit"), ({"silence_s": 1}, "hang", "silence")],
    ids=["wall", "silence"],
)
def test_a_limit_ends_a_job_with_its_name(protocol_site, home, start, monkeypatch, limits, fault, code):
    monkeypatch.setenv("LEM_SIMULATED_FAULT", fault)
    attempt = protocol_site.order(limits=limits)

    start()

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("timed_out", code)


@pytest.mark.parametrize(
    "call",
    [
"POST /claim", "/accept", "PATCH /attempts", "/events", "PATCH /artifacts", "/finish"    ],
)  # fmt: skip
def test_an_answer_that_is_lost_changes_nothing(protocol_site, home, start, call):
    protocol_site.lose[call] = 1
    attempt = protocol_site.order()

    start()

    report = finished(attempt)
    assert report["outcome"] == "succeeded"
    assert hashlib.sha256(attempt.log).hexdigest() == report["log"]["sha256"]
    assert starts(home) == [attempt.id]
    assert protocol_site.lose[call] == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_site_that_is_busy_is_asked_again(protocol_site, home, start, status):
    protocol_site.refuse = {"/accept": [(status, "busy")], "/finish": [(status, "busy")]}
    attempt = protocol_site.order()

    start()

    assert finished(attempt)["outcome"] == "succeeded"


def test_an_offer_that_is_gone_starts_nothing(protocol_site, home, start):
    attempt = protocol_site.order()
    protocol_site.refuse["/accept"] = [(410, "offer_gone")]

    start()
    wait_for(lambda: protocol_site.calls["POST /attempts/ID/accept"])

    assert soon(lambda: not folder_of(home, attempt).exists(), 10)
    assert starts(home) == []


def test_a_session_that_was_replaced_is_begun_again(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "2")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    protocol_site.sessions.append({"session": "of somebody else"})

    assert finished(attempt)["outcome"] == "succeeded"
    assert protocol_site.calls["POST /session"] == 2


def test_a_token_that_is_revoked_costs_no_result(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "1")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    protocol_site.tokens = ["gpa_a-new-one-that-the-operator-puts-there"]
    wait_for((folder_of(home, attempt) / "finish.json").exists)
    home.replace_token(protocol_site.tokens[0])

    assert finished(attempt)["outcome"] == "succeeded"


def test_a_token_is_rotated_when_the_site_asks_for_it(protocol_site, home, start):
    before = home.token
    protocol_site.rotate = True

    start()

    wait_for(lambda: home.token != before)
    assert home.token == protocol_site.tokens[-1]
    assert {before, home.token} <= set(home.secrets())


def test_a_secret_never_leaves_in_a_log(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "1")
    attempt = protocol_site.order()
    start()
    wait_for((folder_of(home, attempt) / "raw.log").exists)

    with (folder_of(home, attempt) / "raw.log").open("a") as log:
        log.write(f"token={home.token} end\n")

    finished(attempt)
    assert b"token=*** end" in attempt.log
    assert home.token.encode() not in attempt.log


def test_a_site_that_lost_what_it_had_gets_it_again(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "2")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log and attempt.events)

    attempt.log, attempt.events, attempt.samples = b"", {}, {}

    report = finished(attempt)
    assert hashlib.sha256(attempt.log).hexdigest() == report["log"]["sha256"]
    assert len(attempt.events) == report["events"]["last_seq"]


@pytest.mark.parametrize("call", ["/artifacts", "PATCH /artifacts"], ids=["small", "in pieces"])
def test_a_file_that_is_damaged_on_its_way_is_sent_again(protocol_site, home, start, call):
    attempt = protocol_site.order()
    protocol_site.refuse[call] = [(422, "digest_mismatch")]

    start()

    assert finished(attempt)["outcome"] == "succeeded"


def test_a_file_that_is_damaged_on_the_host_makes_it_the_hosts_fault(protocol_site, home, start):
    attempt = protocol_site.order()
    protocol_site.refuse["/artifacts"] = [(503, "busy")] * 3
    start()
    wait_for((folder_of(home, attempt) / "finish.json").exists)

    result = next(folder_of(home, attempt).glob("out/**/result.json"))
    result.write_bytes(result.read_bytes().replace(b"1", b"2"))

    assert (finished(attempt)["outcome"], attempt.finish["code"]) == ("infra_failed", "corrupt")


def test_what_the_site_does_not_know_is_kept_for_the_operator(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "1")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    del protocol_site.attempts[attempt.id]

    kept = home.path / "orphaned" / attempt.id
    wait_for((kept / "orphaned.json").exists)
    assert (kept / "finish.json").exists()


def test_a_report_is_not_sent_twice_as_two(protocol_site, home, start):
    protocol_site.lose["/finish"] = 3
    attempt = protocol_site.order()

    start()
    wait_for((folder_of(home, attempt) / "verdict.json").exists)

    assert protocol_site.calls["POST /attempts/ID/finish"] == 4
    assert attempt.finish_body == (folder_of(home, attempt) / "finish.json").read_bytes()


def test_an_agent_that_is_too_old_claims_nothing_more(protocol_site, home, start):
    protocol_site.refuse["POST /claim"] = [(426, "protocol")]
    attempt = protocol_site.order()

    start()
    wait_for(lambda: len(protocol_site.heartbeats) > 3)

    assert attempt.state == "queued"


def test_a_full_disk_takes_no_job(protocol_site, home, start):
    attempt = protocol_site.order()
    home.free_mib = lambda: 100

    start(QUICK.model_copy(update={"min_free_mib": 512}))
    wait_for(lambda: len(protocol_site.heartbeats) > 2)

    assert attempt.state == "queued"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"executor": "process"}, "Simulated hosts run simulated jobs"),
        ({"config_sha256": "0" * 64}, "not the one that its hash is of"),
        ({"config": "task: {model: ../../etc}\n"}, "does not allow"),
        ({"gpus": ["GPU-of-another-host"]}, "not free"),
        ({"limits": {"wall_s": 9000}}, "this host allows"),
    ],
    ids=["executor", "hash", "config", "gpu", "wall"],
)
def test_what_this_host_will_not_run_is_declined_with_the_reason(protocol_site, home, start, more, words):
    if "config" in more:
        more = {**more, "config_sha256": hashlib.sha256(more["config"].encode()).hexdigest()}
    attempt = protocol_site.order(**more)

    start(Policy(min_free_mib=0, max_wall_s=3600))

    wait_for(lambda: attempt.declined)
    assert words in attempt.declined["detail"]
    assert starts(home) == []


def test_an_offer_that_makes_no_sense_harms_nothing(protocol_site, home, start):
    attempt = protocol_site.order()
    attempt.offer["attempt"] = "../../../etc/passwd"

    start()
    wait_for(lambda: protocol_site.calls["POST /claim"] > 1)

    assert list((home.path / "attempts").iterdir()) == []


@pytest.fixture
def lane(home):
    from gpuagent.host.folders import AttemptFolder

    folder = home.path / "attempts" / "x"
    folder.mkdir()
    return SimpleNamespace(folder=AttemptFolder(folder), go_error_s=math.inf)


def test_of_several_answers_the_quickest_says_when_a_race_starts(start, lane):
    agent, now = start(), clock.boot_s()

    for at_s, error_s in ((now + 60.9, 0.9), (now + 60.1, 0.1), (now + 60.5, 0.5)):
        agent._go(lane, at_s, error_s)

    assert float(lane.folder["go"].read_text()) == pytest.approx(now + 60.1, abs=1e-3)


def test_a_race_that_has_started_stays_started(start, lane):
    agent, now = start(), clock.boot_s()

    agent._go(lane, now - 1, 0.5)
    agent._go(lane, now + 60, 0.1)

    assert float(lane.folder["go"].read_text()) == pytest.approx(now - 1, abs=1e-3)


def test_a_site_that_was_away_finds_the_job_done(protocol_site, home, start, monkeypatch):
    hold(monkeypatch, "1")
    attempt = protocol_site.order()
    start()
    wait_for(lambda: attempt.log)

    protocol_site.stop()
    wait_for((folder_of(home, attempt) / "finish.json").exists)
    protocol_site.start()

    assert finished(attempt)["outcome"] == "succeeded"


def test_the_token_is_not_in_the_jobs_environment(protocol_site, home, start, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_OPERATOR", "hf_CANARY")
    attempt = protocol_site.order()

    start()
    finished(attempt)

    launch = json.loads((folder_of(home, attempt) / "launch.json").read_bytes())
    assert "hf_CANARY" not in json.dumps(launch)
    assert home.token not in json.dumps(launch)
    assert launch["env"]["CUDA_VISIBLE_DEVICES"] == attempt.offer["gpus"][0]


def test_a_crashed_start_of_the_program_is_told(home, protocol_site):
    agent = process(home, "--gpus", "0")

    assert agent.wait(20) == 2
    assert "--gpus" in agent.communicate()[1]


def test_an_attempt_that_cannot_be_read_stops_nothing_else(protocol_site, home, start):
    broken = home.path / "attempts" / "broken"
    broken.mkdir(parents=True)
    (broken / "offer.json").write_text("{}")
    (broken / "accepted.json").write_text("{}")
    attempt = protocol_site.order()

    start()

    assert finished(attempt)["outcome"] == "succeeded"
    assert (home.path / "orphaned" / "broken").exists()
