"""Making the full dump: all public results as one Parquet file with its card, its schema and its checksum."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from leaderboard.checks import CHECK_SET
from leaderboard.data_card import Facts, data_card
from leaderboard.dump_columns import dump_columns, json_schema
from leaderboard.exports import LICENCE
from leaderboard.models import Dump
from leaderboard.models.result import TRUST_CODES
from leaderboard.queries.dumps import dump_rows, dumps
from leaderboard.queries.facets import data_version
from lemsite import __version__
from lemsite.context import SITE_NAME

KEPT = 30
FOLDER = "dumps"
#: UTC; the nightly dump is made after it
NIGHT_HOUR = 2
#: a file that no row names and that is older was left behind when its process was killed
LEFT_BEHIND = timedelta(days=1)
COLUMNS = dump_columns(TRUST_CODES)

logger = logging.getLogger(__name__)


class DumpError(Exception):
    """No dump was made; the message says why."""


def is_dump_due(now: datetime) -> bool:
    """Whether tonight's dump is missing."""
    return now.hour >= NIGHT_HOUR and not Dump.objects.filter(version__startswith=f"{now:%Y-%m-%d}").exists()


def make_dump(now: datetime | None = None) -> Dump:
    """Write the dump of this moment, and let the oldest go. Another one of a day is ".2", since a citation names it."""
    now = now or timezone.now()
    version = _free_version(f"{now:%Y-%m-%d}")
    # Arrow is slow to load, and only a process that writes a dump needs it here.
    from leaderboard.dump_file import paths_of, stored_rows, write_dump

    about = {"licence": LICENCE, "version": version, "source": f"{settings.SITE_URL}/data/", "made_by": __version__}
    # On the disk of this site: a machine's /tmp may lie in memory.
    with tempfile.TemporaryFile(dir=settings.LEMSITE_HOME) as stream:
        written = write_dump(stream, COLUMNS, dump_rows(paths_of(COLUMNS)), about)
        if stored_rows(stream) != written.rows:
            raise DumpError(f"The file of {version} does not hold the {written.rows:,} rows that were written.")
        dump = Dump(
            version=version,
            data_version=data_version() if written.data_version is None else written.data_version,
            rows=written.rows,
            size_bytes=stream.seek(0, 2),
            sha256=_sha256(stream),
        )
        card = data_card(_facts(dump, now, written.counts), COLUMNS)
        _store(dump, stream, card)
    prune_dumps(now)
    return dump


def schema_name(dump: Dump) -> str:
    """Where the JSON Schema of the dump's rows lies in storage."""
    return dump.file.removesuffix(".parquet") + ".schema.json"


def prune_dumps(now: datetime, keep: int = KEPT) -> None:
    """Let all but the newest go, each row before its files: a page never names a file that is gone."""
    for dump in list(dumps()[max(keep, 1) :]):
        dump.delete()
        for name in (dump.file, dump.card, schema_name(dump)):
            default_storage.delete(name)
    _sweep(now)


def _free_version(day: str) -> str:
    taken = set(Dump.objects.filter(version__startswith=day).values_list("version", flat=True))
    for version in (day, *(f"{day}.{number}" for number in range(2, 10))):
        if version not in taken:
            return version
    raise DumpError(f"There are {len(taken)} dumps of {day} already.")


def _facts(dump: Dump, now: datetime, counts: Mapping[str, Mapping[str | None, int]]) -> Facts:
    return Facts(
        site_name=SITE_NAME,
        site_url=settings.SITE_URL,
        version=dump.version,
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        data_version=dump.data_version,
        rows=dump.rows,
        size_bytes=dump.size_bytes,
        sha256=dump.sha256,
        release=__version__,
        check_set=CHECK_SET,
        counts=counts,
    )


def _store(dump: Dump, stream: IO[bytes], card: str) -> None:
    """Files first, then the row that makes them a dump; without the row, no file stays."""
    base = f"{FOLDER}/{dump.version}-{dump.sha256[:12]}"
    schema = json.dumps(json_schema(COLUMNS, f"lemsite result, dump {dump.version}"), indent=1)
    stream.seek(0)
    with _saved_names() as names:
        for ending, content in (
            (".parquet", File(stream)),
            (".md", ContentFile(card.encode())),
            (".schema.json", ContentFile(schema.encode())),
        ):
            names.append(default_storage.save(base + ending, content))
            if names[-1] != base + ending:
                raise DumpError(f"{base}{ending} was there already.")
        dump.file, dump.card = f"{base}.parquet", f"{base}.md"
        try:
            with transaction.atomic():
                dump.save(force_insert=True)
        except IntegrityError as error:
            raise DumpError(f"Another process has made {dump.version} meanwhile.") from error


@contextmanager
def _saved_names() -> Iterator[list[str]]:
    """The files that are stored inside; none of them stays when it fails."""
    names: list[str] = []
    try:
        yield names
    except BaseException:
        for name in names:
            default_storage.delete(name)
        raise


def _sweep(now: datetime) -> None:
    named = {name for dump in dumps() for name in (dump.file, dump.card, schema_name(dump))}
    with suppress(FileNotFoundError):
        for name in default_storage.listdir(FOLDER)[1]:
            path = f"{FOLDER}/{name}"
            if path not in named and default_storage.get_modified_time(path) < now - LEFT_BEHIND:
                logger.info("%s is no dump's file any more and goes", path)
                default_storage.delete(path)


def _sha256(stream: IO[bytes]) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # any readable file will do
