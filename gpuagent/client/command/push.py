"""`lem push`: hand in results, and show what was understood and found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpuagent.client import models
from gpuagent.client.benchmarks import Uploaded
from gpuagent.client.command import BadUse
from gpuagent.client.command.credentials import client
from gpuagent.client.command.terminal import BOLD, RED, YELLOW, figure, painted, plain, say, table
from gpuagent.client.errors import Refused, ReplyLost

SHOWN = 20
#: whether it was to be public
AFTER_A_LOSS = {
    True: "Push it again: what is there already is refused as a repeat.",
    False: "Your submissions are on your account page: push it again if it is not there.",
}
COLOURS = {"B": RED, "R": YELLOW, "W": YELLOW}
WORDS = {"B": "impossible", "R": "to be judged", "W": "warning"}


def push(options: argparse.Namespace) -> int:
    stated = stated_of(options.stated)
    for path in options.paths:
        if not path.exists():
            raise BadUse(f"There is no file or folder {path}.")
    with client(options, needs_token=True) as site:
        try:
            if options.dry_run:
                return _show_preview(options, site.benchmarks.preview(*options.paths, stated=stated))
            given = {"visibility": options.visibility, "note": options.note, "licence": options.licence}
            progress = None if options.json or not sys.stderr.isatty() else _show_progress
            done = site.benchmarks.upload(*options.paths, stated=stated, on_progress=progress, **given)
        except Refused as refused:
            return _show_refused(options, refused)
        except ReplyLost as lost:
            sys.stderr.write(f"lem: {plain(lost)}\n{AFTER_A_LOSS[options.visibility == 'public']}\n")
            return 1
    return _show_uploaded(options, done)


def stated_of(pairs: Sequence[str]) -> dict[str, Any]:
    """`gpu_count=1` is a number, `hardware=h100-sxm` a text."""
    stated: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise BadUse(f"--stated {pair}: it is FIELD=VALUE, such as hardware=h100-sxm.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        stated[name.strip()] = value if isinstance(value, (bool, int, float)) else text
    return stated


def _show_preview(options: argparse.Namespace, preview: models.Preview) -> int:
    is_possible = preview.status != "impossible"
    if options.json:
        say(preview.model_dump_json())
    else:
        for line in summary(preview):
            say(line)
        ahead = "would be refused" if not is_possible else f"would be {plain(preview.status)}"
        say(f"\nNothing was stored. It {ahead}.")
    return 0 if is_possible else 1


def _show_uploaded(options: argparse.Namespace, done: Uploaded) -> int:
    submission = done.submission
    if options.json:
        refused = [one.model_dump() for one in done.refused]
        told = json.loads(submission.model_dump_json()) if submission else None
        say(json.dumps({"submission": told, "refused": refused}))
        return 0 if submission else 1
    for one in done.refused[:SHOWN]:
        say(f"{painted('left out', YELLOW)}  {plain(one.file)}: {plain(one.message)}")
    if len(done.refused) > SHOWN:
        say(f"and {len(done.refused) - SHOWN} more files that could not be used")
    if submission is None:
        sys.stderr.write("lem: none of the files could be used; nothing was stored.\n")
        return 1
    for line in summary(submission):
        say(line)
    say(f"\n{plain(submission.status)}, {plain(submission.visibility)}: {plain(submission.url)}")
    return 0


def summary(read: models.Preview | models.Submission) -> Iterator[str]:
    """What was understood, what was found, what is missing."""
    count = len(read.results)
    yield f"{count} result{'' if count == 1 else 's'}, read as {plain(read.shape)}, trust {plain(read.trust)}"
    heads = ("", "model", "hardware", "GPUs", "backend", "precision", "batch", "tok/s", "tok/J", "J/tok")
    rows = [
        [
            str(place),
            *(figure(value) for value in (one.model, one.hardware, one.gpu_count, one.backend, one.precision)),
            *(figure(value) for value in (one.batch_size, one.throughput_tokens_per_s, one.tokens_per_joule)),
            figure(one.energy_per_output_token_j),
        ]
        for place, one in enumerate(read.results[:SHOWN], start=1)
    ]
    head, *lines = table(heads, rows, right=(0, 3, 6, 7, 8, 9))
    yield painted(head, BOLD)
    yield from lines
    if count > SHOWN:
        yield f"and {count - SHOWN} more"
    yield from findings([finding.model_dump() for finding in read.findings])
    for missing in read.missing:
        yield f"{painted('missing', YELLOW)}  {plain(missing.field)}: {plain(missing.why)}"
    for removed in read.redacted:
        yield f"removed before storing: {plain(removed)}"
    if isinstance(read, models.Preview):
        for ignored in read.ignored[:SHOWN]:
            yield f"passed over  {plain(ignored.file)}: {plain(ignored.why)}"


def findings(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in found[: 2 * SHOWN]:
        severity = str(one.get("severity", ""))
        word = painted(WORDS.get(severity, plain(severity)), COLOURS.get(severity, BOLD))
        place = one.get("result")
        where = f"result {place + 1}: " if isinstance(place, int) else ""
        yield f"{word}  {plain(one.get('code', ''))}  {where}{plain(one.get('message', ''))}"


def _show_refused(options: argparse.Namespace, refused: Refused) -> int:
    if options.json:
        say(json.dumps(refused.body))
    for line in findings(refused.findings):
        sys.stderr.write(line + "\n")
    sys.stderr.write(f"lem: {plain(refused)}\n")
    return 1


def _show_progress(batch: models.Batch) -> None:
    end = "\n" if batch.state in {"done", "failed"} else ""
    sys.stderr.write(f"\r{plain(batch.state)}: {batch.files_done} of {batch.files_total} files{end}")
    sys.stderr.flush()
