"""Pushing a dump to a dataset on Hugging Face, by its own library, over its HTTP upload."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from leaderboard.data_card import hub_card
from leaderboard.models import Dump

#: where the newest dump lies in the dataset; former ones are in its history, each under a tag
DATA_PATH = "data/results.parquet"
MAX_ERROR = 1_000


def is_push_set() -> bool:
    return bool(settings.HF_TOKEN and settings.HF_DATASET)


def push_dump(dump: Dump) -> bool:
    """Make the dataset hold this dump. What went wrong is kept in the row and never raised."""
    try:
        _push(dump)
    except Exception as error:  # noqa: BLE001 - whatever the network and the library do, the dump itself is made
        words = _without_token(" / ".join(_told(error)))
        Dump.objects.filter(pk=dump.pk).update(push_error=words[:MAX_ERROR])
        logging.getLogger(__name__).warning("Dump %s was not pushed: %s", dump.version, words[:MAX_ERROR])
        return False
    Dump.objects.filter(pk=dump.pk).update(pushed_at=timezone.now(), push_error="")
    return True


def _push(dump: Dump) -> None:
    # Read when the library is loaded. An open file goes by plain HTTP and not by Xet, as the library would warn.
    for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_XET"):
        os.environ.setdefault(name, "1")
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=settings.HF_ENDPOINT, token=settings.HF_TOKEN)
    with default_storage.open(dump.card, "rb") as stored:
        card = hub_card(stored.read().decode(), f"{settings.SITE_URL}/data/{dump.version}.md", DATA_PATH)
    with _local_file(dump.file) as stream:
        api.create_commit(
            settings.HF_DATASET,
            [
                # An open file is sent as it is read: memory stays small.
                CommitOperationAdd(DATA_PATH, cast("BinaryIO", stream)),
                CommitOperationAdd("README.md", card.encode()),
            ],
            commit_message=f"Dump {dump.version}, data version {dump.data_version}, SHA-256 {dump.sha256}",
            repo_type="dataset",
        )


@contextmanager
def _local_file(name: str) -> Iterator[IO[bytes]]:
    """The stored file on this machine's disk: the storage may be far away, and the library reads it twice."""
    with tempfile.TemporaryFile(dir=settings.LEMSITE_HOME) as local, default_storage.open(name, "rb") as stored:
        for chunk in stored.chunks():
            local.write(chunk)
        local.seek(0)
        yield local


def _told(error: BaseException | None) -> Iterator[str]:
    """The error and what caused it: the library's own says only which file it was about."""
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__


def _without_token(text: str) -> str:
    return text.replace(settings.HF_TOKEN, "…") if settings.HF_TOKEN else text
