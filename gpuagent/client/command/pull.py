"""`lem pull`: the leaderboard, or a part of it, as a file."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gpuagent.client.benchmarks import Format
from gpuagent.client.command import BadUse
from gpuagent.client.command.credentials import client, kept
from gpuagent.client.command.terminal import plain

FORMATS: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
#: where a page of the board was turned to, which a file has no use for
PLACE = {"cursor", "limit", "page"}


def pull(options: argparse.Namespace) -> int:
    query = query_of(options)
    kind: Format = options.format or FORMATS.get(options.output.suffix if options.output else "", "csv")
    if kind == "parquet" and options.output is None and sys.stdout.isatty():
        raise BadUse("Parquet is no text: name a file with -o, or send it into a pipe.")
    if options.output and options.output.is_dir():
        raise BadUse(f"{options.output} is a folder: name a file.")
    with client(options) as site:
        got = site.benchmarks.export(options.output or sys.stdout.buffer, file_format=kind, **query)
    sys.stdout.buffer.flush()
    if got.path:
        sys.stderr.write(f"{plain(got.path)}: {got.size_bytes:,} bytes, SHA-256 {got.sha256}\n")
    return 0


def query_of(options: argparse.Namespace) -> dict[str, Any]:
    """Names with their values, from a query or a page's address, which says which site where nothing else does."""
    text = str(options.query).strip()
    is_address = "://" in text
    if is_address:
        parts = urlsplit(text)
        _agree(options, f"{parts.scheme}://{parts.netloc}")
        text = parts.query
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text.lstrip("?")):
        if not (is_address and name in PLACE):
            found.setdefault(name, []).append(value)
    if text and not found and not is_address:
        raise BadUse(f"--query {text}: it is such as 'hardware=h100-sxm&sort=-tokens_per_joule', or a page's address.")
    if taken := {"to", "file_format", "self"} & found.keys():
        raise BadUse(f"--query: there is no filter {', '.join(sorted(taken))}.")
    return found


def _agree(options: argparse.Namespace, origin: str) -> None:
    site = options.url or os.environ.get("LEM_URL", "") or kept().get("url", "")
    if not site:
        options.url = origin
    elif urlsplit(site)[:2] != urlsplit(origin)[:2]:
        raise BadUse(f"--query is of {origin}, and the site is {site}: say --url {origin} if you mean that one.")
