"""Folders, files and what the system allows this process."""

from __future__ import annotations

import json
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

from lemsite.doctor import Ill, Level, check, warn

LOW_BYTES, EMPTY_BYTES = 2 << 30, 256 << 20
LOW_SHARE = 0.05
#: a viewer holds one file open, and so does each connection to a service
MANY_FILES, FEW_FILES = 65_536, 4_096


@check("static_files", is_slow=True)
def static_files() -> Iterator[Ill]:
    if "Manifest" not in settings.STORAGES["staticfiles"]["BACKEND"]:
        return
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    mend = "Run: manage.py collectstatic --no-input, and start the site again."
    if not manifest.is_file():
        yield Ill("The static files are not collected.", "the site does not start", mend)
        return
    known = set(json.loads(manifest.read_text(encoding="utf-8"))["paths"])
    sources = dict(_static_sources())
    if missing := sorted(sources.keys() - known):
        yield Ill(
            f"{len(missing)} static files are not collected, such as {missing[0]}.",
            "pages that need them answer with 500",
            mend,
        )
    collected_at = manifest.stat().st_mtime
    if newer := [path for path, changed_at in sources.items() if changed_at > collected_at]:
        yield warn(
            f"{len(newer)} static files are newer than their copies, such as {newer[0]}.",
            "visitors get the old ones",
            mend,
        )


def _static_sources() -> Iterator[tuple[str, float]]:
    """Each file that would be collected, and when it changed."""
    for finder in get_finders():
        for path, source in finder.list([]):
            yield path, Path(source.path(path)).stat().st_mtime


@check("folders")
def folders() -> Iterator[Ill]:
    wanted = {"LEMSITE_HOME": Path(settings.LEMSITE_HOME), "the folder for temporary files": _temporary()}
    if location := settings.STORAGES["default"].get("OPTIONS", {}).get("location"):
        wanted["STORAGE_URL"] = _existing(Path(location))
    for name, path in wanted.items():
        if path is None or not os.access(path, os.W_OK | os.X_OK):
            yield Ill(
                f"{name}{f' ({path})' if path else ''} cannot be written.",
                "uploads fail",
                "Give it to the user that runs the site, or name another one.",
            )


@check("secret_files")
def secret_files() -> Iterator[Ill]:
    secret = {
        Path(settings.LEMSITE_HOME) / "secret-key": "sign in as anyone",
        Path(os.environ.get("LEMSITE_ENV_FILE") or Path(settings.BASE_DIR) / ".env"): "read every password of the site",
    }
    if settings.ON_SQLITE:
        secret[Path(settings.DATABASES["default"]["NAME"])] = "read drafts, addresses and sessions"
    for path, gain in secret.items():
        if path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Ill(
                f"{path} can be read by every user of this machine.",
                f"they could {gain}",
                f"Run: chmod o-rwx {path}",
                Level.ERROR if settings.PRODUCTION else Level.WARNING,
            )


@check("disk_space")
def disk_space() -> Iterator[Ill]:
    for path in {Path(settings.LEMSITE_HOME), _temporary() or Path("/")}:
        usage = shutil.disk_usage(path)
        if usage.free < LOW_BYTES or usage.free < LOW_SHARE * usage.total:
            yield Ill(
                f"{usage.free >> 20:,} MiB are free on the disk of {path}, of {usage.total >> 20:,}.",
                "on a full disk nothing is accepted any more",
                "Make room: old backups, logs, old versions of images; or a larger disk.",
                Level.ERROR if usage.free < EMPTY_BYTES else Level.WARNING,
            )


@check("open_files")
def open_files() -> Iterator[Ill]:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if settings.PRODUCTION and limit != resource.RLIM_INFINITY and limit < MANY_FILES:
        yield Ill(
            f"A process may open {limit:,} files.",
            "each viewer of a live run is one: further ones are refused",
            "Set LimitNOFILE=65536 in the unit, or ulimits: nofile in compose.yaml.",
            Level.ERROR if limit < FEW_FILES else Level.WARNING,
        )


def _temporary() -> Path | None:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


def _existing(path: Path) -> Path:
    """A folder that is made when first used: then what counts is the one that it will be in."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
