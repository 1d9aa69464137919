"""`python -m gpuagent.race CONFIG OUT`: one lane of a race, run by the agent in the folder of the attempt.

The operator's policy comes in the environment: LEM_RACE_BASE_URL, and LEM_RACE_KEY_FILE where the server wants a key.
The last line printed says why a lane failed. Exit codes: 0, 2 for a configuration that is refused, 3 for a lane that
failed, 130 after SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from gpuagent.executors.progress import Progress
from gpuagent.gpu.fake import FakeSource
from gpuagent.gpu.source import GpuSource, open_source
from gpuagent.race.client import Client, ServerProblem
from gpuagent.race.config import BadRaceConfig, RaceConfig, parse_config
from gpuagent.race.gauges import Gauges
from gpuagent.race.lane import Lane, LaneFailed, boot_s
from gpuagent.race.record import report
from gpuagent.race.simulated import SimulatedServer
from gpuagent.race.suites import NoSuchSuite, Suite, load_suite

BASE_URL, KEY_FILE = "LEM_RACE_BASE_URL", "LEM_RACE_KEY_FILE"
MAX_KEY_BYTES = 1_000
REFUSED, FAILED, STOPPED = 2, 3, 130


def main(argv: Sequence[str]) -> int:
    if len(argv) != 2:
        return _say("usage: python -m gpuagent.race CONFIG OUT", REFUSED)
    out = Path(argv[1])
    try:
        config = parse_config(Path(argv[0]).read_text(encoding="utf-8"))
        suites = [load_suite(name, config.suite_version) for name in config.use_cases]
    except (BadRaceConfig, NoSuchSuite, OSError, UnicodeDecodeError) as error:
        return _say(str(error), REFUSED)
    out.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_race(config, suites, out))
    except LaneFailed as failed:
        Progress().tell("failed", {"code": failed.code, "detail": str(failed)})
        return _say(str(failed), FAILED)
    except asyncio.CancelledError:
        return _say("The lane was stopped.", STOPPED)
    return 0


async def _race(config: RaceConfig, suites: Sequence[Suite], out: Path) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio.run made it
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    go = os.environ.get("LEM_GO")
    gauges = Gauges(partial(_gpus, config, out))
    async with _client(config, suites, out) as client:
        lane = Lane(
            config,
            suites,
            client=client,
            progress=Progress(),
            gauges=gauges,
            go_file=Path(go) if go else None,
        )
        gauges.start()
        try:
            await lane.run()
        finally:
            gauges.stop()
            found = report(config, lane.outcomes)
            (out / "race.json").write_text(json.dumps(found, indent=1))
            _say(f"{found['answered']} of {sum(len(suite.cases) for suite in suites)} cases answered.", 0)


@asynccontextmanager
async def _client(config: RaceConfig, suites: Sequence[Suite], out: Path) -> AsyncIterator[Client]:
    """To the operator's server, or to a simulated one: the site never says to which."""
    if config.simulate:
        server = SimulatedServer(model=config.model, lane=config.lane, suites=suites)
        async with server.running(_load_folder(out)) as base_url:
            client = Client(base_url, concurrency=config.concurrency, now=boot_s)
            yield client
            await client.close()
        return
    try:
        client = Client(_base_url(), api_key=_api_key(), concurrency=config.concurrency, now=boot_s)
    except ServerProblem as problem:
        raise LaneFailed("no_model_server", str(problem)) from None
    yield client
    await client.close()


def _base_url() -> str:
    base_url = os.environ.get(BASE_URL, "")
    if not base_url:
        raise LaneFailed("no_model_server", "The operator of this host has named no model server in its policy.")
    return base_url


def _api_key() -> str:
    path = os.environ.get(KEY_FILE, "")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="ascii")[:MAX_KEY_BYTES].strip()
    except (OSError, UnicodeDecodeError):
        raise LaneFailed("no_model_server", "The file with the model server's key cannot be read.") from None


def _gpus(config: RaceConfig, out: Path) -> GpuSource:
    if config.simulate:
        return FakeSource(["GPU-simulated-lane"], folder=_load_folder(out))
    return open_source(simulate=False)


def _load_folder(out: Path) -> Path:
    """Where the attempt's own sampler looks for the load of simulated GPUs, too."""
    return Progress().folder or out


def _say(sentence: str, code: int) -> int:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
