"""The command `lem`: push results, pull the leaderboard, watch runs, order jobs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from gpuagent import __version__
from gpuagent.client.command.terminal import plain

OK, FAILED, BAD_USE, INTERRUPTED = 0, 1, 2, 130
ABOUT = "Measures and results of language models: to a lemsite, and from it."
AFTER = """\
The site is --url, else LEM_URL, else the one of the last `lem login`. The token is --token-file's, else LEM_TOKEN,
else the one of `lem login`; it is never an argument, which other users of the machine could read.

exit status: 0 done; 1 refused or failed; 2 wrong use; 130 stopped by Ctrl-C
"""


class BadUse(Exception):
    """What was asked for cannot be meant; the message says what would be right."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    from gpuagent.client.errors import LemError

    # Each part is loaded when it is used: `lem -h` must not wait for what it does not need.
    module = import_module(f"gpuagent.client.command.{options.module}")
    run = cast(Callable[[argparse.Namespace], int], getattr(module, options.function))
    try:
        return run(options)
    except BadUse as problem:
        sys.stderr.write(f"lem: {plain(str(problem))}\n")
        return BAD_USE
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Such as `lem pull | head`. What Python would still flush has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (LemError, OSError) as problem:
        sys.stderr.write(f"lem: {plain(str(problem))}\n")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lem", description=ABOUT, epilog=AFTER, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"lem {__version__}")
    commands = Commands(parser, "command", _common())
    words = "keep the site's address and a token for later, in a file that only you can read"
    commands.add("login", words, "login.login")
    commands.add("logout", "forget the token that `lem login` has kept", "login.logout")
    _add_push(commands)
    _add_pull(commands)
    _add_watch(commands)
    _add_jobs(commands)
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    site = common.add_argument_group("site")
    site.add_argument("--url", help="the site's address (LEM_URL)")
    site.add_argument("--token-file", type=Path, metavar="FILE", help="a file that holds the token (LEM_TOKEN)")
    site.add_argument("--allow-http", action="store_true", help="send the token in the clear")
    common.add_argument("--json", action="store_true", help="answer with JSON")
    return common


class Commands:
    """Commands of one parser, all with the same common options."""

    def __init__(self, parser: argparse.ArgumentParser, kind: str, common: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(dest=kind, required=True, metavar=kind)
        self._common = common

    def add(self, name: str, words: str, runs: str) -> argparse.ArgumentParser:
        """`runs` is module.function of this package."""
        about = f"{words[0].upper()}{words[1:]}."
        added = self._parsers.add_parser(name, help=words, description=about, parents=[self._common])
        module, _, function = runs.partition(".")
        added.set_defaults(module=module, function=function)
        return added

    def below(self, name: str, words: str) -> Commands:
        """Commands of a command."""
        return Commands(self._parsers.add_parser(name, help=words), "action", self._common)


def _add_push(commands: Commands) -> None:
    words = "hand in results: files of llem and other tools, or folders of them"
    push = commands.add("push", words, "push.push")
    push.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR", help="a folder travels as one zip")
    push.add_argument("--dry-run", action="store_true", help="show what would be understood and found; store nothing")
    stated = "what the files lack, such as hardware=h100-sxm or gpu_count=1; may be repeated"
    push.add_argument("--stated", action="append", default=[], metavar="FIELD=VALUE", help=stated)
    push.add_argument("--visibility", choices=("public", "private", "draft"), default="public")
    push.add_argument("--note", default="", help="Markdown, published together with the results")
    push.add_argument("--licence", choices=("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"))


def _add_pull(commands: Commands) -> None:
    pull = commands.add("pull", "save the leaderboard, or a part of it, as a file", "pull.pull")
    query = "filters and order, such as 'hardware=h100-sxm&sort=-tokens_per_joule', or the address of a page"
    pull.add_argument("--query", default="", metavar="QUERY|URL", help=query)
    pull.add_argument("--format", choices=("csv", "json", "parquet"), help="csv, or what the file's name ends with")
    pull.add_argument("-o", "--output", type=Path, metavar="FILE", help="without it, the terminal or a pipe")


def _add_watch(commands: Commands) -> None:
    watch = commands.add("watch", "follow a live run until it ends", "watch.watch")
    watch.add_argument("run", metavar="RUN", help="its id, or the address of its page")
    watch.add_argument("--after", type=int, default=0, metavar="ID", help="only what came after this event")


def _add_jobs(commands: Commands) -> None:
    jobs = commands.below("jobs", "order, follow and cancel jobs on the site's GPUs")
    listed = jobs.add("list", "the newest jobs", "jobs.show_list")
    listed.add_argument("--owner", metavar="USER")
    listed.add_argument("--state")
    listed.add_argument("--limit", type=int, default=20, metavar="N")
    for name, words in (("estimate", "what an order would take"), ("order", "order a benchmark or a race")):
        ordered = jobs.add(name, words, f"jobs.{name}")
        ordered.add_argument("file", type=Path, help="the configuration, as YAML or JSON")
        ordered.add_argument("--simulate", action="store_true", help="without GPUs; the result is marked as made up")
    ordered.add_argument("--race", action="store_true", help="the file describes a race of several hosts")
    ordered.add_argument("--wait", action="store_true", help="follow the log until the job is over")
    for name, words in (
        ("show", "one job"),
        ("log", "the log of a job, and more of it until the job is over"),
        ("cancel", "cancel a job"),
    ):
        added = jobs.add(name, words, f"jobs.{name}")
        added.add_argument("job", type=int)
    added.add_argument("--reason", default="")
