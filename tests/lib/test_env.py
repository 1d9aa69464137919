import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lemsite.lib import env
from lemsite.lib.env import BadSetting


@pytest.fixture
def variable(monkeypatch):
    """Sets the variable X."""
    monkeypatch.delenv("X", raising=False)
    return lambda value: monkeypatch.setenv("X", value)


def test_text_takes_an_empty_variable_for_one_that_is_not_set(variable):
    variable("  ")

    assert env.text("X", "default") == "default"


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("no", False)])
def test_flag_reads_the_usual_words(variable, value, meant):
    variable(value)

    assert env.flag("X", default=not meant) is meant


def test_flag_refuses_another_word(variable):
    variable("maybe")

    with pytest.raises(BadSetting, match=r"^X is 'maybe'; use 1 or 0\.$"):
        env.flag("X", default=False)


def test_flag_has_a_default(variable):
    assert env.flag("X", default=True) is True


@pytest.mark.parametrize("value", ["0", "11", "-1", "1.5", "ten", "٣", "9" * 5000])
def test_integer_refuses_what_is_not_a_whole_number_in_range(variable, value):
    variable(value)

    with pytest.raises(BadSetting, match="use a whole number from 1 to 10"):
        env.integer("X", 5, low=1, high=10)


def test_integer_reads_a_number(variable):
    variable("7")

    assert env.integer("X", 5, low=1, high=10) == 7


def test_choice_names_what_is_allowed(variable):
    variable("red")

    with pytest.raises(BadSetting, match="X is 'red'; use one of blue, green"):
        env.choice("X", "blue", ("blue", "green"))


def test_names_splits_at_commas_and_drops_empty_parts(variable):
    variable(" a, b,,c ")

    assert env.names("X") == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["bench.example.org", "https://bench.example.org/", "ftp://a.b", "https://"])
def test_origins_refuse_what_is_not_scheme_and_host(variable, value):
    variable(value)

    with pytest.raises(BadSetting, match="use scheme and host without a path"):
        env.origins("X")


def test_url_does_not_repeat_a_password(variable):
    variable("mysql://user:hunter2@host/name")

    with pytest.raises(BadSetting) as refusal:
        env.url("X", "", schemes=("postgresql",), example="postgresql://user:password@host/name")

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("value", ["redis://host:99999", "redis://[::1", "redis://host:0"])
def test_url_refuses_a_malformed_one(variable, value):
    variable(value)

    with pytest.raises(BadSetting):
        env.url("X", "", schemes=("redis",), example="redis://127.0.0.1:6379")


def test_url_that_is_required_says_so(variable):
    with pytest.raises(BadSetting, match="X is not set"):
        env.url("X", "", schemes=("redis",), example="redis://127.0.0.1:6379")


def test_folder_is_made_below_its_base(variable, tmp_path):
    variable("a/b")

    assert env.folder("X", "var", base=tmp_path) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_folder_that_cannot_be_made_is_refused(variable, tmp_path):
    (tmp_path / "file").write_text("")
    variable("file/below")

    with pytest.raises(BadSetting, match="cannot be made"):
        env.folder("X", "var", base=tmp_path)


def test_secret_from_file_is_made_once_and_private(tmp_path):
    path = tmp_path / "home" / "secret-key"

    first = env.secret_from_file(path)

    assert env.secret_from_file(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= env.MIN_SECRET_KEY_LENGTH


def test_secret_from_file_is_the_same_for_processes_that_start_together(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: env.secret_from_file(tmp_path / "secret-key"), range(16)))

    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_read_file_yields_to_the_environment(variable, monkeypatch, tmp_path):
    variable("from the environment")
    monkeypatch.delenv("Y", raising=False)
    monkeypatch.setenv("Z", "")
    monkeypatch.delenv("Z")
    (tmp_path / ".env").write_text("# a comment\n\nX=from the file\nY = 'quoted # text' \nZ=plain # and a comment\n")

    env.read_file(tmp_path / ".env")

    assert [env.text(name) for name in "XYZ"] == ["from the environment", "quoted # text", "plain"]
    monkeypatch.delenv("Y")
    monkeypatch.delenv("Z")


def test_read_file_names_a_line_that_is_no_setting(tmp_path):
    (tmp_path / ".env").write_text("A=1\nnonsense\n")

    with pytest.raises(BadSetting, match=r"line 2 of \.env"):
        env.read_file(tmp_path / ".env")


def test_read_file_does_without_a_file(tmp_path):
    env.read_file(tmp_path / "nowhere")


GOOD: dict[str, Any] = {
    "debug": False,
    "secret_key": "k3" * 20 + "abcdefghijkl",
    "allowed_hosts": ["bench.example.org"],
    "site_url": "https://bench.example.org",
}


def test_production_accepts_safe_values():
    env.require_production_values(**GOOD)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"debug": True}, "DEBUG"),
        ({"secret_key": ""}, "SECRET_KEY"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"secret_key": "a" * 80}, "SECRET_KEY"),
        ({"allowed_hosts": []}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": ["a.example.org", "*"]}, "ALLOWED_HOSTS"),
        ({"site_url": "http://bench.example.org"}, "SITE_URL"),
    ],
)
def test_production_refuses_each_unsafe_value_by_name(change, name):
    with pytest.raises(BadSetting, match=f"^{name} "):
        env.require_production_values(**GOOD | change)


def test_hosts_with_ports_are_read_in_lower_case(variable):
    variable("Hooks.internal:8080, [::1]:9000")

    assert env.hosts_with_ports("X") == ["hooks.internal:8080", "[::1]:9000"]


@pytest.mark.parametrize("value", ["hooks.internal", ":80", "http://hooks.internal:80/", "hooks.internal:http"])
def test_hosts_with_ports_refuse_what_has_no_host_and_port(variable, value):
    variable(value)

    with pytest.raises(BadSetting, match=r"use host:port, as in hooks\.internal:8080"):
        env.hosts_with_ports("X")


@pytest.mark.parametrize("value", ["", "lemsite/results", "a-b.c/D_e.f-1"])
def test_a_repository_is_an_owner_and_a_name_or_nothing(monkeypatch, value):
    monkeypatch.setenv("REPOSITORY", value)

    assert env.repository("REPOSITORY") == value


@pytest.mark.parametrize("value", ["results", "a/b/c", "https://example.org/a", "../b", "a b/c", "a/"])
def test_another_repository_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("REPOSITORY", value)

    with pytest.raises(BadSetting, match="REPOSITORY is"):
        env.repository("REPOSITORY")
