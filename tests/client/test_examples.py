"""The examples of the documentation run, against the real site."""

import functools
import runpy
import sys

import pytest

from gpuagent.client import Run
from gpuagent.client.transport import SyncTransport
from jobs.models import Job, JobState
from tests import factories
from tests.client.generate import REPOSITORY
from tests.client.sites import URL, InProcess, token
from tests.jobs.factories import GpuFactory

pytestmark = pytest.mark.django_db
EXAMPLES = REPOSITORY / "docs" / "examples"


@pytest.fixture
def example(monkeypatch, owner, capsys):
    """Runs an example as a script of the owner's; gives what it printed."""
    monkeypatch.setattr("gpuagent.client.sites.SyncTransport", lambda target, _: SyncTransport(target, InProcess()))
    monkeypatch.setenv("LEM_URL", URL)
    monkeypatch.setenv("LEM_TOKEN", token(owner))

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_the_greenest_configuration_is_found(small_catalogue, example):
    factories.published_result(ttft_ms_p90=210.0, tokens_per_joule=2.5)

    told = example("greenest.py", 500)

    assert "2.50 tok/J" in told
    assert "/analysis/" in told


def test_a_study_is_handed_in(small_catalogue, stored_files, example, tmp_path):
    (tmp_path / "a.json").write_bytes(factories.normal_file().content)

    assert f"1 results: {URL}/submissions/" in example("upload_study.py", tmp_path)


def test_a_job_is_ordered_and_its_result_fetched(small_catalogue, stored_files, example, owner, monkeypatch):
    GpuFactory(memory_mib=80_000)

    def finish(seconds):
        Job.objects.update(state=JobState.SUCCEEDED, submission=factories.draft(owner))

    monkeypatch.setattr("gpuagent.client.transport.time.sleep", finish)

    told = example("order_job.py", "org/model-8b")

    assert "queued\nsucceeded\nbatch 8: 2.0 tok/J, 1000.0 tok/s" in told


def test_the_board_goes_into_pandas(small_catalogue, example, tmp_path):
    pytest.importorskip("pandas", reason="pandas is no dependency of this project")
    factories.published_result()

    assert "1 rows; tokens_per_joule is in tok/J" in example("to_pandas.py", tmp_path / "board.parquet")


def test_a_loop_is_streamed(example, monkeypatch, tmp_path):
    """What arrives at a real site is a test of tests/contract/test_client.py; here there is none."""
    monkeypatch.setenv("LEM_SPOOL", str(tmp_path))
    monkeypatch.setattr(Run, "__init__", functools.partialmethod(Run.__init__, url="http://127.0.0.1:9"))

    assert "logged=5" in example("stream_loop.py", 3)


def test_every_example_is_listed_and_tried():
    names = {path.name for path in EXAMPLES.glob("*.py")}
    here = (REPOSITORY / "tests/client/test_examples.py").read_text()
    listed = (EXAMPLES / "README.md").read_text()

    assert names
    assert all(name in here and f"[{name}]({name})" in listed for name in names)
