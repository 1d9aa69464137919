"""The command `lem-agent`: connecting a host, its policy, what the doctor finds."""

import stat

import pytest

from gpuagent.__main__ import main
from gpuagent.host.enrolment import CannotEnrol, _checked
from gpuagent.host.folders import Home
from gpuagent.host.policy import BadPolicy, Policy, read_policy

DIGEST = f"name@sha256:{'0' * 64}"


def test_a_code_becomes_a_token_that_only_the_agent_can_read(protocol_site, tmp_path, capsys):
    assert main(["--home", str(tmp_path / "h"), "enroll", protocol_site.url, "gpe_code", "--simulate"]) == 0

    home = Home(tmp_path / "h")
    assert (home.token, home.site()["url"]) == (protocol_site.tokens[0], protocol_site.url)
    assert stat.S_IMODE((home.path / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert home.token not in capsys.readouterr().out


def test_a_code_that_is_wrong_connects_nothing(protocol_site, tmp_path, capsys):
    assert main(["--home", str(tmp_path), "enroll", protocol_site.url, "gpe_wrong"]) == 1

    assert not (tmp_path / "token").exists()
    assert "bad_code" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://example.org", "ftp://example.org", "example.org", "https://u:p@example.org"])
def test_a_token_travels_only_where_it_is_safe(url):
    with pytest.raises(CannotEnrol):
        _checked(url, allow_http=False)


@pytest.mark.parametrize(
    "url", ["https://example.org/", "http://127.0.0.1:8000", "http://localhost", "http://[::1]:80"]
)
def test_a_site_by_https_or_on_this_machine_is_taken(url):
    assert _checked(url, allow_http=False) == url.rstrip("/")


def test_an_agent_without_a_token_says_what_to_do(tmp_path, capsys):
    assert main(["--home", str(tmp_path), "run"]) == 1

    assert "lem-agent enroll URL CODE" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["allow_everything = true", "allow_process = 3 = 4", "min_free_mib = -1", '[images]\nvllm = "name:latest"'],
    ids=["unknown", "syntax", "range", "tag"],
)
def test_a_policy_that_is_not_understood_stops_the_agent(tmp_path, text):
    (tmp_path / "policy.toml").write_text(text)

    with pytest.raises(BadPolicy):
        read_policy(tmp_path)


def test_without_a_policy_the_strictest_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("LEM_AGENT_POLICY", str(tmp_path / "none.toml"))

    policy = read_policy(tmp_path)

    assert (policy.allow_process, dict(policy.images), policy.race.base_url) == (False, {}, "")


def test_the_doctor_says_that_no_gpu_answers(protocol_site, home, capsys, monkeypatch):
    monkeypatch.setattr("gpuagent.host.probing.look_at_gpus", lambda **_: [])

    assert main(["--home", str(home.path), "doctor"]) == 1

    assert "No NVIDIA GPU answers" in capsys.readouterr().out


def test_the_doctor_finds_nothing_wrong_with_a_simulated_host(protocol_site, home, capsys):
    (home.path / "policy.toml").write_text("min_free_mib = 1")

    assert main(["--home", str(home.path), "doctor", "--simulate"]) == 0

    assert f"{protocol_site.url} answers" in capsys.readouterr().out


def test_the_doctor_sees_how_jobs_can_run(protocol_site, home, capsys, monkeypatch):
    gpu = {"uuid": "GPU-1", "name": "NVIDIA H100", "memory_mib": 81559, "now": {}}
    monkeypatch.setattr("gpuagent.host.probing.look_at_gpus", lambda **_: [gpu])
    (home.path / "policy.toml").write_text("allow_process = true\nmin_free_mib = 1")

    assert main(["--home", str(home.path), "doctor"]) == 0

    assert "llem as a process of this host" in capsys.readouterr().out


def test_a_policy_names_images_by_digest():
    assert Policy(images={"vllm": DIGEST}).images["vllm"] == DIGEST
