"""One set of counters for several web processes: a folder of files that prometheus_client maps into their memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

#: prometheus_client looks for it when it is imported
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: the same under a name of ours: the worker inherits it too, and is no web process
HANDED_DOWN = "LEMSITE_METRICS_FOLDER"


@contextmanager
def shared_counters() -> Iterator[None]:
    """For the web processes that are started within; gone afterwards, as a new start counts from nothing."""
    folder = tempfile.mkdtemp(prefix="lemsite-metrics-")
    os.environ[HANDED_DOWN] = folder
    try:
        yield
    finally:
        del os.environ[HANDED_DOWN]
        shutil.rmtree(folder, ignore_errors=True)


def count_together() -> None:
    """In a web process, before it imports what counts."""
    if HANDED_DOWN in os.environ:
        os.environ[FOLDER] = os.environ[HANDED_DOWN]
