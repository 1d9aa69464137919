"""Which site, with which token: from a file, the environment, or what `lem login` has kept."""

from __future__ import annotations

import argparse
import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from gpuagent.client.command import BadUse
from gpuagent.client.errors import NotConfigured
from gpuagent.client.sites import Client

MAX_TOKEN_FILE = 4096


def kept_file() -> Path:
    """$XDG_CONFIG_HOME/lem/login.json, readable by its owner only."""
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "lem" / "login.json"


def kept() -> dict[str, str]:
    """{"url", "token"} of the last login, or nothing. Raises NotConfigured where others could have read it."""
    path = kept_file()
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise NotConfigured(f"Others can read {path}: chmod 600 it, and better make a new token.")
        found = json.loads(path.read_text())
        return {name: str(found[name]) for name in ("url", "token")}
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError):
        raise NotConfigured(f"{path} is damaged: `lem login` writes a new one.") from None


def keep(url: str, token: str) -> Path:
    path = kept_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    with suppress(FileNotFoundError):
        beside.unlink()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"url": url, "token": token}, file)
    beside.replace(path)
    return path


def site_of(options: argparse.Namespace) -> str:
    """The address that is meant, or ""."""
    return str(options.url or os.environ.get("LEM_URL", "") or kept().get("url", "")).rstrip("/")


def token_of(options: argparse.Namespace, url: str) -> str:
    """A kept token goes to the site that it was kept for and to no other."""
    if options.token_file:
        return read_token(options.token_file)
    if token := os.environ.get("LEM_TOKEN", ""):
        return token
    login = kept()
    return login["token"] if login and login["url"].rstrip("/") == url else ""


def read_token(path: Path) -> str:
    with path.open() as file:
        token = file.read(MAX_TOKEN_FILE).strip()
    if not token:
        raise BadUse(f"{path} holds no token.")
    return token


def client(options: argparse.Namespace, *, needs_token: bool = False) -> Client:
    """Raises NotConfigured."""
    url = site_of(options)
    if not url:
        raise NotConfigured("Which site? Give --url, set LEM_URL, or `lem login`.")
    token = token_of(options, url)
    if needs_token and not token:
        raise NotConfigured(
            f"This needs a token of {url}: make one at {url}/account/, then `lem login`, --token-file or LEM_TOKEN."
        )
    return Client(url, token, allow_http=options.allow_http)
