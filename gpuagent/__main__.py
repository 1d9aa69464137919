"""The command `lem-agent`: connects a host, runs its agent, says what is wrong."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gpuagent import __version__
from gpuagent.host.config import Settings
from gpuagent.host.folders import Home, HomeIsTaken, NotEnrolled, default_home
from gpuagent.host.policy import BadPolicy, read_policy

BAD_USE, FAILED = 2, 1


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("httpcore2").setLevel(logging.WARNING)
    home = Home(options.home or default_home())
    commands = {"enroll": _enroll, "run": _run, "doctor": _doctor}
    try:
        return commands[options.command](home, options)
    except (NotEnrolled, HomeIsTaken, BadPolicy, OSError) as error:
        sys.stderr.write(f"lem-agent: {error}\n")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lem-agent", description="Runs a lemsite's benchmark jobs on this GPU host.")
    parser.add_argument("--version", action="version", version=f"gpuagent {__version__}")
    parser.add_argument("--home", type=Path, help="the agent's folder (LEM_AGENT_HOME)")
    parser.add_argument("--verbose", action="store_true", help="say more")
    commands = parser.add_subparsers(dest="command", required=True)
    enroll = commands.add_parser("enroll", help="connect this host to a site")
    enroll.add_argument("url", help="the site's address")
    enroll.add_argument("code", help="the code that the site showed")
    enroll.add_argument("--simulate", action="store_true", help="a host without GPUs, for trying out")
    enroll.add_argument("--allow-http", action="store_true", help="send the token in the clear")
    run = commands.add_parser("run", help="take jobs and run them")
    run.add_argument("--simulate", action="store_true", help="pretend to have GPUs; results are marked so")
    run.add_argument("--gpus", type=int, default=1, help="with --simulate: how many GPUs")
    run.add_argument("--label", action="append", default=[], help="a word that jobs may ask for")
    doctor = commands.add_parser("doctor", help="look for what would keep jobs from running here")
    doctor.add_argument("--simulate", action="store_true", help="as `run --simulate` would")
    return parser


def _enroll(home: Home, options: argparse.Namespace) -> int:
    from gpuagent.host.enrolment import CannotEnrol, enrol

    try:
        agent = enrol(home, options.url, options.code, simulate=options.simulate, allow_http=options.allow_http)
    except CannotEnrol as problem:
        sys.stderr.write(f"lem-agent: {problem}\n")
        return FAILED
    sys.stdout.write(f"This host is agent {agent}. Its folder is {home.path}. Now: lem-agent run\n")
    return 0


def _run(home: Home, options: argparse.Namespace) -> int:
    from gpuagent.host.loop import Agent

    if not 1 <= options.gpus <= 64:
        sys.stderr.write("lem-agent: --gpus: 1 to 64\n")
        return BAD_USE
    home.site()
    policy = read_policy(home.path)
    settings = Settings(
        home=home.path, simulate=options.simulate, simulated_gpus=options.gpus, labels=tuple(options.label)
    )
    home.take()
    agent = Agent(home, policy, settings)
    # Asked twice it stops what runs; the signal for an upgrade leaves what runs to the next process.
    signal.signal(signal.SIGTERM, lambda *_: agent.drain())
    signal.signal(signal.SIGINT, lambda *_: agent.drain())
    signal.signal(signal.SIGHUP, lambda *_: agent.leave())
    agent.run()
    home.release()
    return 0


def _doctor(home: Home, options: argparse.Namespace) -> int:
    from gpuagent.host.doctor import examine

    return examine(home, simulate=options.simulate)


if __name__ == "__main__":
    sys.exit(main())
