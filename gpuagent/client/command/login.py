"""`lem login`, `lem logout`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from gpuagent.client.command import BadUse
from gpuagent.client.command.credentials import keep, kept_file, read_token
from gpuagent.client.command.terminal import plain, say
from gpuagent.client.sites import Client


def login(options: argparse.Namespace) -> int:
    url = str(options.url or os.environ.get("LEM_URL", "")).rstrip("/")
    if not url:
        raise BadUse("Which site? Give --url, such as https://bench.example.org.")
    token = _token(options, url)
    if not token:
        raise BadUse("No token was given.")
    with Client(url, token, allow_http=options.allow_http) as client:
        me = client.users.me()
    path = keep(url, token)
    if options.json:
        say(me.model_dump_json())
    else:
        scopes = me.token.get("scopes") or ()
        opens = f", for {', '.join(plain(scope) for scope in scopes)}" if isinstance(scopes, list) else ""
        say(f"You are {plain(me.name)} at {url}{opens}. The token is in {path}.")
    return 0


def logout(options: argparse.Namespace) -> int:
    path = kept_file()
    is_there = path.exists()
    path.unlink(missing_ok=True)
    say(f"{path} is gone. Revoke the token on the site if it has been seen." if is_there else "Nothing was kept.")
    return 0


def _token(options: argparse.Namespace, url: str) -> str:
    if options.token_file:
        return read_token(options.token_file)
    if token := os.environ.get("LEM_TOKEN", ""):
        return token
    if sys.stdin.isatty():
        return getpass.getpass(f"Token (made at {url}/account/; it is not shown): ").strip()
    return sys.stdin.readline(4096).strip()
