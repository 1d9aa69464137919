"""The command `lem`, as a person meets it."""

import io
import json
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gpuagent.client.command import main
from gpuagent.client.command.lanes import Board, event_line
from gpuagent.client.command.terminal import painted, plain, plain_log
from gpuagent.client.command.watch import Screen, _redraw
from gpuagent.client.errors import SiteAway
from gpuagent.client.live_shapes import LiveEvent, LiveRun
from gpuagent.client.steps import Emit
from gpuagent.client.transport import SyncTransport
from tests import factories
from tests.client.generate import REPOSITORY
from tests.client.sites import URL, InProcess, token
from tests.runs.factories import ended, race


@pytest.fixture
def lem(monkeypatch, tmp_path, capfd):
    """Runs the command against the site in this process: (exit status, stdout, stderr)."""
    monkeypatch.setattr("gpuagent.client.sites.SyncTransport", lambda target, _: SyncTransport(target, InProcess()))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("LEM_TOKEN", raising=False)
    monkeypatch.setenv("LEM_URL", URL)

    def run(*arguments):
        capfd.readouterr()
        try:
            return main([str(argument) for argument in arguments]), *capfd.readouterr()
        except SystemExit as end:
            return end.code, *capfd.readouterr()

    return run


@pytest.fixture
def signed_in(monkeypatch, owner):
    monkeypatch.setenv("LEM_TOKEN", token(owner))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(factories.normal_file().content)
    return path


pytestmark = pytest.mark.django_db


def test_push_shows_what_was_understood_and_where_it_is(lem, signed_in, small_catalogue, stored_files, file):
    status, out, err = lem("push", file, "--stated", "dataset=sharegpt", "--visibility", "draft", "--note", "n")

    assert (status, err) == (0, "")
    assert out.startswith("1 result, read as ")
    assert "org/model-8b  h100" in out
    assert f"draft, draft: {URL}/submissions/" in out


def test_a_dry_run_stores_nothing(lem, signed_in, small_catalogue, stored_files, file):
    status, out, _ = lem("push", "--dry-run", file)

    assert status == 0
    assert "Nothing was stored. It would be pending." in out
    assert stored_files() == []


def test_a_result_that_cannot_be_right_is_refused(lem, signed_in, small_catalogue, stored_files, file):
    file.write_bytes(factories.normal_file(tokens_per_joule=2e9, energy_per_output_token_j=None).content)

    status, out, err = lem("push", file)

    assert (status, out) == (1, "")
    assert "impossible" in err
    assert "Nothing was stored" in err
    assert lem("push", "--dry-run", file)[0] == 1


def test_pushing_twice_is_a_repeat(lem, signed_in, small_catalogue, stored_files, file):
    lem("push", file)

    status, _, err = lem("push", file, "--json")

    assert status == 1
    assert "DUP1" in err


def test_push_answers_with_json(lem, signed_in, small_catalogue, stored_files, file):
    told = json.loads(lem("push", file, "--json", "--stated", "gpu_count=1")[1])

    assert told["submission"]["status"] == "pending"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("push", "missing.json"), 2, "There is no file or folder missing.json"),
        (("push", __file__, "--stated", "gpu"), 2, "FIELD=VALUE"),
        (("push", __file__, "--visibility", "secret"), 2, "invalid choice"),
        (("push", __file__), 1, "needs a token"),
        (("push", __file__, "--token-file", "/dev/null"), 2, "holds no token"),
        (("push", __file__, "--token-file", "/missing"), 1, "No such file"),
        (("pull", "--url", "bench.example.org"), 1, "not a site's address"),
        (("pull", "--query", "nonsense"), 2, "hardware=h100-sxm"),
        (("pull", "--query", "to=x"), 2, "no filter to"),
        (("pull", "--query", "hardwar=x"), 1, "perhaps hardware"),
        (("pull", "--query", "https://elsewhere.example/?q=x"), 2, "--url https://elsewhere.example"),
        (("watch", "no-such-run"), 1, "no such run"),
        (("watch", "https://bench.example.org/models/"), 2, "not the page of a run"),
        (("jobs", "show", "7"), 1, "not_found"),
        (("jobs", "order", __file__), 2, "neither YAML nor JSON"),
        ((), 2, "required"),
    ],
)
def test_wrong_use_says_what_would_be_right(lem, arguments, status, words):
    got, out, err = lem(*arguments)

    assert (got, out) == (status, "")
    assert words in err
    assert "Traceback" not in err


def test_a_wrong_token_is_told(lem, monkeypatch, file):
    monkeypatch.setenv("LEM_TOKEN", "lem_abc_def")

    assert lem("push", file)[0] == 1


def test_a_token_does_not_travel_in_the_clear(lem, monkeypatch, file):
    monkeypatch.setenv("LEM_TOKEN", "lem_abc_def")

    status, _, err = lem("push", file, "--url", "http://bench.example.org")

    assert (status, "in the clear" in err) == (1, True)


def test_pull_writes_what_the_query_asks_for(lem, small_catalogue, tmp_path):
    one, _ = (factories.published_result() for _ in range(2))
    query = f"hardware={one.hardware.slug}&sort=-tokens_per_joule"

    status, out, err = lem("pull", "--query", query)
    assert (status, len(out.splitlines()), err) == (0, 2, "")

    target = tmp_path / "board.parquet"
    status, out, err = lem("pull", "--query", f"{URL}/?{query}&cursor=x&q=", "-o", target)
    assert (status, out) == (0, "")
    assert target.read_bytes().startswith(b"PAR1")
    assert "SHA-256" in err
    assert json.loads(lem("pull", "--format", "json")[1])["rows"] == 2
    assert lem("pull", "-o", tmp_path)[0] == 2


def test_a_pasted_address_says_which_site(lem, monkeypatch, small_catalogue):
    monkeypatch.delenv("LEM_URL")

    assert lem("pull", "--query", f"{URL}/?sort=tokens_per_joule")[0] == 0
    assert lem("pull")[0] == 1


def test_login_keeps_a_token_that_only_its_owner_reads(lem, monkeypatch, owner, file, tmp_path, small_catalogue):
    (tmp_path / "token").write_text(token(owner) + "\n")
    monkeypatch.delenv("LEM_URL")

    status, out, _ = lem("login", "--url", URL, "--token-file", tmp_path / "token")

    kept = tmp_path / "config" / "lem" / "login.json"
    assert (status, f"You are owner at {URL}" in out) == (0, True)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert lem("push", "--dry-run", file)[0] == 0
    # To another site the token does not go.
    assert "needs a token" in lem("push", file, "--url", "http://127.0.0.1:9")[2]
    kept.chmod(0o644)
    assert "Others can read" in lem("push", "--dry-run", file)[2]
    assert lem("logout")[0] == 0
    assert not kept.exists()
    assert "Nothing was kept" in lem("logout")[1]


def test_login_reads_a_token_from_a_pipe(lem, monkeypatch, owner):
    monkeypatch.setattr("sys.stdin", io.StringIO(token(owner) + "\n"))

    assert json.loads(lem("login", "--json")[1])["name"] == "owner"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert lem("login")[0] == 2


def test_login_with_a_wrong_token_keeps_nothing(lem, tmp_path):
    (tmp_path / "token").write_text("lem_abc_def")

    assert lem("login", "--token-file", tmp_path / "token")[0] == 1
    assert not (tmp_path / "config").exists()


def test_jobs_are_ordered_from_yaml(lem, signed_in, small_catalogue, tmp_path):
    config = tmp_path / "job.yaml"
    config.write_text("model: org/model-8b\nengine: vllm\nprecision: bf16\nbatch_sizes: [1, 8]\n")

    assert "2 configurations" in lem("jobs", "estimate", config)[1]
    job = json.loads(lem("jobs", "order", config, "--json")[1])["id"]
    assert f"{job}  queued  owner" in lem("jobs", "list", "--owner", "owner")[1]
    assert ": queued" in lem("jobs", "show", job)[1]
    assert ": cancelled" in lem("jobs", "cancel", job, "--reason", "enough")[1]
    assert lem("jobs", "log", job)[0] == 1
    assert lem("jobs", "cancel", job)[0] == 1
    config.write_text("[1, 2]")
    assert lem("jobs", "estimate", config)[0] == 2


def run_of(**fields):
    lanes = [{"name": "a"}, {"name": "idle", "type": "A100"}]
    return LiveRun.model_validate({"id": "r", "startedAt": "2026-01-01T00:00:00Z", "gpus": lanes, **fields})


def event_of(number):
    return LiveEvent.model_validate(
        {"runId": "r", "ts": f"2026-01-01T00:00:0{number}Z", "gpuId": "a", "model": "org/m\u202e", "useCase": "qa",
         "tokenPerSec": 100.0 * number, "latencyMs": 40, "vramUsedMB": 60000, "evalProgressIdx": number,
         "evalTotal": 12, "powerW": 300, "energyJ": 50.0, "outputTokens": 100}
    )  # fmt: skip


def test_the_lanes_of_a_run_are_one_line_each():
    board = Board(run_of(endedAt="2026-01-01T01:00:05Z", label="night\x1b[2J", simulated=True, status="finished"))
    for number in (1, 2):
        board.add(event_of(number))

    lines = board.lines()

    assert lines[0] == "night\\x1b[2J  finished  1:00:05  SIMULATED"
    assert lines[2].split() == ["a", "org/m\\u202e", "qa", "2/12", "200", "150", "40", "60,000", "300", "2"]
    assert lines[3].split()[:3] == ["idle", "A100", "-"]
    assert max(map(len, board.lines(30))) < 30
    assert event_line(event_of(2)) == "00:00:02  a  org/m\\u202e  qa  2/12  200 tok/s  40 ms  300 W"


def listened(*items):
    """A site whose run gives these events, or fails."""

    def watch(key, after):
        for item in items:
            if isinstance(item, Exception):
                raise item
            yield item

    return SimpleNamespace(runs=SimpleNamespace(watch=watch))


def test_on_a_terminal_the_picture_is_drawn_until_the_run_ends(capsys):
    _redraw(listened(event_of(1), event_of(2)), Board(run_of()), 0)

    assert "2/12" in capsys.readouterr().out


def test_what_ends_a_watch_is_raised_where_it_is_drawn(capsys):
    with pytest.raises(SiteAway):
        _redraw(listened(event_of(1), SiteAway("gone")), Board(run_of()), 0)


def test_a_watch_that_is_not_on_a_terminal_prints_lines(lem, monkeypatch):
    run = ended(race(seconds=2, label="nightly"))

    def read(stream):
        """As if a stream had told all."""
        stream.last = run.last_seq
        yield Emit(event_of(1))

    monkeypatch.setattr("gpuagent.client.runs._Stream.read", read)

    status, out, _ = lem("watch", run.key)

    assert status == 0
    assert out.splitlines()[0].startswith("00:00:01  a")
    assert out.splitlines()[1].startswith("nightly  finished")


def test_a_screen_draws_over_what_it_drew(capsys):
    screen = Screen()

    screen.draw(["one", "two"])
    screen.draw(["three"])

    assert capsys.readouterr().out.endswith("two\n\x1b[J\x1b[2A\r\x1b[Kthree\n\x1b[J")


def test_text_of_strangers_cannot_move_the_cursor():
    assert plain("a\x1b[2Jb\rc\u202ed\x9be\nf\u2028g\u00a0h") == "a\\x1b[2Jb\\x0dc\\u202ed\\x9be\\x0af\\u2028g h"
    assert plain_log("\x1b[32mok\x1b[0m\t1\r\n50%\r100%\x1b]0;title\x07") == "ok\t1\n50%\n100%\\x1b]0;title\\x07"


def test_colours_only_where_they_are_wanted(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert painted("x", "1", Terminal()) == "\x1b[1mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted("x", "1", Terminal()) == "x"
    assert painted("x", "1") == "x"


def test_help_loads_neither_models_nor_http():
    code = (
        "import sys\nfrom gpuagent.client.command import main\nimport gpuagent.client\n"
        "try: main(['-h'])\nexcept SystemExit: pass\n"
        "print(sorted({'httpx2', 'pydantic', 'yaml', 'gpuagent.client.models', 'django'} & set(sys.modules)))\n"
    )

    told = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert told.stdout.endswith("[]\n")


def test_logging_a_run_loads_no_models():
    code = "import sys; from gpuagent.client import Run; print('pydantic' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"


def test_a_site_that_is_away_is_told(monkeypatch, tmp_path, capfd):
    waits: list[float] = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("gpuagent.client.transport.time.sleep", waits.append)

    assert main(["pull", "--url", "http://127.0.0.1:9"]) == 1
    assert capfd.readouterr().err.startswith("lem: The site cannot be reached (5 tries).")
    assert len(waits) == 4


def test_ctrl_c_ends_without_a_traceback(lem, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("gpuagent.client.runs._Stream.read", interrupt)

    status, _, err = lem("watch", race(seconds=1).key)

    assert (status, err) == (130, "\n")
